/* SPDX-License-Identifier: MIT */
/* The s390-spinlock protocol: when it yields and to whom, and how often it may be stolen from its
 * queue. Also its queue form in the races that every lock's default form runs in. */
#include "locks/s390-spinlock.h"
#include "tests/suites/locks/directed.h"

#define S390        .only = "s390-spinlock"
#define OWNED_BY(c) ((uint32_t)(c) + 1)
#define TAIL_IS(c)  (((uint32_t)(c) + 1) << S390_CPU_SHIFT)
#define THEFTS(n)   ((uint32_t)(n) << S390_STEAL_SHIFT)

static struct s390_node *waiter(const struct test *test, uint32_t cpu)
{
	return &((struct s390_pool *)node_of(test, cpu))->node[0];
}

/* Stages CPU 1 as the head of the queue by hand. */
static void stage_head(struct test *test, uint32_t word)
{
	struct s390_node *head = waiter(test, 1);

	qnode_reset(&head->base);
	atomic_store_explicit(&head->base.granted, 1, memory_order_relaxed);
	atomic_store_explicit(&head->previous, NULL, memory_order_relaxed);
	atomic_store_explicit(&head->cpu, 1, memory_order_relaxed);
	owner_word_write(test, word);
}

/* Does what CPU 1 would do after its turn. Its successor is CPU 2, the last waiter is `last`. */
static void promote_second(struct test *test, uint32_t last)
{
	if (qnode_next(&waiter(test, 1)->base) != &waiter(test, 2)->base)
		fail(test, "CPU 2 is not linked behind CPU 1");
	owner_word_write(test, TAIL_IS(last));
	atomic_store_explicit(&waiter(test, 2)->base.granted, 1, memory_order_release);
}

static void conduct_thefts(struct test *test)
{
	stage_head(test, TAIL_IS(1));
	if (lock_try(test))
		fail(test, "try_acquire passes a queue");
	for (uint32_t n = 1; n <= test->argument; n++) {
		tell(2, COMMAND_ACQUIRE);
		if (!await_actor(test, 2, ACTOR_OWNS))
			return;
		expect_owner_word(test, TAIL_IS(1) | THEFTS(n) | OWNED_BY(2), "stolen");
		tell(2, COMMAND_RELEASE);
		await_actor(test, 2, ACTOR_IDLE);
	}
	if (atomic_load_explicit(&test->failed, memory_order_relaxed)) {
		owner_word_write(test, 0);
		return;
	}
	tell(2, COMMAND_ACQUIRE);
	if (!await_shortly(test, has_tail, 2, "a newcomer in the queue after the last theft")) {
		owner_word_write(test, 0);
		return;
	}
	let_others_run(20);
	expect_owner_word(test, TAIL_IS(2) | THEFTS(test->argument), "free, but not for thieves");
	promote_second(test, 2);
	if (!await_actor(test, 2, ACTOR_OWNS))
		return;
	expect_owner_word(test, OWNED_BY(2), "the head's turn");
	drain(test);
}

static void test_thefts(struct test *test)
{
	let_them_wait(test, IN_QUEUE);
	set_tunable(test, "s390_steal_max", test->argument);
	directed_play(test, conduct_thefts);
	if (event_sum(test, EV_LOCK_STEALS) != test->argument)
		fail(test, "lock_steals is %llu, not %u",
		     (unsigned long long)event_sum(test, EV_LOCK_STEALS), test->argument);
}

/* The lock is free, thieves are stopped, the head is preempted. 2, next in the queue, and 3, behind
 * 2, yield to the head. */
static void conduct_head(struct test *test)
{
	stage_head(test, TAIL_IS(1) | THEFTS(3));
	flag(1, true);
	for (uint32_t i = 2; i <= 3; i++) {
		tell(i, COMMAND_ACQUIRE);
		await_shortly(test, has_tail, i, "a newcomer in the queue");
		await_yields(test, i, 1, 3);
	}
	if (yields_to_others(1))
		fail(test, "%u yields to others than the head", yields_to_others(1));
	flag(1, false);
	promote_second(test, 3);
	drain(test);
}

static void test_head(struct test *test)
{
	let_them_wait(test, IN_QUEUE);
	directed_play(test, conduct_head);
	if (event_sum(test, EV_YIELD_HEAD) != yields(2, 1) + yields(3, 1))
		fail(test, "yield_head is %llu, but there were %u yields",
		     (unsigned long long)event_sum(test, EV_YIELD_HEAD),
		     yields(2, 1) + yields(3, 1));
}

/* The owner is preempted when a waiter comes. The waiter yields once on arrival and next after
 * s390_spin_retry polls, which here is never. In both forms, and behind a head. */
static void conduct_entry(struct test *test)
{
	lock_acquire(test);
	flag(0, true);
	tell(1, COMMAND_ACQUIRE);
	if (!await_yields(test, 1, 0, 1))
		return;
	tell(2, COMMAND_ACQUIRE);
	if (!await_yields(test, 2, 0, 1))
		return;
	let_others_run(20);
	if (yields(1, 0) != 1 || yields(2, 0) != 1)
		fail(test, "CPU 1 and 2 yielded %u and %u times, not once", yields(1, 0),
		     yields(2, 0));
	if (test->argument == AT_WORD)
		expect_owner_word(test, OWNED_BY(0), "nobody queues");
	else
		expect_owner_word(test, TAIL_IS(2) | OWNED_BY(0), "two in the queue");
	lock_release(test);
	drain(test);
}

static void test_entry(struct test *test)
{
	let_them_wait(test, test->argument);
	set_tunable(test, "s390_spin_retry", UINT32_MAX);
	directed_play(test, conduct_entry);
}

/* The default is the classic form: nobody queues. */
static void conduct_default(struct test *test)
{
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	await_actor(test, 1, ACTOR_ACQUIRING);
	let_others_run(20);
	expect_owner_word(test, OWNED_BY(0), "the default is the classic form");
	lock_release(test);
	drain(test);
}

static void test_default(struct test *test)
{
	directed_play(test, conduct_default);
}

static void test_queue_form(struct test *test)
{
	let_them_wait(test, IN_QUEUE);
	race_until_counted(test, EV_LOCK_SLOWPATH);
}

CASE_REGISTER(s390_thefts, "stolen three times, then no more", test_thefts, 3, .argument = 3, S390);
CASE_REGISTER(s390_theft, "stolen once, then no more", test_thefts, 3, .argument = 1, S390);
CASE_REGISTER(s390_no_theft, "never stolen", test_thefts, 3, .argument = 0, S390);
CASE_REGISTER(s390_head, "yields to the head of a free lock", test_head, 4, S390);
CASE_REGISTER(s390_entry, "yields once on arrival, classic form", test_entry, 3,
	      .argument = AT_WORD, S390);
CASE_REGISTER(s390_entry_queue, "yields once on arrival, queue form", test_entry, 3,
	      .argument = IN_QUEUE, S390);
CASE_REGISTER(s390_default, "the default does not queue", test_default, 2, S390);
CASE_REGISTER(s390_queue_2, "queue form excludes, 2 threads", test_queue_form, 2, S390);
CASE_REGISTER(s390_queue_4, "queue form excludes, 4 threads", test_queue_form, 4, S390);
CASE_REGISTER(s390_queue_16, "queue form excludes, 16 threads", test_queue_form, 16, S390);
CASE_REGISTER(s390_queue_lied_4, "queue form excludes, wrong hints, 4 threads", test_queue_form, 4,
	      .backend = BACKEND_LYING, S390);
CASE_REGISTER(s390_queue_lied_16, "queue form excludes, wrong hints, 16 threads", test_queue_form,
	      16, .backend = BACKEND_LYING, S390);
