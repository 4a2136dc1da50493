/* SPDX-License-Identifier: MIT */
/* The pv ticket locks in races, and from states that are set by hand: tickets at their wrap-around,
 * a flag that nobody needs, a CPU whose first records are taken. */
#include "tests/suites/locks/pv_ticket_cases.h"

static void test_wraps(struct test *test)
{
	start_at(test, 0xfffc);
	lock_tunables.spin_threshold = 1;
	tune(test, "oticket_max_shift", 0);
	test_exclusion(test);
}

/* A free lock has its flag set, which nobody needs: the next acquirer clears it. */
static void test_stale_flag(struct test *test)
{
	union pv_ticket *lock = test->lock;

	for (int try = 0; try < 2; try++) {
		start_at(test, 10);
		atomic_fetch_or_explicit(&lock->head, PV_TICKET_FLAG, memory_order_relaxed);
		if (!try)
			lock_acquire(test);
		else if (!lock_try(test))
			fail(test, "try_acquire fails because of the flag of a free lock");
		if (atomic_load_explicit(&lock->word, memory_order_relaxed) != (12u << 16 | 10))
			fail(test, "the flag stays set: %s", lock_text(test));
		lock_release(test);
	}
}

/* The first `argument` records of each CPU are taken: a waiter halts in the next one, or only polls
 * if none is left. */
static void test_levels(struct test *test)
{
	bool left = test->argument < PV_TICKET_RECORDS;
	uint64_t halts, none;

	for (uint32_t i = 0; i < test->threads; i++)
		((struct pv_ticket_node *)node_of(test, i))->record[0].count = test->argument;
	lock_tunables.spin_threshold = 1;
	tune(test, "oticket_max_shift", 0);
	race_until_counted(test, left ? EV_HALTS : EV_LOCK_NO_NODE);
	for (uint32_t i = 0; i < test->threads; i++) {
		if (((struct pv_ticket_node *)node_of(test, i))->record[0].count != test->argument)
			fail(test, "CPU %u has not given its records back", i);
	}
	halts = event_sum(test, EV_HALTS);
	none = event_sum(test, EV_LOCK_NO_NODE);
	if (left ? none != 0 : halts != 0)
		fail(test, "%llu halts, %llu waits without a record", (unsigned long long)halts,
		     (unsigned long long)none);
}

/* Each kick goes to a waiter that was looked up; each halt is part of a slow wait. */
static void test_counts(struct test *test)
{
	bool two = strcmp(test->ops->name, "oticket") == 0;
	uint64_t kicks, next, ahead;

	lock_tunables.spin_threshold = 1;
	tune(test, "oticket_max_shift", 0);
	race_until_counted(test, two ? EV_OTICKET_KICK_AHEAD : EV_KICKS);
	kicks = event_sum(test, EV_KICKS);
	next = event_sum(test, EV_RELEASED_SLOW_KICKED);
	ahead = event_sum(test, EV_OTICKET_KICK_AHEAD);
	if (kicks != next + ahead || next > event_sum(test, EV_RELEASED_SLOW) ||
	    (ahead != 0) != two)
		fail(test, "%llu kicks, but %llu of the next and %llu ahead",
		     (unsigned long long)kicks, (unsigned long long)next,
		     (unsigned long long)ahead);
	if (event_sum(test, EV_HALTS) > event_sum(test, EV_TAKEN_SLOW))
		fail(test, "more halts than slow waits");
}

CASE_REGISTER(wraps, "excludes where tickets wrap", test_wraps, 4, PV_TICKETS);
CASE_REGISTER(stale, "clears a needless flag", test_stale_flag, 1, PV_TICKETS);
CASE_REGISTER(level_1, "halts in the second record", test_levels, 4, .argument = 1, PV_TICKETS);
CASE_REGISTER(level_3, "halts in the fourth record", test_levels, 4, .argument = 3, PV_TICKETS);
CASE_REGISTER(level_4, "only polls with no record left", test_levels, 4, .argument = 4, PV_TICKETS);
CASE_REGISTER(counted, "each kick is counted", test_counts, 16, PV_TICKETS);
