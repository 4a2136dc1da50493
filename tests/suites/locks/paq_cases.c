/* SPDX-License-Identifier: MIT */
/*
 * What paq does about waiters that do not run, step by step, and all of it at once in a race. A
 * backend that wraps the port's shows who is inside pv_wait, counts kicks, and flags the CPUs that
 * a case has marked. CPU 0 owns the byte at first, 1 is the front of the queue, 2 is behind it, and
 * so on.
 */
#include "locks/core/pv.h"
#include "locks/paq.h"
#include "port/port.h"
#include "tests/suites/locks/client.h"

#define LONG_US UINT32_MAX /* longer than any case: nobody halts */
#define ALL     ((1u << PAQ_NODES) - 1)

static struct {
	_Atomic bool halted, flagged;
	_Atomic uint32_t kicks;  /* by the lock */
	_Atomic uint32_t strays; /* by a case */
} seen[CLIENT_CPUS];
static struct pv_backend real; /* the wrapped one */
static uint32_t watched;       /* the CPU that the conditions below are about */

static uint32_t kicks(uint32_t cpu)
{
	return atomic_load_explicit(&seen[cpu].kicks, memory_order_relaxed);
}

static uint32_t strays(uint32_t cpu)
{
	return atomic_load_explicit(&seen[cpu].strays, memory_order_relaxed);
}

/* Returns when the word has changed or for a kick of this case. Kicks that an earlier case left
 * would end the halt before the conductor sees it. */
static void staged_wait(const _Atomic uint8_t *word, uint8_t value)
{
	uint32_t cpu = port_cpu(), kicked = kicks(cpu) + strays(cpu);

	/* release: the conductor may change tunables when it has seen this */
	atomic_store_explicit(&seen[cpu].halted, true, memory_order_release);
	do
		real.wait(word, value);
	while (atomic_load_explicit(word, memory_order_acquire) == value &&
	       kicks(cpu) + strays(cpu) == kicked);
	atomic_store_explicit(&seen[cpu].halted, false, memory_order_relaxed);
}

static void staged_kick(uint32_t cpu)
{
	atomic_fetch_add_explicit(&seen[cpu].kicks, 1, memory_order_relaxed);
	real.kick(cpu);
}

static bool staged_preempted(uint32_t cpu)
{
	return atomic_load_explicit(&seen[cpu].flagged, memory_order_relaxed);
}

static void flag(uint32_t cpu, bool preempted)
{
	atomic_store_explicit(&seen[cpu].flagged, preempted, memory_order_relaxed);
}

static void kick_astray(uint32_t cpu)
{
	atomic_fetch_add_explicit(&seen[cpu].strays, 1, memory_order_relaxed);
	real.kick(cpu);
}

/* Runs `conductor` with actors over this backend; then the lock must be free and as it was. */
static void play(struct test *test, void (*conductor)(struct test *test))
{
	const struct pv_backend *own = pv_backend;
	struct pv_backend staged = *own;
	struct state initial;

	real = *own;
	staged.wait = staged_wait;
	staged.kick = staged_kick;
	staged.preempted = staged_preempted;
	for (uint32_t i = 0; i < CLIENT_CPUS; i++) {
		flag(i, false);
		atomic_store_explicit(&seen[i].halted, false, memory_order_relaxed);
		atomic_store_explicit(&seen[i].kicks, 0, memory_order_relaxed);
		atomic_store_explicit(&seen[i].strays, 0, memory_order_relaxed);
	}
	pv_backend = &staged;
	state_copy(test, &initial);
	with_actors(test, conductor);
	pv_backend = own;
	check_free(test, &initial);
}

static struct paq_cpu *cpu_of(struct test *test, uint32_t cpu)
{
	return node_of(test, cpu);
}

/* The tail, and linked unless it is the front: the link comes after the tail. */
static bool is_last(struct test *test)
{
	const struct paq_lock *lock = test->lock;
	uint32_t id = watched * PAQ_NODES + 1;

	if (atomic_load_explicit(&lock->tail, memory_order_acquire) != id)
		return false;
	for (uint32_t i = 1; i < test->threads; i++)
		if (atomic_load_explicit(&cpu_of(test, i)->node[0].next, memory_order_acquire) ==
		    id)
			return true;
	return watched == 1;
}

static bool is_halted(struct test *test)
{
	(void)test;
	return atomic_load_explicit(&seen[watched].halted, memory_order_acquire);
}

static bool is_waiting(struct test *test)
{
	return atomic_load_explicit(&cpu_of(test, watched)->node[0].state, memory_order_acquire) ==
	       PAQ_WAITING;
}

static bool await_last(struct test *test, uint32_t cpu)
{
	watched = cpu;
	return await(test, is_last, "a newcomer in the queue");
}

static bool await_halt(struct test *test, uint32_t cpu)
{
	watched = cpu;
	return await(test, is_halted, "a halted waiter");
}

static bool await_waiting(struct test *test, uint32_t cpu)
{
	watched = cpu;
	return await(test, is_waiting, "a sleeper back in the queue");
}

/* Lets CPU 0 acquire, then 1..waiters queue in this order, each when the previous one has. */
static bool line_up(struct test *test, uint32_t waiters)
{
	lock_acquire(test);
	for (uint32_t i = 1; i <= waiters; i++) {
		tell(i, COMMAND_ACQUIRE);
		if (!await_last(test, i))
			return false;
	}
	return true;
}

/* Expects the next owners in this order, as "132"; each releases when it has been seen. */
static void expect_order(struct test *test, const char *order)
{
	for (; *order; order++) {
		uint32_t cpu = (uint32_t)(*order - '0');

		if (!await_state(test, cpu, ACTOR_OWNS))
			return;
		tell(cpu, COMMAND_RELEASE);
		if (!await_state(test, cpu, ACTOR_IDLE))
			return;
	}
}

static void expect(struct test *test, enum lock_event event, uint64_t wanted)
{
	uint64_t got = event_sum(test, event);

	if (got != wanted)
		fail(test, "%s is %llu, not %llu", lock_event_names[event], (unsigned long long)got,
		     (unsigned long long)wanted);
}

/* 2 is flagged when 1 hands on, and joins again behind 3; not if paq_skip is 0 (`argument`). */
static void conduct_skip(struct test *test)
{
	if (!line_up(test, 3))
		return;
	flag(2, true);
	lock_release(test);
	if (!await_state(test, 1, ACTOR_OWNS))
		return;
	tell(1, COMMAND_RELEASE);
	if (test->argument) {
		expect_order(test, "23");
		return;
	}
	if (!await_state(test, 3, ACTOR_OWNS) || !await_last(test, 2))
		return;
	flag(2, false);
	expect_order(test, "32");
}

static void test_skip(struct test *test)
{
	set_tunable(test, "paq_spin_us", LONG_US);
	set_tunable(test, "paq_skip", !test->argument);
	play(test, conduct_skip);
	expect(test, EV_WAITER_SKIPPED, !test->argument);
}

/* Nobody in the queue runs: the byte is freed, and whoever comes back takes it. */
static void conduct_skip_all(struct test *test)
{
	if (!line_up(test, 3))
		return;
	flag(2, true);
	flag(3, true);
	lock_release(test);
	if (!await_state(test, 1, ACTOR_OWNS))
		return;
	tell(1, COMMAND_RELEASE);
	if (!await_state(test, 1, ACTOR_IDLE))
		return;
	for (uint32_t left = 2; left > 0 && !test->failed; left--) {
		uint32_t owner = soon_owner(test);

		if (!await_state(test, owner, ACTOR_OWNS))
			return;
		tell(owner, COMMAND_RELEASE);
		if (!await_state(test, owner, ACTOR_IDLE))
			return;
	}
}

static void test_skip_all(struct test *test)
{
	set_tunable(test, "paq_spin_us", LONG_US);
	play(test, conduct_skip_all);
}

/* Lets 1 own the lock with `queued` others behind it, then `sleeper` sleep behind them. */
static bool lay_down(struct test *test, uint32_t queued, uint32_t sleeper)
{
	if (!line_up(test, 1 + queued))
		return false;
	lock_release(test);
	if (!await_state(test, 1, ACTOR_OWNS))
		return false;
	set_tunable(test, "paq_spin_us", 0);
	tell(sleeper, COMMAND_ACQUIRE);
	if (!await_halt(test, sleeper))
		return false;
	set_tunable(test, "paq_spin_us", LONG_US);
	return true;
}

/* 2 sleeps in the queue. With `argument` it wakes in time and has its old place; else 1 hands on
 * to 3, and the last release wakes 2. */
static void conduct_sleeper(struct test *test)
{
	if (!lay_down(test, 0, 2))
		return;
	tell(3, COMMAND_ACQUIRE);
	if (!await_last(test, 3))
		return;
	if (test->argument) {
		kick_astray(2);
		if (!await_waiting(test, 2))
			return;
	}
	expect_order(test, test->argument ? "123" : "132");
	if (kicks(2) != !test->argument)
		fail(test, "CPU 2 was kicked %u times", kicks(2));
}

static void test_sleeper(struct test *test)
{
	set_tunable(test, "paq_spin_us", LONG_US);
	play(test, conduct_sleeper);
	expect(test, EV_WAITER_SKIPPED, !test->argument);
}

/* 2 queues and 3 sleeps. 1 ends its turn: it hands the lock to 2, wakes 3, and has to halt when it
 * comes next, though it could queue. */
static void conduct_turn(struct test *test)
{
	if (!lay_down(test, 1, 3))
		return;
	tell(1, COMMAND_RELEASE);
	if (!await_state(test, 2, ACTOR_OWNS) || !await_state(test, 1, ACTOR_IDLE) ||
	    !await_waiting(test, 3))
		return;
	if (kicks(3) != 1)
		fail(test, "CPU 3 was kicked %u times", kicks(3));
	real.kick(1); /* as an earlier case may have left one */
	tell(1, COMMAND_ACQUIRE);
	if (!await_halt(test, 1))
		return;
	set_tunable(test, "paq_turns", 0);
	expect_order(test, "231");
}

static void test_turn(struct test *test)
{
	set_tunable(test, "paq_spin_us", LONG_US);
	set_tunable(test, "paq_turns", 1);
	play(test, conduct_turn);
}

/* A CPU that has no node left polls the byte. */
static void test_no_node(struct test *test)
{
	for (uint32_t i = 0; i < test->threads; i++)
		cpu_of(test, i)->used = ALL;
	race_until_counted(test, EV_LOCK_NO_NODE);
	for (uint32_t i = 0; i < test->threads; i++) {
		if (cpu_of(test, i)->used != ALL)
			fail(test, "CPU %u had all nodes in use, now 0x%x", i,
			     cpu_of(test, i)->used);
	}
}

/* Flags lie, everybody halts soon, turns are short; until each mechanism has been seen: where
 * nobody can halt, the first alone. */
static const enum lock_event mechanisms[] = {EV_WAITER_SKIPPED, EV_TAKEN_SLOW,
					     EV_RELEASED_SLOW_KICKED};

static bool all_seen(const struct test *test)
{
	size_t count = pv_backend->halts ? sizeof(mechanisms) / sizeof(mechanisms[0]) : 1;

	for (size_t i = 0; i < count; i++)
		if (event_sum(test, mechanisms[i]) == 0)
			return false;
	return true;
}

static void test_all_mechanisms(struct test *test)
{
	static const struct race_goal all = {all_seen, NULL, "one of the mechanisms"};

	set_tunable(test, "paq_spin_us", test->argument);
	set_tunable(test, "paq_turns", 1);
	race_until(test, &all);
}

#define PAQ .only = "paq"
CASE_REGISTER(skip, "hands over past a preempted waiter", test_skip, 4, PAQ);
CASE_REGISTER(skip_off, "hands over to a preempted waiter with paq_skip=0", test_skip, 4,
	      .argument = 1, PAQ);
CASE_REGISTER(skip_all, "frees the byte if no waiter runs", test_skip_all, 4, PAQ);
CASE_REGISTER(sleeper, "passes over a sleeper, and wakes it in the end", test_sleeper, 4, PAQ);
CASE_REGISTER(sleeper_back, "a sleeper that wakes in time has its place", test_sleeper, 4,
	      .argument = 1, PAQ);
CASE_REGISTER(turn, "the end of a turn wakes a sleeper in exchange", test_turn, 4, PAQ);
CASE_REGISTER(paq_no_node, "waits with no node left", test_no_node, 4, PAQ);
CASE_REGISTER(lies_4, "excludes, every mechanism and wrong flags, 4 threads", test_all_mechanisms,
	      4, .argument = 0, PAQ, .backend = BACKEND_LYING);
CASE_REGISTER(lies_8, "excludes, every mechanism and wrong flags, 8 threads", test_all_mechanisms,
	      8, .argument = 1, PAQ, .backend = BACKEND_LYING);
