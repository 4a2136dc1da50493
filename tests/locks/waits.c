/* SPDX-License-Identifier: MIT */
/* Races in which every wait halts or none can, and in which a CPU's first nodes are taken. */
#include "client.h"
#include "locks/qnode.h"
#include "locks/tunables.h"
#include "port/port.h"

/* qspinlock's contexts: a CPU whose first `argument` nodes are taken uses the next, or none. */
static void test_nesting(struct test *test)
{
	uint32_t level = test->argument;

	for (uint32_t i = 0; i < test->threads; i++)
		((struct qnode *)node_of(test, i))->count = level;
	test_exclusion(test);
	for (uint32_t i = 0; i < test->threads; i++) {
		uint32_t count = ((struct qnode *)node_of(test, i))->count;

		if (count != level)
			fail(test, "CPU %u had %u nodes in use, now %u", i, level, count);
	}
	if (event_sum(test, (enum lock_event)(EV_LOCK_USE_NODE2 + level - 1)) == 0)
		fail(test, "%s is 0", lock_event_names[EV_LOCK_USE_NODE2 + level - 1]);
}

/* paq halts by tunables of its own. */
static void paq_halts_at_once(struct test *test)
{
	static const char key[] = "paq_halt";

	if (!tunable_is_of(tunable_find(key, sizeof(key) - 1), test->ops->name))
		return;
	set_tunable(test, key, 2);
	set_tunable(test, "paq_deep", 1);
	set_tunable(test, "paq_head_spins", 1);
	set_tunable(test, "paq_poll_mask", 0);
	set_tunable(test, "steal", 0);
}

/* Every wait becomes a halt: a lost wake-up would hang, and the watchdog would tell. */
static void test_storm(struct test *test)
{
	uint64_t halts, kicks;

	lock_tunables.spin_threshold = 1;
	lock_tunables.prev_check_mask = 0;
	paq_halts_at_once(test);
	test_exclusion(test);
	halts = event_sum(test, EV_HALTS);
	kicks = event_sum(test, EV_KICKS);
	if (test->argument && (halts == 0 || kicks == 0))
		fail(test, "%llu halts, %llu kicks: the case did not do what it is for",
		     (unsigned long long)halts, (unsigned long long)kicks);
	if (!test->argument && (halts != 0 || kicks != 0))
		fail(test, "%llu halts, %llu kicks with a backend that cannot halt",
		     (unsigned long long)halts, (unsigned long long)kicks);
}

#define QSPINLOCKS .only = "qspinlock,pv-qspinlock"
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
