/* SPDX-License-Identifier: MIT */
/* What ppc-qspinlock and s390-spinlock must both do: yield to a preempted owner and to nobody else,
 * not yield to an owner that has let go, queue in order, nest. */
#include "locks/qnode.h"
#include "port/port.h"
#include "tests/suites/locks/directed.h"

#define BOTH .only = "ppc-qspinlock,s390-spinlock"

static struct qnode *first_node(const struct test *test, uint32_t cpu)
{
	return (struct qnode *)(void *)((char *)node_of(test, cpu) + sizeof(struct owner_self));
}

/* 0 owns and is preempted; 1 and 2 wait, at the word or in the queue. */
static void conduct_owner(struct test *test)
{
	uint32_t before;

	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (test->argument == IN_QUEUE && !await_shortly(test, has_tail, 1, "CPU 1 in the queue"))
		return;
	tell(2, COMMAND_ACQUIRE);
	if (!await_actor(test, 2, ACTOR_ACQUIRING))
		return;
	let_others_run(5);
	if (yields_to_others(CLIENT_CPUS))
		fail(test, "%u yields, but nobody is preempted", yields_to_others(CLIENT_CPUS));
	flag(0, true);
	if (!await_yields(test, 1, 0, 3) || !await_yields(test, 2, 0, 3))
		return;
	flag(0, false);
	let_others_run(5);
	before = yields(1, 0) + yields(2, 0);
	let_others_run(20);
	/* each may have been about to yield once more */
	if (yields(1, 0) + yields(2, 0) > before + 2)
		fail(test, "%u yields to a running owner", yields(1, 0) + yields(2, 0) - before);
	if (yields_to_others(0))
		fail(test, "%u yields to others than the preempted owner", yields_to_others(0));
	lock_release(test);
	drain(test);
}

static void test_owner(struct test *test)
{
	let_them_wait(test, test->argument);
	directed_play(test, conduct_owner);
	if (event_sum(test, EV_YIELD_OWNER) != yields(1, 0) + yields(2, 0) ||
	    event_sum(test, EV_YIELD_PREV) + event_sum(test, EV_YIELD_HEAD) != 0)
		fail(test, "yield_owner is %llu, yield_prev %llu, yield_head %llu",
		     (unsigned long long)event_sum(test, EV_YIELD_OWNER),
		     (unsigned long long)event_sum(test, EV_YIELD_PREV),
		     (unsigned long long)event_sum(test, EV_YIELD_HEAD));
}

/* The owner is preempted when a waiter asks, for the n-th time, and has let go when it answers. */
#define ASKED(n) ((n) << 8)
static uint32_t asked;

static bool release_when_asked(struct test *test, uint32_t cpu)
{
	if (cpu == 0 && ++asked == test->argument >> 8)
		test->ops->release(test->lock, node_of(test, 0));
	return cpu == 0;
}

static void conduct_stale_owner(struct test *test)
{
	lock_acquire(test);
	asked = 0;
	directed_answer = release_when_asked;
	tell(1, COMMAND_ACQUIRE);
	await_actor(test, 1, ACTOR_OWNS);
	if (yields(1, 0))
		fail(test, "yielded to an owner that had let go");
	drain(test);
}

static void test_stale_owner(struct test *test)
{
	let_them_wait(test, test->argument & 0xff);
	directed_play(test, conduct_stale_owner);
}

static void conduct_order(struct test *test)
{
	lock_acquire(test);
	for (uint32_t i = 1; i < test->threads; i++) {
		tell(i, COMMAND_ACQUIRE);
		if (!await_shortly(test, has_tail, i, "a newcomer in the queue"))
			return;
	}
	lock_release(test);
	for (uint32_t i = 1; i < test->threads; i++) {
		if (!await_actor(test, i, ACTOR_OWNS))
			return;
		tell(i, COMMAND_RELEASE);
		if (!await_actor(test, i, ACTOR_IDLE))
			return;
	}
}

static void test_order(struct test *test)
{
	let_them_wait(test, IN_QUEUE);
	directed_play(test, conduct_order);
}

/* Contexts: a CPU whose first `argument` nodes are taken uses the next, or none. */
static void test_levels(struct test *test)
{
	uint32_t level = test->argument;
	enum lock_event event = (enum lock_event)(EV_LOCK_USE_NODE2 + level - 1);

	let_them_wait(test, IN_QUEUE);
	for (uint32_t i = 0; i < test->threads; i++)
		first_node(test, i)->count = level;
	race_until_counted(test, event);
	for (uint32_t i = 0; i < test->threads; i++)
		if (first_node(test, i)->count != level)
			fail(test, "CPU %u had %u nodes in use, now %u", i, level,
			     first_node(test, i)->count);
}

/* Interrupts: a waiter is interrupted when it asks whether somebody is preempted. The handler
 * acquires another lock of the kind, and may in turn be interrupted in that wait. */
#define HANDLERS 2
static struct {
	void *lock;
	uint64_t sections; /* guarded by `lock` */
	_Atomic uint64_t expected;
} handler[HANDLERS];
static uint32_t depth[CLIENT_CPUS]; /* each its CPU's own */

static bool interrupt(struct test *test, uint32_t cpu)
{
	uint32_t *level = &depth[port_cpu()], h = *level;

	(void)cpu;
	if (h >= HANDLERS)
		return false;
	(*level)++;
	test->ops->acquire(handler[h].lock, node_of(test, port_cpu()));
	handler[h].sections++;
	/* long enough to be waited for: under an emulator another CPU runs at a PAUSE */
	for (int i = 0; i < 8; i++)
		port_relax();
	test->ops->release(handler[h].lock, node_of(test, port_cpu()));
	atomic_fetch_add_explicit(&handler[h].expected, 1, memory_order_relaxed);
	(*level)--;
	return false;
}

static void run_interrupted(struct test *test)
{
	directed_answer = interrupt;
	race_until_counted(test, EV_LOCK_USE_NODE2);
}

static void test_interrupts(struct test *test)
{
	struct lock_env env = {
		.cpus = CLIENT_CPUS, .nodes = test->nodes, .node_stride = test->stride};

	let_them_wait(test, IN_QUEUE);
	if (!is_ppc(test))
		set_tunable(test, "s390_spin_retry", 1); /* asks most often */
	for (uint32_t h = 0; h < HANDLERS; h++) {
		handler[h].lock = port_alloc(test->ops->state_size, CACHE_LINE);
		handler[h].sections = 0;
		atomic_store_explicit(&handler[h].expected, 0, memory_order_relaxed);
		test->ops->init(handler[h].lock, &env);
	}
	directed_run(test, run_interrupted);
	for (uint32_t h = 0; h < HANDLERS; h++) {
		uint64_t expected =
			atomic_load_explicit(&handler[h].expected, memory_order_relaxed);

		if (handler[h].sections != expected || owner_load(handler[h].lock) != 0)
			fail(test, "handler %u: %llu sections counted, %llu made; word 0x%08x", h,
			     (unsigned long long)handler[h].sections, (unsigned long long)expected,
			     owner_load(handler[h].lock));
	}
	for (uint32_t i = 0; i < test->threads; i++)
		if (first_node(test, i)->count)
			fail(test, "CPU %u: %u nodes still in use", i, first_node(test, i)->count);
}

CASE_REGISTER(owner_word, "yields to the preempted owner, polling", test_owner, 3,
	      .argument = AT_WORD, BOTH);
CASE_REGISTER(owner_queue, "yields to the preempted owner, queued", test_owner, 3,
	      .argument = IN_QUEUE, BOTH);
CASE_REGISTER(stale_word, "no yield to an owner that let go, polling", test_stale_owner, 2,
	      .argument = AT_WORD | ASKED(1), BOTH);
CASE_REGISTER(stale_queue, "no yield to an owner that let go, queued", test_stale_owner, 2,
	      .argument = IN_QUEUE | ASKED(1), BOTH);
/* ppc-qspinlock asks a second time, after it has marked the word sleepy */
CASE_REGISTER(stale_sleepy, "no yield to a sleepy owner that let go, polling", test_stale_owner, 2,
	      .argument = AT_WORD | ASKED(2), .only = "ppc-qspinlock");
CASE_REGISTER(stale_sleepy_queue, "no yield to a sleepy owner that let go, queued",
	      test_stale_owner, 2, .argument = IN_QUEUE | ASKED(2), .only = "ppc-qspinlock");
CASE_REGISTER(queue_order, "the queue is served in order", test_order, 6, BOTH);
CASE_REGISTER(levels_1, "waits at the second nesting level", test_levels, 4, .argument = 1, BOTH);
CASE_REGISTER(levels_2, "waits at the third nesting level", test_levels, 4, .argument = 2, BOTH);
CASE_REGISTER(levels_3, "waits at the fourth nesting level", test_levels, 4, .argument = 3, BOTH);
CASE_REGISTER(levels_4, "waits with no node left", test_levels, 4, .argument = 4, BOTH);
CASE_REGISTER(nested_waits_4, "excludes in interrupted waits, 4 threads", test_interrupts, 4, BOTH);
CASE_REGISTER(nested_waits_16, "excludes in interrupted waits, 16 threads", test_interrupts, 16,
	      BOTH);
