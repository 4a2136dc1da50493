/* SPDX-License-Identifier: MIT */
/*
 * The pv-qspinlock protocol, step by step: who is kicked and when, when stealing is possible, when
 * a waiter halts early. A backend that wraps the halting one shows which CPU is inside pv_wait,
 * counts the kicks that each CPU gets, and can hold kicks back.
 */
#include "locks/core/pv.h"
#include "locks/core/tunables.h"
#include "locks/pv_hash.h"
#include "locks/qnode.h"
#include "port/port.h"
#include "tests/suites/locks/client.h"

static struct {
	_Atomic bool waiting; /* inside pv_wait */
	_Atomic uint32_t kicks;
} seen[CLIENT_CPUS];
static struct pv_backend real; /* the wrapped one */
static _Atomic bool hold_kicks;
static uint32_t watched; /* the CPU that the conditions below are about */

static void watching_wait(const _Atomic uint8_t *word, uint8_t value)
{
	atomic_store_explicit(&seen[port_cpu()].waiting, true, memory_order_relaxed);
	real.wait(word, value);
	atomic_store_explicit(&seen[port_cpu()].waiting, false, memory_order_relaxed);
}

static void watching_kick(uint32_t cpu)
{
	atomic_fetch_add_explicit(&seen[cpu].kicks, 1, memory_order_relaxed);
	if (!atomic_load_explicit(&hold_kicks, memory_order_relaxed))
		real.kick(cpu);
}

static uint32_t kicks_of(uint32_t cpu)
{
	return atomic_load_explicit(&seen[cpu].kicks, memory_order_relaxed);
}

static bool is_waiting(uint32_t cpu)
{
	return atomic_load_explicit(&seen[cpu].waiting, memory_order_relaxed);
}

static bool watched_waits(struct test *test)
{
	(void)test;
	return is_waiting(watched);
}

static bool is_pending(struct test *test)
{
	return (q_load(word_of(test)) & Q_PENDING_MASK) != 0;
}

static bool has_tail_of_watched(struct test *test)
{
	return q_load(word_of(test)) >> 18 == watched + 1;
}

/* Checks locked and pending byte; these cases do not care about the tail. */
static void expect_word(struct test *test, uint32_t low, const char *when)
{
	uint32_t value = q_load(word_of(test)) & 0xffff;

	if (value != low)
		fail(test, "%s: pending and locked are 0x%04x, not 0x%04x", when, value, low);
}

static void expect_kicks(struct test *test, uint32_t one, uint32_t two, const char *when)
{
	if (kicks_of(1) != one || kicks_of(2) != two)
		fail(test, "%s: CPU 1 and 2 were kicked %u and %u times, not %u and %u", when,
		     kicks_of(1), kicks_of(2), one, two);
}

static bool halts_now(struct test *test, uint32_t cpu)
{
	watched = cpu;
	if (!await(test, watched_waits, "a halted waiter"))
		return false;
	let_others_run(20); /* it sleeps now, or is about to: both are fine for a case */
	return true;
}

static void play(struct test *test, void (*conductor)(struct test *test))
{
	const struct pv_backend *own = pv_backend;
	struct pv_backend watching = *own;
	struct state initial;

	real = *own;
	watching.wait = watching_wait;
	watching.kick = watching_kick;
	pv_backend = &watching;
	for (uint32_t i = 0; i < CLIENT_CPUS; i++)
		atomic_store_explicit(&seen[i].kicks, 0, memory_order_relaxed);
	atomic_store_explicit(&hold_kicks, false, memory_order_relaxed);
	state_copy(test, &initial);
	with_actors(test, conductor);
	pv_backend = own;
	check_free(test, &initial);
}

/* Returns how many polls take at least this long here: a PAUSE takes 10 to 140 cycles, or an exit
 * under an emulator. Takes the best of a few tries, because this CPU may be descheduled in one. */
static uint32_t polls_for_ms(uint32_t milliseconds)
{
	uint64_t most = 1;

	for (int i = 0; i < 8; i++) {
		uint64_t start = port_cycles(), polls = 0;

		for (; port_cycles() - start < port_ns_to_cycles(1000000); polls++)
			port_relax();
		if (polls > most)
			most = polls;
	}
	return (uint32_t)(most * milliseconds);
}

/* Lets 0 own, 1 be the head and 2 queue behind it; 1 and 2 halt. 2 has to come while 1 still polls:
 * behind a halted head it would try to steal instead of queueing. */
static bool two_halted(struct test *test)
{
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!await(test, is_pending, "a polling head sets pending"))
		return false;
	tell(2, COMMAND_ACQUIRE);
	watched = 2;
	if (!await(test, has_tail_of_watched, "a newcomer queues behind a polling head"))
		return false;
	if (!halts_now(test, 1) || !halts_now(test, 2))
		return false;
	expect_word(test, Q_SLOW, "a halted head");
	return true;
}

static void conduct_kick_at_unlock(struct test *test)
{
	if (!two_halted(test))
		return;
	expect_kicks(test, 0, 0, "before any unlock");
	lock_release(test);
	if (!await_state(test, 1, ACTOR_OWNS))
		return;
	/* 1 has made 2 the head, hashed it and not kicked it, so 2 sleeps on */
	let_others_run(20);
	expect_kicks(test, 1, 0, "after the first unlock");
	expect_word(test, Q_SLOW, "the successor was halted when it became the head");
	if (!is_waiting(2))
		fail(test, "CPU 2 was woken before the unlock");
	if (pv_hash_used() != 1)
		fail(test, "%zu hash entries, not 1", pv_hash_used());
	tell(1, COMMAND_RELEASE);
	if (!await_state(test, 2, ACTOR_OWNS))
		return;
	expect_kicks(test, 1, 1, "after the second unlock");
	expect_word(test, Q_LOCKED, "the last waiter owns");
	tell(2, COMMAND_RELEASE);
	await_state(test, 2, ACTOR_IDLE);
}

static void test_pv_kick_at_unlock(struct test *test)
{
	lock_tunables.spin_threshold = polls_for_ms(300);
	play(test, conduct_kick_at_unlock);
}

/* The head sleeps, and its kick is on the way: a newcomer steals the lock past it. */
static void conduct_steal(struct test *test)
{
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!halts_now(test, 1))
		return;
	atomic_store_explicit(&hold_kicks, true, memory_order_relaxed);
	tell(2, COMMAND_ACQUIRE);
	await_state(test, 2, ACTOR_ACQUIRING);
	let_others_run(20);
	watched = 1;
	if (!has_tail_of_watched(test))
		fail(test, "a newcomer queues behind a halted head instead of stealing");
	lock_release(test);
	if (!await_state(test, 2, ACTOR_OWNS))
		return;
	expect_kicks(test, 1, 0, "stolen");
	expect_word(test, Q_LOCKED, "stolen");
	atomic_store_explicit(&hold_kicks, false, memory_order_relaxed);
	real.kick(1);
	let_others_run(20);
	if (actor_state(1) == ACTOR_OWNS)
		fail(test, "the head acquired the lock that the thief holds");
	tell(2, COMMAND_RELEASE);
	if (await_state(test, 1, ACTOR_OWNS))
		tell(1, COMMAND_RELEASE);
	await_state(test, 1, ACTOR_IDLE);
}

static void test_pv_steal(struct test *test)
{
	lock_tunables.spin_threshold = 16;
	play(test, conduct_steal);
	if (port_stats(2)->count[EV_LOCK_STEALS] != 1)
		fail(test, "lock_steals is %llu, not 1",
		     (unsigned long long)port_stats(2)->count[EV_LOCK_STEALS]);
	if (port_stats(2)->count[EV_QUEUE_PASSED] != 1)
		fail(test, "stolen past a queue, and queue_passed is %llu",
		     (unsigned long long)port_stats(2)->count[EV_QUEUE_PASSED]);
}

/* The head polls, with pending set: a newcomer has to queue, even at the moment of release. */
static void conduct_pending(struct test *test)
{
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!await(test, is_pending, "a polling head sets pending"))
		return;
	tell(2, COMMAND_ACQUIRE);
	watched = 2;
	if (!await(test, has_tail_of_watched, "a newcomer queues behind a polling head"))
		return;
	/* time for looks at the predecessor, which polls: no reason to halt */
	let_others_run(20);
	lock_release(test);
	if (!await_state(test, 1, ACTOR_OWNS))
		return;
	if (actor_state(2) == ACTOR_OWNS)
		fail(test, "the newcomer was faster than the head");
	tell(1, COMMAND_RELEASE);
	if (await_state(test, 2, ACTOR_OWNS))
		tell(2, COMMAND_RELEASE);
	await_state(test, 2, ACTOR_IDLE);
}

static void test_pv_no_steal_while_pending(struct test *test)
{
	lock_tunables.spin_threshold = UINT32_MAX;
	play(test, conduct_pending);
	if (event_sum(test, EV_LOCK_STEALS) != 0 || event_sum(test, EV_HALTS) != 0)
		fail(test, "%llu steals, %llu halts where there can be none",
		     (unsigned long long)event_sum(test, EV_LOCK_STEALS),
		     (unsigned long long)event_sum(test, EV_HALTS));
}

/* A free lock whose head polls: (tail, 1, 0) until the head looks. Staged with no head at all: the
 * case writes the word by hand. */
static void conduct_free_and_pending(struct test *test)
{
	union qspinlock_word *word = test->lock;
	struct qnode *second = node_of(test, 2);

	atomic_store_explicit(&word->value, qnode_encode(1, 0) | Q_PENDING, memory_order_release);
	if (lock_try(test))
		fail(test, "try_acquire passes a polling head");
	tell(2, COMMAND_ACQUIRE);
	watched = 2;
	if (await(test, has_tail_of_watched, "a newcomer queues behind a polling head") &&
	    actor_state(2) == ACTOR_OWNS)
		fail(test, "stolen from a polling head");
	/* by hand, what CPU 1 would do after its turn */
	q_set_pending(word, 0);
	atomic_store_explicit(&second->granted, 1, memory_order_release);
	if (await_state(test, 2, ACTOR_OWNS))
		tell(2, COMMAND_RELEASE);
	await_state(test, 2, ACTOR_IDLE);
}

static void test_pv_no_steal_of_free(struct test *test)
{
	lock_tunables.spin_threshold = UINT32_MAX;
	play(test, conduct_free_and_pending);
}

#define MOST_SPINS (1u << 14) /* some 100 us to 1 ms: a part of a time slice */

static bool waited_early(const struct test *test)
{
	return event_sum(test, EV_PV_WAIT_EARLY) != 0;
}

static void poll_longer(struct test *test, uint32_t round)
{
	(void)test;
	lock_tunables.spin_threshold = 2 * round < 14 ? 1u << 2 * round : MOST_SPINS;
}

/* A waiter behind a halted one halts at its first look, not after the threshold; without a look it
 * does not. Statistical: which waiter halts first cannot be staged. Waiters queue up only while a
 * head polls; where all share one CPU, only if the head is descheduled while it polls. So the head
 * polls longer in each round. */
static void test_pv_wait_early(struct test *test)
{
	static const struct race_goal early_halts = {waited_early, poll_longer, "an early halt"};
	uint64_t early;

	lock_tunables.spin_threshold = 1;
	lock_tunables.prev_check_mask = test->argument;
	if (test->argument == 0)
		race_until(test, &early_halts);
	else
		test_exclusion(test);
	early = event_sum(test, EV_PV_WAIT_EARLY);
	if (test->argument != 0 && early != 0)
		fail(test, "prev_check_mask %u: pv_wait_early is %llu", test->argument,
		     (unsigned long long)early);
	if (early > event_sum(test, EV_PV_WAIT_NODE))
		fail(test, "pv_wait_early is %llu, pv_wait_node only %llu",
		     (unsigned long long)early,
		     (unsigned long long)event_sum(test, EV_PV_WAIT_NODE));
}

static void test_pv_kicks_are_unlocks(struct test *test)
{
	uint64_t kicks, unlocks;

	lock_tunables.spin_threshold = 1;
	lock_tunables.prev_check_mask = 0;
	race_until_counted(test, EV_KICKS);
	kicks = event_sum(test, EV_KICKS);
	unlocks = event_sum(test, EV_PV_KICK_UNLOCK);
	if (kicks != unlocks)
		fail(test, "%llu kicks, but %llu unlocks found SLOW", (unsigned long long)kicks,
		     (unsigned long long)unlocks);
}

/* Linux to 4.14: a newcomer queues after one attempt, even behind a halted head. */
static void conduct_no_hybrid(struct test *test)
{
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!halts_now(test, 1))
		return;
	tell(2, COMMAND_ACQUIRE);
	watched = 2;
	if (!await(test, has_tail_of_watched, "a newcomer queues behind a halted head"))
		return;
	lock_release(test);
	if (await_state(test, 1, ACTOR_OWNS))
		tell(1, COMMAND_RELEASE);
	if (await_state(test, 2, ACTOR_OWNS))
		tell(2, COMMAND_RELEASE);
	await_state(test, 2, ACTOR_IDLE);
}

static void test_pv_no_hybrid(struct test *test)
{
	lock_tunables.spin_threshold = 16;
	set_tunable(test, "pvq_hybrid", 0);
	play(test, conduct_no_hybrid);
}

/* Linux 4.10 to 5.3: a waiter halts long before its threshold if its predecessor polls but is
 * flagged preempted. `argument`: whether the tunable is on. */
static bool first_is_preempted(uint32_t cpu)
{
	return cpu == 1;
}

static void conduct_prev_preempted(struct test *test)
{
	struct pv_backend flagging = *pv_backend;

	flagging.preempted = first_is_preempted;
	pv_backend = &flagging; /* play() puts its own back */
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!await(test, is_pending, "a polling head sets pending"))
		return;
	tell(2, COMMAND_ACQUIRE);
	if (test->argument) {
		halts_now(test, 2);
	} else {
		watched = 2;
		await(test, has_tail_of_watched, "a newcomer queues");
		let_others_run(20);
		if (is_waiting(2))
			fail(test, "halted because of a flag that it must not ask for");
	}
	lock_release(test);
	if (await_state(test, 1, ACTOR_OWNS))
		tell(1, COMMAND_RELEASE);
	if (await_state(test, 2, ACTOR_OWNS))
		tell(2, COMMAND_RELEASE);
	await_state(test, 2, ACTOR_IDLE);
}

static void test_pv_prev_preempted(struct test *test)
{
	lock_tunables.spin_threshold = UINT32_MAX;
	lock_tunables.prev_check_mask = 0;
	set_tunable(test, "pvq_prev_preempted", test->argument);
	play(test, conduct_prev_preempted);
}

#define PV_QSPINLOCK .only = "pv-qspinlock"
CASE_REGISTER(kick, "kicks at unlock", test_pv_kick_at_unlock, 3, PV_QSPINLOCK);
CASE_REGISTER(steal, "stolen past a halted head", test_pv_steal, 3, PV_QSPINLOCK);
CASE_REGISTER(pending, "no theft from a polling head", test_pv_no_steal_while_pending, 3,
	      PV_QSPINLOCK);
CASE_REGISTER(pending_free, "no theft of a free lock whose head polls", test_pv_no_steal_of_free, 3,
	      PV_QSPINLOCK);
CASE_REGISTER(no_hybrid, "one attempt to steal with pvq_hybrid off", test_pv_no_hybrid, 3,
	      PV_QSPINLOCK);
CASE_REGISTER(prev_flag, "halts early behind a preempted waiter", test_pv_prev_preempted, 3,
	      .argument = 1, PV_QSPINLOCK);
CASE_REGISTER(prev_no_flag, "asks for no flag unless told to", test_pv_prev_preempted, 3,
	      .argument = 0, PV_QSPINLOCK);
CASE_REGISTER(early, "halts early behind a halted waiter", test_pv_wait_early, 8, PV_QSPINLOCK);
CASE_REGISTER(not_early, "never halts early without a look", test_pv_wait_early, 8,
	      .argument = UINT32_MAX, PV_QSPINLOCK);
CASE_REGISTER(unlocks, "each kick is an unlock that found SLOW", test_pv_kicks_are_unlocks, 4,
	      PV_QSPINLOCK);
