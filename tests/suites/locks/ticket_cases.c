/* SPDX-License-Identifier: MIT */
/* ticket and ticket-backoff where their 16 bits wrap; how long ticket-backoff pauses. */
#include "locks/ticket_word.h"
#include "port/port.h"
#include "tests/suites/locks/client.h"

#define ROUNDS 11 /* the last one gives 5 s */

static uint16_t half(const _Atomic uint16_t *half)
{
	return atomic_load_explicit(half, memory_order_relaxed);
}

/* As if 2^16 - `before` tickets had been served. */
static void across_wrap(struct test *test, void (*run)(struct test *test), uint16_t before)
{
	union ticket_word *word = test->lock;
	uint16_t start = (uint16_t)-before;

	atomic_store_explicit(&word->head, start, memory_order_relaxed);
	atomic_store_explicit(&word->tail, start, memory_order_relaxed);
	run(test);
	if (half(&word->head) != half(&word->tail))
		fail(test, "nobody is left, but head and tail differ: %s", lock_text(test));
}

static void test_wrap_exclusion(struct test *test)
{
	across_wrap(test, test_exclusion, (uint16_t)test->argument);
}

static void test_wrap_trylock(struct test *test)
{
	across_wrap(test, test_trylock, (uint16_t)test->argument);
}

static void test_wrap_fifo(struct test *test)
{
	across_wrap(test, test_fifo, (uint16_t)test->argument);
}

/* Tries for every ticket from a few before the wrap to a few behind it. */
static void test_wrap_tries(struct test *test)
{
	across_wrap(test, conduct_tries, (uint16_t)test->argument);
}

static uint16_t awaited_tail;
static uint16_t ghosts;
static uint32_t patience_ms; /* for a waiter to begin its pause */

static bool has_arrived(struct test *test)
{
	const union ticket_word *word = test->lock;

	return half(&word->tail) == awaited_tail;
}

/* Actor 1 waits behind `ghosts` that never come: tickets that nobody took. */
static void conduct_far_in_line(struct test *test)
{
	union ticket_word *word = test->lock;

	awaited_tail = (uint16_t)(half(&word->tail) + ghosts + 1);
	atomic_fetch_add_explicit(&word->tail, ghosts, memory_order_relaxed);
	tell(1, COMMAND_ACQUIRE);
	if (!await(test, has_arrived, "a ticket taken"))
		return;
	let_others_run(patience_ms);
	atomic_fetch_add_explicit(&word->head, ghosts, memory_order_relaxed);
	if (await_state(test, 1, ACTOR_OWNS))
		tell(1, COMMAND_RELEASE);
	await_state(test, 1, ACTOR_IDLE);
}

/* Returns how many PAUSEs actor 1 spends in backing off, in the first round in which it comes in
 * time to do so. */
static uint64_t pauses_behind(struct test *test, uint16_t places, uint32_t unit, uint32_t rounds)
{
	uint64_t before = event_sum(test, EV_BACKOFF_PAUSES), pauses = 0;

	ghosts = places;
	set_tunable(test, "ticket_unit", unit);
	for (uint32_t round = 0; round < rounds && pauses == 0; round++) {
		patience_ms = 5u << round;
		with_actors(test, conduct_far_in_line);
		pauses = event_sum(test, EV_BACKOFF_PAUSES) - before;
	}
	return pauses;
}

static void test_proportional(struct test *test)
{
	static struct steal_area never_off; /* a deschedule would end a pause early */
	const struct steal_area *own = port_stats(1)->steal;
	uint64_t pauses;

	port_stats(1)->steal = &never_off;
	for (int round = 0; round < 3; round++) {
		pauses = pauses_behind(test, 29, 100, ROUNDS);
		if (pauses == 0 || pauses % 2900 != 0)
			fail(test, "%llu PAUSEs, not a multiple of 29 places of 100",
			     (unsigned long long)pauses);
	}
	port_stats(1)->steal = own;
}

static void test_next_polls(struct test *test)
{
	uint64_t pauses = pauses_behind(test, 1, 100, 2);

	if (pauses != 0)
		fail(test, "the next in line backs off: %llu PAUSEs", (unsigned long long)pauses);
}

/* However wrong the estimate is, the waiter soon looks at the word again. */
static void test_bounded(struct test *test)
{
	const uint64_t estimate = 512u << 16;
	uint64_t pauses = pauses_behind(test, 512, 1u << 16, ROUNDS);

	if (pauses == 0 || pauses >= estimate)
		fail(test, "%llu PAUSEs without a look in between", (unsigned long long)pauses);
}

#define TICKETS        .only = "ticket,ticket-backoff"
#define TICKET_BACKOFF .only = "ticket-backoff"
CASE_REGISTER(wrap_race, "excludes where tickets wrap", test_wrap_exclusion, 4, .argument = 2,
	      TICKETS);
CASE_REGISTER(wrap_try, "try_acquire of the last ticket", test_wrap_trylock, 3, .argument = 1,
	      TICKETS);
CASE_REGISTER(wrap_try_0, "try_acquire while the first ticket is waited for", test_wrap_trylock, 3,
	      .argument = 2, TICKETS);
CASE_REGISTER(wrap_fifo, "grants in order where tickets wrap", test_wrap_fifo, 6, .argument = 3,
	      TICKETS);
CASE_REGISTER(wrap_tries, "try_acquire where tickets wrap", test_wrap_tries, 1, .argument = 4,
	      TICKETS);
CASE_REGISTER(proportional, "pauses in proportion to the distance", test_proportional, 2,
	      TICKET_BACKOFF);
CASE_REGISTER(next_polls, "the next in line polls", test_next_polls, 2, TICKET_BACKOFF);
CASE_REGISTER(bounded, "looks again soon, whatever ticket_unit is", test_bounded, 2,
	      TICKET_BACKOFF);
