/* SPDX-License-Identifier: MIT */
/* ticket and ticket-backoff where their 16 bits wrap; how long ticket-backoff looks away. */
#include "client.h"
#include "locks/ticket_word.h"
#include "port/port.h"

static uint16_t half(const _Atomic uint16_t *half)
{
	return atomic_load_explicit(half, memory_order_relaxed);
}

/* As if 2^16 - `before` tickets had been served; afterwards, more than that have. */
static void across_wrap(struct test *test, void (*run)(struct test *test), uint16_t before)
{
	union ticket_word *word = test->lock;
	uint16_t start = (uint16_t)-before;

	atomic_store_explicit(&word->head, start, memory_order_relaxed);
	atomic_store_explicit(&word->tail, start, memory_order_relaxed);
	run(test);
	if (half(&word->head) != half(&word->tail))
		fail(test, "nobody is left, but head and tail differ: %s", lock_text(test));
	if (half(&word->tail) >= start)
		fail(test, "the tickets have not wrapped: %s", lock_text(test));
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

static uint16_t arrivals;

static bool has_arrived(struct test *test)
{
	const union ticket_word *word = test->lock;

	return half(&word->tail) == arrivals;
}

/* 0 owns, 1 and 2 wait: 2 backs off while it is second in line. */
static void conduct_two_in_line(struct test *test)
{
	const union ticket_word *word = test->lock;

	lock_acquire(test);
	for (uint32_t i = 1; i <= 2; i++) {
		arrivals = (uint16_t)(half(&word->tail) + 1);
		tell(i, COMMAND_ACQUIRE);
		if (!await(test, has_arrived, "a ticket taken"))
			return;
	}
	lock_release(test);
	for (uint32_t i = 1; i <= 2; i++) {
		if (!await_state(test, i, ACTOR_OWNS))
			return;
		tell(i, COMMAND_RELEASE);
		await_state(test, i, ACTOR_IDLE);
	}
}

/* PAUSEs that the second in line spent in backing off, in a round in which it did. */
static uint64_t second_pauses(struct test *test, uint64_t up_to)
{
	uint64_t before = 0, pauses = 0;

	for (int round = 0; round < 50; round++) {
		with_actors(test, conduct_two_in_line);
		pauses = event_sum(test, EV_BACKOFF_PAUSES) - before;
		before += pauses;
		if (pauses > 0 && pauses < up_to)
			break;
	}
	return pauses;
}

static void test_proportional(struct test *test)
{
	uint64_t pauses;

	set_tunable(test, "ticket_unit", 100);
	pauses = second_pauses(test, UINT64_MAX);
	if (pauses == 0 || pauses % 200 != 0)
		fail(test, "%llu PAUSEs of the second in line: no multiple of twice 100",
		     (unsigned long long)pauses);
}

/* However wrong the estimate, the word is looked at again soon. On a busy machine the hand-over
 * itself can take that long; not in all rounds. */
static void test_capped(struct test *test)
{
	uint64_t pauses;

	set_tunable(test, "ticket_unit", 1u << 16);
	pauses = second_pauses(test, 2u << 16);
	if (pauses == 0 || pauses >= 2u << 16)
		fail(test, "%llu PAUSEs of the second in line: not looked in between",
		     (unsigned long long)pauses);
}

#define TICKETS        .only = "ticket,ticket-backoff"
#define TICKET_BACKOFF .only = "ticket-backoff"
CASE_REGISTER(wrap_fifo, "grants in order where tickets wrap", test_wrap_fifo, 6, .argument = 3,
	      TICKETS);
CASE_REGISTER(wrap_try, "trylock of the last ticket", test_wrap_trylock, 3, .argument = 1, TICKETS);
CASE_REGISTER(wrap_try_0, "trylock with the first ticket waited for", test_wrap_trylock, 3,
	      .argument = 2, TICKETS);
CASE_REGISTER(wrap_race, "excludes where tickets wrap", test_wrap_exclusion, 4, .argument = 9,
	      TICKETS);
CASE_REGISTER(proportional, "pauses in proportion to the distance", test_proportional, 3,
	      TICKET_BACKOFF);
CASE_REGISTER(capped, "looks again, whatever ticket_unit", test_capped, 3, TICKET_BACKOFF);
