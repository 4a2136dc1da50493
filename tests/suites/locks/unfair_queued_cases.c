/* SPDX-License-Identifier: MIT */
/*
 * unfair-queued with a head that never runs: the node of a CPU without a thread, written into the
 * word by hand. All others then take the lock from inside the queue, and leave the queue in the
 * middle or at the end.
 */
#include "locks/qnode.h"
#include "tests/suites/locks/client.h"

#define SLEEPER (CLIENT_CPUS - 1)

static void stage_sleeping_head(struct test *test)
{
	union qspinlock_word *word = test->lock;

	atomic_store_explicit(&word->value, qnode_encode(SLEEPER, 0), memory_order_release);
}

static struct qnode *next_of(const struct test *test, uint32_t cpu)
{
	struct qnode *node = node_of(test, cpu);

	return atomic_load_explicit(&node->next, memory_order_acquire);
}

static uint32_t tail_cpu(const struct test *test)
{
	return (q_load(word_of(test)) >> Q_TAIL_CPU) - 1;
}

/* Only the sleeper is left in the queue. */
static void check_sleeper(struct test *test, const char *when)
{
	if (q_load(word_of(test)) != qnode_encode(SLEEPER, 0))
		fail(test, "%s: the tail is not the sleeping head's: %s", when, lock_text(test));
	if (next_of(test, SLEEPER))
		fail(test, "%s: the sleeping head still has a successor", when);
}

/* Checks links and tail: the sleeper, then 1 to 3 without `gone`. */
static void check_chain(struct test *test, uint32_t gone)
{
	uint32_t last = SLEEPER;

	for (uint32_t i = 1; i < test->threads; i++) {
		if (i == gone)
			continue;
		if (next_of(test, last) != node_of(test, i))
			fail(test, "%u left: the successor of CPU %u is not CPU %u", gone, last, i);
		last = i;
	}
	if (next_of(test, last) || tail_cpu(test) != last)
		fail(test, "%u left: the last is not CPU %u: %s", gone, last, lock_text(test));
}

static bool queued_expected(struct test *test)
{
	return tail_cpu(test) == test->argument;
}

static void conduct_leave(struct test *test)
{
	union qspinlock_word *word = test->lock;
	uint32_t who;

	q_set_locked(word); /* CPU 0 owns, staged like the rest */
	for (uint32_t i = 1; i < test->threads; i++) {
		test->argument = i;
		tell(i, COMMAND_ACQUIRE);
		if (!await(test, queued_expected, "an arrival at the tail"))
			return;
	}
	let_others_run(20); /* for the last one to link itself */
	check_chain(test, 0);
	lock_release(test);
	who = soon_owner(test);
	if (who)
		check_chain(test, who);
	for (uint32_t left = test->threads - 1; who && left > 0; left--) {
		tell(who, COMMAND_RELEASE);
		await_state(test, who, ACTOR_IDLE);
		if (left > 1)
			who = soon_owner(test);
	}
	check_sleeper(test, "all have left");
}

static void test_leave(struct test *test)
{
	stage_sleeping_head(test);
	with_actors(test, conduct_leave);
	if (event_sum(test, EV_QUEUED_STEALS) != test->threads - 1)
		fail(test, "queued_steals is %llu, not %u",
		     (unsigned long long)event_sum(test, EV_QUEUED_STEALS), test->threads - 1);
}

/* The queue is never empty, and nobody is ever its head. */
static void test_behind_sleeper(struct test *test)
{
	set_tunable(test, "uq_steal_min", 1);
	set_tunable(test, "uq_steal_max", test->argument);
	stage_sleeping_head(test);
	test_exclusion(test);
	check_sleeper(test, "after the race");
}

/* A waiter whose period is longer than the race takes the lock only as the head. */
static void test_period(struct test *test)
{
	set_tunable(test, "uq_steal_min", test->argument);
	set_tunable(test, "uq_steal_max", test->argument);
	if (test->argument == 1)
		race_until_counted(test, EV_QUEUED_STEALS);
	else
		test_exclusion(test);
	if (test->argument != 1 && event_sum(test, EV_QUEUED_STEALS) != 0)
		fail(test, "uq_steal_min and _max %u: queued_steals is %llu", test->argument,
		     (unsigned long long)event_sum(test, EV_QUEUED_STEALS));
}

#define UNFAIR_QUEUED .only = "unfair-queued"
CASE_REGISTER(uq_leave, "thieves leave the queue where they stand", test_leave, 4, UNFAIR_QUEUED);
CASE_REGISTER(uq_sleeper_2, "excludes behind a sleeping head, 2 threads", test_behind_sleeper, 2,
	      .argument = 1, UNFAIR_QUEUED);
CASE_REGISTER(uq_sleeper_4, "excludes behind a sleeping head, 4 threads", test_behind_sleeper, 4,
	      .argument = 16, UNFAIR_QUEUED);
CASE_REGISTER(uq_sleeper_15, "excludes behind a sleeping head, 15 threads", test_behind_sleeper, 15,
	      .argument = 64, UNFAIR_QUEUED);
CASE_REGISTER(uq_always, "queued waiters try at every poll", test_period, 8, .argument = 1,
	      UNFAIR_QUEUED);
CASE_REGISTER(uq_never, "queued waiters never try", test_period, 8, .argument = 1u << 30,
	      UNFAIR_QUEUED);
