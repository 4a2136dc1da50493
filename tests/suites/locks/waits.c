/* SPDX-License-Identifier: MIT */
/* Races in which every wait halts or none can, and in which a CPU's first nodes are taken. */
#include "locks/core/tunables.h"
#include "locks/qnode.h"
#include "tests/suites/locks/client.h"

#define MIN_HALTS 50 /* fewer would prove little */

/* qspinlock's contexts: a CPU whose first `argument` nodes are taken uses the next, or none. */
static void test_nesting(struct test *test)
{
	uint32_t level = test->argument;
	enum lock_event event = (enum lock_event)(EV_LOCK_USE_NODE2 + level - 1);

	for (uint32_t i = 0; i < test->threads; i++)
		((struct qnode *)node_of(test, i))->count = level;
	race_until_counted(test, event);
	for (uint32_t i = 0; i < test->threads; i++) {
		uint32_t count = ((struct qnode *)node_of(test, i))->count;

		if (count != level)
			fail(test, "CPU %u had %u nodes in use, now %u", i, level, count);
	}
}

static bool has_stormed(const struct test *test)
{
	return event_sum(test, EV_HALTS) >= MIN_HALTS && event_sum(test, EV_KICKS) > 0;
}

/* Every wait becomes a halt: a lost wake-up would hang, and the watchdog would report it. */
static void test_storm(struct test *test)
{
	static const struct race_goal storm = {.seen = has_stormed, .what = "halts and kicks"};

	halt_at_once(test);
	race_until(test, &storm);
}

static void test_calm(struct test *test)
{
	uint64_t halts, kicks;

	halt_at_once(test);
	test_exclusion(test);
	halts = event_sum(test, EV_HALTS);
	kicks = event_sum(test, EV_KICKS);
	if (halts != 0 || kicks != 0)
		fail(test, "%llu halts, %llu kicks with a backend that cannot halt",
		     (unsigned long long)halts, (unsigned long long)kicks);
}

#define QSPINLOCKS .only = "qspinlock,pv-qspinlock,unfair-queued,cna", .backend = BACKEND_ANY
CASE_REGISTER(nests_1, "waits at the second nesting level", test_nesting, 4, .argument = 1,
	      QSPINLOCKS);
CASE_REGISTER(nests_2, "waits at the third nesting level", test_nesting, 4, .argument = 2,
	      QSPINLOCKS);
CASE_REGISTER(nests_3, "waits at the fourth nesting level", test_nesting, 4, .argument = 3,
	      QSPINLOCKS);
CASE_REGISTER(nests_4, "waits with no node left", test_nesting, 4, .argument = 4, QSPINLOCKS);

#define NEVER .with = LOCK_PV, .backend = BACKEND_NONE
CASE_REGISTER(storm_2, "every wait halts, 2 threads", test_storm, 2, .with = LOCK_PV);
CASE_REGISTER(storm_4, "every wait halts, 4 threads", test_storm, 4, .with = LOCK_PV);
CASE_REGISTER(storm_16, "every wait halts, 16 threads", test_storm, 16, .with = LOCK_PV);
CASE_REGISTER(calm_2, "no wait can halt, 2 threads", test_calm, 2, NEVER);
CASE_REGISTER(calm_4, "no wait can halt, 4 threads", test_calm, 4, NEVER);
CASE_REGISTER(calm_16, "no wait can halt, 16 threads", test_calm, 16, NEVER);
