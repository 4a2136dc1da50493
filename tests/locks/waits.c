/* SPDX-License-Identifier: MIT */
/* Races in which every wait halts or none can, and in which a CPU's first nodes are taken. */
#include "client.h"
#include "locks/qnode.h"
#include "locks/tunables.h"
#include "port/port.h"

#define MIN_HALTS  50 /* before the case believes that it did what it is for */
#define MAX_ROUNDS 100

/* qspinlock's contexts: a CPU whose first `argument` nodes are taken uses the next, or none. */
static void test_nesting(struct test *test)
{
	uint32_t level = test->argument;
	enum lock_event event = (enum lock_event)(EV_LOCK_USE_NODE2 + level - 1);
	int round = 0;

	for (uint32_t i = 0; i < test->threads; i++)
		((struct qnode *)node_of(test, i))->count = level;
	do
		test_exclusion(test);
	while (event_sum(test, event) == 0 && ++round < MAX_ROUNDS);
	for (uint32_t i = 0; i < test->threads; i++) {
		uint32_t count = ((struct qnode *)node_of(test, i))->count;

		if (count != level)
			fail(test, "CPU %u had %u nodes in use, now %u", i, level, count);
	}
	if (event_sum(test, event) == 0)
		fail(test, "%s is 0", lock_event_names[event]);
}

/* Every wait becomes a halt: a lost wake-up would hang, and the watchdog would tell. */
static void test_storm(struct test *test)
{
	uint64_t halts, kicks;
	int round = 0;

	halt_at_once(test);
	do {
		test_exclusion(test);
		halts = event_sum(test, EV_HALTS);
		kicks = event_sum(test, EV_KICKS);
	} while (test->argument && (halts < MIN_HALTS || kicks == 0) && ++round < MAX_ROUNDS);
	if (test->argument && (halts == 0 || kicks == 0))
		fail(test, "%llu halts, %llu kicks: the case did not do what it is for",
		     (unsigned long long)halts, (unsigned long long)kicks);
	if (!test->argument && (halts != 0 || kicks != 0))
		fail(test, "%llu halts, %llu kicks with a backend that cannot halt",
		     (unsigned long long)halts, (unsigned long long)kicks);
}

#define QSPINLOCKS .only = "qspinlock,pv-qspinlock,unfair-queued,cna", .backend = BACKEND_ANY
CASE_REGISTER(nests_1, "second nesting level", test_nesting, 4, .argument = 1, QSPINLOCKS);
CASE_REGISTER(nests_2, "third nesting level", test_nesting, 4, .argument = 2, QSPINLOCKS);
CASE_REGISTER(nests_3, "fourth nesting level", test_nesting, 4, .argument = 3, QSPINLOCKS);
CASE_REGISTER(nests_4, "no node left", test_nesting, 4, .argument = 4, QSPINLOCKS);

#define ALWAYS .with = LOCK_PV, .argument = 1
#define NEVER  .with = LOCK_PV, .argument = 0, .backend = BACKEND_NONE
CASE_REGISTER(storm_2, "every wait halts, 2 threads", test_storm, 2, ALWAYS);
CASE_REGISTER(storm_4, "every wait halts, 4 threads", test_storm, 4, ALWAYS);
CASE_REGISTER(storm_16, "every wait halts, 16 threads", test_storm, 16, ALWAYS);
CASE_REGISTER(calm_2, "no wait can halt, 2 threads", test_storm, 2, NEVER);
CASE_REGISTER(calm_4, "no wait can halt, 4 threads", test_storm, 4, NEVER);
CASE_REGISTER(calm_16, "no wait can halt, 16 threads", test_storm, 16, NEVER);
