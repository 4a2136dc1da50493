/* SPDX-License-Identifier: MIT */
/* What paq does about inactive waiters and owners: one mechanism at a time, step by step. */
#include "lib/steal.h"
#include "locks/core/overcommit.h"
#include "locks/paq_word.h"
#include "port/port.h"
#include "tests/suites/locks/paq_stage.h"

#define PLENTY UINT32_MAX

/* Makes waiters queue at once and look around at every poll. */
static void queue_and_look(struct test *test)
{
	set_tunable(test, "steal", 0);
	set_tunable(test, "paq_poll_mask", 0);
	set_tunable(test, "paq_halt", 0);
}

/* Turns on the named mechanism alone; NULL: none. */
static void use_only(struct test *test, const char *mechanism)
{
	queue_and_look(test);
	set_tunable(test, "paq_m1", 0);
	set_tunable(test, "paq_m2a", 0);
	set_tunable(test, "paq_m2b", 0);
	set_tunable(test, "paq_m3", 0);
	if (mechanism)
		set_tunable(test, mechanism, 1);
}

/* M2a. 0 owns, 1 is the head; 2, its successor, is inactive when 1 promotes, and may lose
 * `argument` places. With 4 threads 3 is the last, with 5 it is not. */
static void conduct_sink(struct test *test)
{
	if (!paq_line_up(test, test->threads - 1))
		return;
	paq_mark(2, true);
	lock_release(test);
	paq_expect_order(test, test->argument == 2 ? "1342" : test->threads == 4 ? "132" : "1324");
}

static void test_sink(struct test *test)
{
	use_only(test, "paq_m2a");
	set_tunable(test, "paq_max_skips", test->argument);
	paq_play(test, conduct_sink);
	paq_expect(test, EV_WAITER_SKIPPED, test->argument);
	paq_expect(test, EV_HEAD_USURPED, 0);
}

/* 2 does not sink: nobody behind it is active (`argument`), or m2a is off. */
static void conduct_no_sink(struct test *test)
{
	if (!paq_line_up(test, 3))
		return;
	paq_mark(2, true);
	if (test->argument)
		paq_mark(3, true);
	lock_release(test);
	paq_expect_order(test, "123");
}

static void test_no_sink(struct test *test)
{
	use_only(test, test->argument ? "paq_m2a" : NULL);
	paq_play(test, conduct_no_sink);
	paq_expect(test, EV_WAITER_SKIPPED, 0);
}

/* M2b. The head is inactive, the second is active. With 3 threads the second is the last. */
static void conduct_usurp(struct test *test)
{
	if (!paq_line_up(test, test->threads - 1))
		return;
	paq_mark(1, true);
	if (!paq_await_head(test, 2))
		return;
	paq_mark(1, false);
	if (test->threads == 3 && paq_tail(paq_value(test)) != paq_id(1, 0))
		fail(test, "CPU 2 usurped 1, but 1 is not the last now: %s", lock_text(test));
	lock_release(test);
	paq_expect_order(test, test->threads == 3 ? "21" : "213");
}

static void test_usurp(struct test *test)
{
	use_only(test, "paq_m2b");
	paq_play(test, conduct_usurp);
	paq_expect(test, EV_HEAD_USURPED, 1);
	paq_expect(test, EV_HEAD_USURP_LOST, 0);
}

/* The usurper's look was about an earlier stay of the head; since then another waiter has come
 * between. Played by changing the link while the usurper asks. */
static _Atomic uint32_t asked;

static void unlink_when_asked(struct test *test, uint32_t about)
{
	(void)about;
	if (port_cpu() != 2 || atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed) != 0)
		return;
	atomic_store_explicit(&paq_cpu_of(test, 1)->level[0].next, paq_id(3, 0),
			      memory_order_release);
}

static bool gave_back(struct test *test)
{
	struct paq_node *node = &paq_cpu_of(test, 1)->level[0];

	/* 1 is the head again */
	return atomic_load_explicit(&asked, memory_order_relaxed) != 0 &&
	       paq_head(paq_value(test)) == paq_id(1, 0) &&
	       atomic_load_explicit(&node->next, memory_order_relaxed) == paq_id(3, 0);
}

static bool is_kicked_again(struct test *test)
{
	(void)test;
	return paq_kicks(1) == 2;
}

static void conduct_usurp_lost(struct test *test)
{
	bool halted = test->argument;

	if (halted)
		paq_hold_kicks(true);
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!paq_await_head(test, 1) || (halted && !paq_await_halt(test, 1)))
		return;
	if (halted)
		lock_release(test); /* the lock is free, its head sleeps */
	atomic_store_explicit(&asked, 0, memory_order_relaxed);
	atomic_store_explicit(&paq_when_asked, unlink_when_asked, memory_order_relaxed);
	paq_mark(1, true);
	tell(2, COMMAND_ACQUIRE);
	if (!await(test, gave_back, "the headship given back"))
		return;
	if (halted)
		await(test, is_kicked_again, "the kick that goes with it");
	let_others_run(20);
	if (paq_kicks(1) != (halted ? 2 : 0))
		fail(test, "the head was kicked %u times", paq_kicks(1));
	paq_mark(1, false);
	atomic_store_explicit(&paq_cpu_of(test, 1)->level[0].next, paq_id(2, 0),
			      memory_order_release);
	if (!halted) {
		lock_release(test);
		paq_expect_order(test, "12");
	} else if (await_state(test, 2, ACTOR_OWNS)) { /* 1 sleeps: now 2 really usurps it */
		paq_hold_kicks(false);
		paq_real_kick(1);
		paq_expect_order(test, "21");
	}
}

static void test_usurp_lost(struct test *test)
{
	use_only(test, "paq_m2b");
	if (test->argument) {
		set_tunable(test, "paq_halt", 2);
		set_tunable(test, "paq_head_spins", 16);
		set_tunable(test, "paq_deep", PLENTY);
	}
	paq_play(test, conduct_usurp_lost);
	paq_expect(test, EV_HEAD_USURP_LOST, 1);
	paq_expect(test, EV_HEAD_USURPED, test->argument);
}

#define YIELD_US 1000000
static uint64_t preempted_us; /* how long the owner was marked, and a little more */

static bool owner_is_yielded_to(struct test *test)
{
	(void)test;
	return paq_yields(0) != 0;
}

/* M3. Exactly one yield in a second, by the head or by a newcomer that does not queue yet. */
static void conduct_yield_to_owner(struct test *test)
{
	uint64_t start;

	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	let_others_run(20);
	if (paq_yields(0) != 0)
		fail(test, "yielded to an owner that runs");
	start = port_cycles();
	paq_mark(0, true);
	await(test, owner_is_yielded_to, "a yield to the owner");
	let_others_run(200);
	paq_mark(0, false);
	lock_release(test);
	paq_expect_order(test, "1");
	preempted_us = port_cycles_to_ns(port_cycles() - start) / 1000;
}

static void test_yield_to_owner(struct test *test)
{
	use_only(test, "paq_m3");
	set_tunable(test, "steal", test->argument);
	set_tunable(test, "paq_yield_us", YIELD_US);
	paq_play(test, conduct_yield_to_owner);
	paq_expect(test, EV_YIELD_OWNER, paq_yields(0));
	if (paq_yields(0) > 1 + preempted_us / YIELD_US)
		fail(test, "%u yields to the owner in %llu us", paq_yields(0),
		     (unsigned long long)preempted_us);
}

/* Changes the word between each look at the flag and the yield, as if the owner were another. */
static void change_owner_when_asked(struct test *test, uint32_t about)
{
	union paq_word *word = paq_word_of(test);
	uint64_t value = paq_load(word);

	(void)about;
	atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed);
	while (paq_locked(value) && !paq_cas(word, &value, value ^ PAQ_MUSTQ))
		;
}

static bool asked_often(struct test *test)
{
	(void)test;
	return atomic_load_explicit(&asked, memory_order_relaxed) > 1000;
}

static void conduct_stale_owner(struct test *test)
{
	uint64_t value;

	if (!paq_line_up(test, 1))
		return;
	atomic_store_explicit(&asked, 0, memory_order_relaxed);
	atomic_store_explicit(&paq_when_asked, change_owner_when_asked, memory_order_relaxed);
	paq_mark(0, true);
	if (!await(test, asked_often, "looks at the owner's flag"))
		return;
	paq_mark(0, false);
	let_others_run(20);
	value = paq_value(test);
	while (!paq_cas(paq_word_of(test), &value, value & ~PAQ_MUSTQ))
		;
	lock_release(test);
	paq_expect_order(test, "1");
}

static void test_stale_owner(struct test *test)
{
	use_only(test, "paq_m3");
	set_tunable(test, "paq_yield_us", 0);
	paq_play(test, conduct_stale_owner);
	paq_expect(test, EV_YIELD_OWNER, 0);
}

/* The steal-time verdict: more than one part in a hundred of a window of 10 ms. The test gives the
 * times, so that no preemption moves them. */
static void test_overcommit(struct test *test)
{
	struct steal_area area = {.steal = 5000000};
	struct overcommit o = {.since = 0};
	uint64_t window = port_ns_to_cycles(OVERCOMMIT_WINDOW_NS);
	uint64_t now = 10 * window;

	if (!overcommit_unknown(&area))
		fail(test, "a page that the host never wrote counts as known");
	atomic_store_explicit(&area.version, 2, memory_order_relaxed);
	if (overcommit_unknown(&area))
		fail(test, "a page that the host wrote counts as unknown");
	if (overcommitted_at(&o, &area, now))
		fail(test, "overcommitted by what was stolen before the first look");
	atomic_store_explicit(&area.steal, 9000000, memory_order_relaxed);
	if (overcommitted_at(&o, &area, now + window / 2))
		fail(test, "overcommitted before the window is over");
	now += 2 * window;
	if (!overcommitted_at(&o, &area, now) || !o.now)
		fail(test, "4 ms stolen of 20, not overcommitted");
	if (!overcommitted_at(&o, &area, now + window / 2))
		fail(test, "the verdict does not last for the next window");
	now += 2 * window;
	atomic_store_explicit(&area.steal, 9010000, memory_order_relaxed);
	if (overcommitted_at(&o, &area, now) || o.now)
		fail(test, "10 us stolen of 20 ms, overcommitted");
}

#define PAQ .only = "paq"
CASE_REGISTER(sink, "an inactive successor sinks by one place", test_sink, 5, .argument = 1, PAQ);
CASE_REGISTER(sink_last, "an inactive successor sinks past the last", test_sink, 4, .argument = 1,
	      PAQ);
CASE_REGISTER(sink_twice, "an inactive successor sinks twice", test_sink, 5, .argument = 2, PAQ);
CASE_REGISTER(sink_not, "nobody sinks past an inactive waiter", test_no_sink, 4, .argument = 1,
	      PAQ);
CASE_REGISTER(sink_off, "nobody sinks with m2a off", test_no_sink, 4, .argument = 0, PAQ);
CASE_REGISTER(usurp, "the second usurps an inactive head, others follow", test_usurp, 4, PAQ);
CASE_REGISTER(usurp_last, "the second, also the last, usurps an inactive head", test_usurp, 3, PAQ);
CASE_REGISTER(usurp_lost, "a usurper gives the headship back", test_usurp_lost, 4, PAQ);
CASE_REGISTER(usurp_lost_halted, "a usurper gives a halted head its headship back", test_usurp_lost,
	      4, .argument = 1, PAQ);
CASE_REGISTER(yield, "the head yields to a preempted owner", test_yield_to_owner, 2, PAQ);
CASE_REGISTER(yield_early, "a newcomer yields to a preempted owner", test_yield_to_owner, 2,
	      .argument = PLENTY, PAQ);
CASE_REGISTER(yield_stale, "nobody yields to a stale owner", test_stale_owner, 2, PAQ);
CASE_REGISTER(overcommit, "tells overcommit from steal time", test_overcommit, 1, PAQ);
