/* SPDX-License-Identifier: MIT */
/* The ppc-qspinlock protocol: who may steal and when, the sleepy bit and its way down the queue,
 * yields to the predecessor. */
#include "locks/ppc-qspinlock.h"
#include "port/port.h"
#include "tests/suites/locks/directed.h"

#define PPC         .only = "ppc-qspinlock"
#define OWNED_BY(c) (PPC_LOCKED | (uint32_t)(c) << PPC_OWNER_SHIFT)
#define TAIL_IS(c)  (((uint32_t)(c) + 1) << PPC_TAIL_SHIFT)
#define MANY_POLLS  1000000000u
#define SETTLING_MS 20

static struct ppc_node *waiter(const struct test *test, uint32_t cpu, uint32_t level)
{
	return &((struct ppc_pool *)node_of(test, cpu))->node[level];
}

/* Whether all of `bits` are set in the word. */
static bool has_bits(struct test *test, uint32_t bits)
{
	return (owner_load(owner_word_of(test)) & bits) == bits;
}

static bool is_told(struct test *test, uint32_t cpu)
{
	return atomic_load_explicit(&waiter(test, cpu, 0)->sleepy, memory_order_relaxed);
}

static bool is_not_told(struct test *test, uint32_t cpu)
{
	return !is_told(test, cpu);
}

/* Lets 0 own, 1 be the head, 2 stand behind it. */
static bool two_queued(struct test *test)
{
	lock_acquire(test);
	for (uint32_t i = 1; i <= 2; i++) {
		tell(i, COMMAND_ACQUIRE);
		if (!await_shortly(test, has_tail, i, "a newcomer in the queue"))
			return false;
	}
	return true;
}

/* A lock with a queue but without its head, staged by hand: as CPU 1 would leave it if it were
 * preempted before it polls the word. */
static void conduct_steal(struct test *test)
{
	owner_word_write(test, TAIL_IS(1));
	tell(2, COMMAND_ACQUIRE);
	if (!await_actor(test, 2, ACTOR_OWNS))
		return;
	expect_owner_word(test, TAIL_IS(1) | OWNED_BY(2), "stolen");
	tell(2, COMMAND_RELEASE);
	await_actor(test, 2, ACTOR_IDLE);
	expect_owner_word(test, TAIL_IS(1), "a thief's release");
	if (!lock_try(test))
		fail(test, "try_acquire does not pass a queue");
	expect_owner_word(test, TAIL_IS(1) | OWNED_BY(0), "tried");
	lock_release(test);
	owner_word_write(test, 0);
}

static void test_steal(struct test *test)
{
	directed_play(test, conduct_steal);
	if (port_stats(2)->count[EV_LOCK_STEALS] != 1)
		fail(test, "lock_steals is %llu, not 1",
		     (unsigned long long)port_stats(2)->count[EV_LOCK_STEALS]);
}

/* The same, but CPU 1 has forbidden it. */
static void conduct_no_steal(struct test *test)
{
	struct ppc_node *first = waiter(test, 1, 0);

	atomic_store_explicit(&first->lock, test->lock, memory_order_relaxed);
	owner_word_write(test, TAIL_IS(1) | PPC_MUST_QUEUE);
	if (lock_try(test))
		fail(test, "try_acquire passes a head that forbids it");
	tell(2, COMMAND_ACQUIRE);
	if (!await_shortly(test, has_tail, 2, "a newcomer queues behind must-queue"))
		return;
	let_others_run(SETTLING_MS);
	if (actor_state(2) == ACTOR_OWNS)
		fail(test, "stolen from a head that forbids it");
	/* by hand, what CPU 1 would do after its turn */
	if (qnode_next(&first->base) != &waiter(test, 2, 0)->base)
		fail(test, "CPU 2 is not linked behind CPU 1");
	atomic_store_explicit(&first->base.next, NULL, memory_order_relaxed);
	atomic_store_explicit(&first->lock, NULL, memory_order_relaxed);
	owner_word_write(test, TAIL_IS(2));
	atomic_store_explicit(&waiter(test, 2, 0)->base.granted, 1, memory_order_release);
	drain(test);
}

static void test_no_steal(struct test *test)
{
	set_tunable(test, "steal", MANY_POLLS);
	directed_play(test, conduct_no_steal);
}

/* The head forbids theft after ppc_head_spins polls, and permits it again by taking the lock. */
static void conduct_must_queue(struct test *test)
{
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!await_shortly(test, has_bits, PPC_MUST_QUEUE | TAIL_IS(1), "must-queue"))
		return;
	expect_owner_word(test, PPC_MUST_QUEUE | TAIL_IS(1) | OWNED_BY(0),
			  "a head out of patience");
	lock_release(test);
	if (!await_actor(test, 1, ACTOR_OWNS))
		return;
	expect_owner_word(test, OWNED_BY(1), "the head's turn");
	drain(test);
}

static void test_must_queue(struct test *test)
{
	set_tunable(test, "steal", 1);
	directed_play(test, conduct_must_queue);
	if (port_stats(1)->count[EV_MUST_QUEUE] != 1 || port_stats(1)->count[EV_LOCK_STEALS] != 0)
		fail(test, "must_queue is %llu, lock_steals %llu",
		     (unsigned long long)port_stats(1)->count[EV_MUST_QUEUE],
		     (unsigned long long)port_stats(1)->count[EV_LOCK_STEALS]);
}

/* A thief gives up after `steal` polls, but not if the owner is preempted. Then it marks the word
 * sleepy, and the owner's release clears that. */
static void conduct_sleepy(struct test *test)
{
	lock_acquire(test);
	flag(0, test->argument);
	tell(1, COMMAND_ACQUIRE);
	if (!test->argument) {
		if (!await_shortly(test, has_tail, 1, "a thief gives up"))
			return;
		expect_owner_word(test, TAIL_IS(1) | OWNED_BY(0), "a running owner");
	} else {
		if (!await_yields(test, 1, 0, 10))
			return;
		expect_owner_word(test, PPC_SLEEPY | OWNED_BY(0), "a preempted owner");
	}
	lock_release(test);
	if (!await_actor(test, 1, ACTOR_OWNS))
		return;
	expect_owner_word(test, OWNED_BY(1), "the next owner");
	drain(test);
}

static void test_sleepy(struct test *test)
{
	set_tunable(test, "steal", 2);
	set_tunable(test, "ppc_remote_steal", 2);
	set_tunable(test, "ppc_head_spins", UINT32_MAX);
	set_tunable(test, "ppc_sleepy_factor", MANY_POLLS);
	directed_play(test, conduct_sleepy);
}

/* On a sleepy lock the head is more patient, too. */
static void conduct_patient(struct test *test)
{
	lock_acquire(test);
	flag(0, true);
	tell(1, COMMAND_ACQUIRE);
	if (!await_yields(test, 1, 0, 10))
		return;
	expect_owner_word(test, TAIL_IS(1) | PPC_SLEEPY | OWNED_BY(0), "a patient head");
	lock_release(test);
	drain(test);
}

static void test_patient(struct test *test)
{
	set_tunable(test, "steal", 0);
	set_tunable(test, "ppc_head_spins", 4);
	set_tunable(test, "ppc_sleepy_factor", MANY_POLLS);
	directed_play(test, conduct_patient);
}

/* The head tells the next waiter that the owner is preempted; each waiter finds out by itself that
 * the owner runs again. */
static void conduct_told(struct test *test)
{
	if (!two_queued(test))
		return;
	flag(0, true);
	if (!await_shortly(test, is_told, 2, "a waiter that is told that the owner is preempted") ||
	    !await_yields(test, 2, 0, 3))
		return;
	flag(0, false);
	await_shortly(test, is_not_told, 2, "a waiter that finds out that the owner runs");
	lock_release(test);
	drain(test);
}

static void test_told(struct test *test)
{
	let_them_wait(test, IN_QUEUE);
	directed_play(test, conduct_told);
}

/* The head is preempted, so it cannot tell the next waiter anything. The next waiter yields to the
 * head, and to the owner once that is preempted, too. */
static void conduct_previous(struct test *test)
{
	if (!two_queued(test))
		return;
	flag(1, true);
	if (!await_yields(test, 2, 1, 3))
		return;
	if (yields_to_others(1))
		fail(test, "%u yields to others than the predecessor", yields_to_others(1));
	flag(0, true);
	if (await_yields(test, 2, 0, 3) && yields(1, 1) != 0)
		fail(test, "CPU 1 yields to itself");
	flag(0, false);
	flag(1, false); /* 1 is about to be the owner */
	lock_release(test);
	drain(test);
}

static void test_previous(struct test *test)
{
	let_them_wait(test, IN_QUEUE);
	directed_play(test, conduct_previous);
	if (port_stats(2)->count[EV_YIELD_PREV] != yields(2, 1))
		fail(test, "yield_prev is %llu, but there were %u yields",
		     (unsigned long long)port_stats(2)->count[EV_YIELD_PREV], yields(2, 1));
}

/* While 2 asks about its predecessor, that one's turn comes: 2 need not wait for it any more. */
static uint32_t asked;

static bool promote_when_asked(struct test *test, uint32_t cpu)
{
	if (cpu != 1 || port_cpu() != 2 || ++asked > 2)
		return false;
	if (asked == 2) {
		test->ops->release(test->lock, node_of(test, 0));
		while (!atomic_load_explicit(&waiter(test, 2, 0)->base.granted,
					     memory_order_acquire))
			port_relax();
	}
	return true;
}

static void conduct_stale_previous(struct test *test)
{
	asked = 0;
	directed_answer = promote_when_asked;
	if (!two_queued(test))
		return;
	if (!await_actor(test, 1, ACTOR_OWNS))
		return;
	let_others_run(SETTLING_MS);
	if (yields_to_others(CLIENT_CPUS))
		fail(test, "yielded to a predecessor that had left the queue");
	drain(test);
}

static void test_stale_previous(struct test *test)
{
	let_them_wait(test, IN_QUEUE);
	directed_play(test, conduct_stale_previous);
}

/* A node that is not in use names no lock; otherwise a later search could find it. */
static void test_nodes_forget(struct test *test)
{
	let_them_wait(test, IN_QUEUE);
	test_exclusion(test);
	for (uint32_t i = 0; i < test->threads; i++)
		for (uint32_t level = 0; level < Q_NODES; level++)
			if (atomic_load_explicit(&waiter(test, i, level)->lock,
						 memory_order_relaxed))
				fail(test, "CPU %u, node %u: not in use, but names a lock", i,
				     level);
}

CASE_REGISTER(ppc_steal, "stolen past a queue", test_steal, 3, PPC);
CASE_REGISTER(ppc_no_steal, "must-queue stops thieves", test_no_steal, 3, PPC);
CASE_REGISTER(ppc_must_queue, "the head sets must-queue", test_must_queue, 2, PPC);
CASE_REGISTER(ppc_awake, "a thief gives up if the owner runs", test_sleepy, 2, .argument = false,
	      PPC);
CASE_REGISTER(ppc_sleepy, "a thief waits for a preempted owner", test_sleepy, 2, .argument = true,
	      PPC);
CASE_REGISTER(ppc_patient, "the head waits longer for a preempted owner", test_patient, 2, PPC);
CASE_REGISTER(ppc_told, "sleepy is passed down the queue, awake is not", test_told, 3, PPC);
CASE_REGISTER(ppc_previous, "yields to the predecessor", test_previous, 3, PPC);
CASE_REGISTER(ppc_stale_previous, "no yield to a predecessor that is served", test_stale_previous,
	      3, PPC);
CASE_REGISTER(ppc_forget, "nodes forget their lock", test_nodes_forget, 4, PPC);
