/* SPDX-License-Identifier: MIT */
/* How paq halts, wakes and lets pass: step by step, and all mechanisms at once in a race. */
#include "locks/core/pv.h"
#include "tests/suites/locks/paq_stage.h"

#define PLENTY UINT32_MAX

static void halting(struct test *test, uint32_t head_spins, uint32_t deep)
{
	set_tunable(test, "steal", 0);
	set_tunable(test, "paq_poll_mask", 0);
	set_tunable(test, "paq_halt", 2);
	set_tunable(test, "paq_head_spins", head_spins);
	set_tunable(test, "paq_deep", deep);
	set_tunable(test, "paq_kick_ahead", 0);
}

static void expect_kicks(struct test *test, uint32_t one, uint32_t two, const char *when)
{
	if (paq_kicks(1) != one || paq_kicks(2) != two)
		fail(test, "%s: CPU 1 and 2 were kicked %u and %u times, not %u and %u", when,
		     paq_kicks(1), paq_kicks(2), one, two);
}

static void expect_locked(struct test *test, uint64_t locked, const char *when)
{
	if (paq_locked(paq_value(test)) != locked)
		fail(test, "%s: %s", when, lock_text(test));
}

/* The head halts; 2 usurps it and halts, too. The unlocker has to kick 2, and later 1, when that
 * has become the head again. */
static void conduct_halted_heads(struct test *test)
{
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!paq_await_halt(test, 1))
		return;
	expect_locked(test, PAQ_SLOW, "a halted head");
	tell(2, COMMAND_ACQUIRE);
	if (!paq_await_head(test, 2) || !paq_await_halt(test, 2))
		return;
	expect_kicks(test, 0, 0, "before any unlock");
	lock_release(test);
	if (!await_state(test, 2, ACTOR_OWNS))
		return;
	let_others_run(20);
	expect_kicks(test, 0, 1, "after the first unlock");
	expect_locked(test, PAQ_SLOW, "the successor was halted when it became the head");
	tell(2, COMMAND_RELEASE);
	paq_expect_order(test, "1");
	expect_kicks(test, 1, 1, "after the second unlock");
}

static void test_halted_heads(struct test *test)
{
	halting(test, 16, PLENTY);
	paq_play(test, conduct_halted_heads);
	paq_expect(test, EV_HEAD_USURPED, 1);
	paq_expect(test, EV_PV_KICK_UNLOCK, 2);
}

/* A waiter that halts before it is the head is promoted asleep and kicked at the next unlock. */
static void conduct_halted_waiter(struct test *test)
{
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!paq_await_tail(test, 1))
		return;
	tell(2, COMMAND_ACQUIRE);
	if (!paq_await_halt(test, 2))
		return;
	expect_locked(test, PAQ_HELD, "a polling head");
	lock_release(test);
	if (!await_state(test, 1, ACTOR_OWNS))
		return;
	let_others_run(20);
	expect_kicks(test, 0, 0, "promoted, but not yet its turn");
	expect_locked(test, PAQ_SLOW, "the head is asleep");
	if (!paq_halted(2))
		fail(test, "CPU 2 was woken before the unlock");
	tell(1, COMMAND_RELEASE);
	paq_expect_order(test, "2");
	expect_kicks(test, 0, 1, "after the unlock");
}

static void test_halted_waiter(struct test *test)
{
	halting(test, PLENTY, 16);
	paq_play(test, conduct_halted_waiter);
	paq_expect(test, EV_PV_WAIT_HEAD, 0);
}

/* Four sleep, in order. An unlock that finds SLOW kicks the head and paq_kick_ahead waiters behind
 * it. */
static void conduct_kick_ahead(struct test *test)
{
	lock_acquire(test);
	for (uint32_t i = 1; i <= 4; i++) {
		tell(i, COMMAND_ACQUIRE);
		if (!paq_await_halt(test, i))
			return;
	}
	paq_hold_kicks(true);
	lock_release(test);
	for (uint32_t i = 1; i <= 4; i++)
		if (paq_kicks(i) != (i <= 1 + test->argument))
			fail(test, "CPU %u was kicked %u times", i, paq_kicks(i));
	paq_hold_kicks(false);
	for (uint32_t i = 1; i <= 4; i++)
		paq_real_kick(i);
	paq_expect_order(test, "1234");
}

static void test_kick_ahead(struct test *test)
{
	halting(test, 16, 16);
	set_tunable(test, "paq_m2a", 0);
	set_tunable(test, "paq_m2b", 0);
	set_tunable(test, "paq_kick_ahead", test->argument);
	paq_play(test, conduct_kick_ahead);
}

static bool head_is_yielded_to(struct test *test)
{
	(void)test;
	return paq_yields(1) != 0;
}

/* The lock is free; its head sleeps, and its kick is on the way. A newcomer takes the lock
 * (argument 0), or must not, because m1 is off (1) or the head has forbidden it (2). Then it is
 * second, and yields to the head, because paq_max_skips=0 keeps it from usurping. */
static void conduct_pass(struct test *test)
{
	uint64_t value;

	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!paq_await_halt(test, 1))
		return;
	value = paq_value(test);
	while (test->argument == 2 && !paq_cas(paq_word_of(test), &value, value | PAQ_MUSTQ))
		;
	paq_hold_kicks(true);
	lock_release(test);
	tell(2, COMMAND_ACQUIRE);
	if (test->argument == 0) {
		if (!await_state(test, 2, ACTOR_OWNS))
			return;
		if (paq_owner(paq_value(test)) != paq_id(2, 0) ||
		    paq_head(paq_value(test)) != paq_id(1, 0))
			fail(test, "stolen past CPU 1 by CPU 2, but: %s", lock_text(test));
		paq_hold_kicks(false);
		paq_real_kick(1);
		paq_expect_order(test, "21");
		return;
	}
	if (!paq_await_tail(test, 2))
		return;
	await(test, head_is_yielded_to, "a yield to the head");
	if (actor_state(2) == ACTOR_OWNS)
		fail(test, "stolen from a head that did not allow it");
	paq_hold_kicks(false);
	paq_real_kick(1);
	paq_expect_order(test, "12");
}

static void test_pass(struct test *test)
{
	halting(test, 16, PLENTY);
	set_tunable(test, "steal", 1000);
	set_tunable(test, "paq_m1", test->argument != 1);
	set_tunable(test, "paq_max_skips", 0);
	paq_play(test, conduct_pass);
	paq_expect(test, EV_LOCK_STEALS, test->argument == 0);
	if (test->argument == 0)
		return;
	if (event_sum(test, EV_YIELD_HEAD) == 0)
		fail(test, "yield_head is 0");
}

/* A head that sees the lock go to others again and again forbids that; then a newcomer queues,
 * although the head seems inactive. The case plays the others by writing owners into the word. */
static void set_owner(struct test *test, uint32_t cpu)
{
	uint64_t value = paq_value(test);

	while (!paq_cas(paq_word_of(test), &value,
			(paq_freed(value) | PAQ_HELD) | (uint64_t)paq_id(cpu, 0)
								<< PAQ_OWNER_SHIFT))
		;
	let_others_run(5);
}

static bool must_queue(struct test *test)
{
	return (paq_value(test) & PAQ_MUSTQ) != 0;
}

static void conduct_must_queue(struct test *test)
{
	uint32_t owners = 0;

	if (!paq_line_up(test, 1))
		return;
	let_others_run(5);
	/* the head misses some of them while it does not run */
	while (!must_queue(test) && owners < 1000)
		set_owner(test, 4 + owners++ % 4);
	if (owners < 3 || owners == 1000)
		fail(test, "stealing is forbidden after %u races lost, not 3", owners);
	set_owner(test, 0);
	paq_mark(1, true);
	tell(2, COMMAND_ACQUIRE);
	if (!paq_await_tail(test, 2))
		return;
	lock_release(test);
	if (!await_state(test, 1, ACTOR_OWNS))
		return;
	if (must_queue(test))
		fail(test, "the head that forbade stealing owns the lock: %s", lock_text(test));
	paq_expect_order(test, "12");
}

static void test_must_queue(struct test *test)
{
	set_tunable(test, "paq_halt", 0);
	set_tunable(test, "paq_m2a", 0);
	set_tunable(test, "paq_m2b", 0);
	set_tunable(test, "steal", 1000);
	set_tunable(test, "paq_bypass_max", 3);
	paq_play(test, conduct_must_queue);
	paq_expect(test, EV_MUST_QUEUE, 1);
	paq_expect(test, EV_LOCK_STEALS, 0);
}

/* A CPU whose first `argument` levels are taken uses the next, or none. */
static void test_paq_nesting(struct test *test)
{
	uint32_t level = test->argument;

	set_tunable(test, "steal", 1);
	for (uint32_t i = 0; i < test->threads; i++)
		paq_cpu_of(test, i)->levels = level;
	race_until_counted(test, (enum lock_event)(EV_LOCK_USE_NODE2 + level - 1));
	for (uint32_t i = 0; i < test->threads; i++) {
		uint32_t levels = paq_cpu_of(test, i)->levels;

		if (levels != level)
			fail(test, "CPU %u had %u levels in use, now %u", i, level, levels);
	}
}

/* A race in which hints lie, everybody halts soon, and a head loses few races before it forbids
 * them; repeated until each mechanism has been seen. Only a waiter that polls is preferred to the
 * one before it. Where all share one CPU, waiters that halt soon have halted before somebody looks
 * at them; so in every other round waiters never halt. */
#define HALTING_MECHANISMS 4 /* at the end of the list */
static const enum lock_event mechanisms[] = {
	EV_LOCK_STEALS,  EV_WAITER_SKIPPED, EV_HEAD_USURPED, EV_MUST_QUEUE,     EV_YIELD_OWNER,
	EV_PV_WAIT_NODE, EV_PV_WAIT_HEAD,   EV_HALTS,        EV_PV_KICK_UNLOCK,
};

static const char *unseen(const struct test *test)
{
	size_t count = sizeof(mechanisms) / sizeof(mechanisms[0]);

	if (!pv_backend->halts)
		count -= HALTING_MECHANISMS;
	for (size_t i = 0; i < count; i++)
		if (event_sum(test, mechanisms[i]) == 0)
			return lock_event_names[mechanisms[i]];
	return NULL;
}

static bool all_seen(const struct test *test)
{
	return !unseen(test);
}

static void halt_or_not(struct test *test, uint32_t round)
{
	set_tunable(test, "paq_deep", round % 2 ? PLENTY : test->argument);
}

static void test_all_mechanisms(struct test *test)
{
	static const struct race_goal all = {all_seen, halt_or_not, "one of the mechanisms"};

	halting(test, 1, test->argument);
	set_tunable(test, "steal", 2);
	set_tunable(test, "paq_bypass_max", 1);
	set_tunable(test, "paq_yield_us", 0);
	race_until(test, &all);
}

#define PAQ .only = "paq"
CASE_REGISTER(halted_heads, "kicks the present head", test_halted_heads, 3, PAQ);
CASE_REGISTER(halted_waiter, "a halted waiter is promoted asleep", test_halted_waiter, 3, PAQ);
CASE_REGISTER(ahead_0, "kicks the head alone", test_kick_ahead, 5, .argument = 0, PAQ);
CASE_REGISTER(ahead_2, "kicks two behind the head", test_kick_ahead, 5, .argument = 2, PAQ);
CASE_REGISTER(ahead_all, "kicks all behind the head", test_kick_ahead, 5, .argument = PLENTY - 1,
	      PAQ);
CASE_REGISTER(pass, "a newcomer passes an inactive head", test_pass, 3, .argument = 0, PAQ);
CASE_REGISTER(pass_off, "no newcomer passes with m1 off", test_pass, 3, .argument = 1, PAQ);
CASE_REGISTER(pass_forbidden, "no newcomer passes with MUSTQ", test_pass, 3, .argument = 2, PAQ);
CASE_REGISTER(must_queue, "a head that loses races forbids them", test_must_queue, 3, PAQ);
CASE_REGISTER(paq_nests_1, "waits at the second nesting level", test_paq_nesting, 4, .argument = 1,
	      PAQ);
CASE_REGISTER(paq_nests_2, "waits at the third nesting level", test_paq_nesting, 4, .argument = 2,
	      PAQ);
CASE_REGISTER(paq_nests_3, "waits at the fourth nesting level", test_paq_nesting, 4, .argument = 3,
	      PAQ);
CASE_REGISTER(paq_nests_4, "waits with no node left", test_paq_nesting, 4, .argument = 4, PAQ);
CASE_REGISTER(lies_4, "excludes, every mechanism and wrong hints, 4 threads", test_all_mechanisms,
	      4, .argument = 1, PAQ, .backend = BACKEND_LYING);
CASE_REGISTER(lies_8, "excludes, every mechanism and wrong hints, 8 threads", test_all_mechanisms,
	      8, .argument = 16, PAQ, .backend = BACKEND_LYING);
