/* SPDX-License-Identifier: MIT */
/* How long a backoff pauses, what it counts, and that a deschedule ends a pause. */
#include "locks/backoff.h"
#include "locks/core/spin.h"
#include "port/port.h"
#include "tests/suites/locks/client.h"

#define ROUNDS     40
#define LONG_PAUSE (1u << 25) /* a second or two; at 10 cycles each, the least, 0.1 s */

/* Every pause is drawn from the upper half of its bound; the bound doubles up to the limit. */
static void test_bounds(struct test *test)
{
	const uint32_t first = 4, limit = test->argument;
	const struct steal_area *steal = port_my_stats()->steal;
	uint32_t last_version = atomic_load_explicit(&steal->version, memory_order_relaxed);
	struct backoff backoff = backoff_begin(first, limit);
	struct spin spin = spin_begin();
	uint32_t bound = first < limit ? first : limit;
	uint32_t least = UINT32_MAX, most = 0; /* of those drawn from the limit */

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t before = spin.polls;
		uint32_t pauses, version;
		bool cut; /* by a deschedule */

		backoff_pause(&backoff, &spin);
		pauses = (uint32_t)(spin.polls - before);
		version = atomic_load_explicit(&steal->version, memory_order_relaxed);
		cut = version != last_version;
		last_version = version;
		if (pauses > bound || (pauses < bound - bound / 2 && !cut))
			fail(test, "pause %d is %u, not within %u and %u", i, pauses,
			     bound - bound / 2, bound);
		if (bound == limit) {
			least = pauses < least ? pauses : least;
			most = pauses > most ? pauses : most;
		}
		bound = 2 * bound < limit ? 2 * bound : limit;
	}
	if (limit > 1 && least == most)
		fail(test, "all pauses are %u at the limit of %u: not drawn", most, limit);
	if (event_sum(test, EV_BACKOFF_PAUSES) != spin.polls)
		fail(test, "backoff_pauses is %llu after %llu",
		     (unsigned long long)event_sum(test, EV_BACKOFF_PAUSES),
		     (unsigned long long)spin.polls);
}

static void test_counts(struct test *test)
{
	set_tunable(test, "backoff_min", 64);
	set_tunable(test, "backoff_max", test->argument);
	race_until_counted(test, EV_BACKOFF_PAUSES);
}

/* A steal-time page for CPU 0, which CPU 1 writes as the host would. */
static struct steal_area page;
static _Atomic bool done;

static void pause_until_descheduled(void *arg)
{
	struct test *test = arg;
	const struct steal_area *own = port_my_stats()->steal;
	struct spin spin = spin_begin();

	while (port_cpu() != 0 && !atomic_load_explicit(&done, memory_order_relaxed)) {
		let_others_run(5);
		atomic_fetch_add_explicit(&page.steal, 1000, memory_order_relaxed);
		atomic_fetch_add_explicit(&page.version, 2, memory_order_relaxed);
	}
	if (port_cpu() != 0)
		return;
	port_my_stats()->steal = &page;
	spin_pause(&spin, LONG_PAUSE);
	spin_end(&spin, SPIN_HANDED);
	port_my_stats()->steal = own;
	atomic_store_explicit(&done, true, memory_order_relaxed);
	if (spin.polls == LONG_PAUSE)
		fail(test, "a long pause does not end when descheduled");
	if (event_sum(test, EV_LWP_EVENTS) != 1)
		fail(test, "lwp_events is %llu, not 1",
		     (unsigned long long)event_sum(test, EV_LWP_EVENTS));
}

static void test_ends_early(struct test *test)
{
	atomic_store_explicit(&done, false, memory_order_relaxed);
	port_run_on(test->threads, pause_until_descheduled, test);
}

#define TAS_BACKOFF .only = "tas-backoff"
CASE_REGISTER(bounds, "pauses double up to the limit", test_bounds, 1, .argument = 50, TAS_BACKOFF);
CASE_REGISTER(bounds_2, "a limit below the first bound", test_bounds, 1, .argument = 3,
	      TAS_BACKOFF);
CASE_REGISTER(bounds_1, "a limit of one PAUSE", test_bounds, 1, .argument = 1, TAS_BACKOFF);
CASE_REGISTER(counts, "pauses are counted", test_counts, 4, .argument = 2048, TAS_BACKOFF);
CASE_REGISTER(counts_less, "pauses are counted, backoff_max below backoff_min", test_counts, 4,
	      .argument = 16, TAS_BACKOFF);
CASE_REGISTER(early, "a deschedule ends a pause", test_ends_early, 2, TAS_BACKOFF);
