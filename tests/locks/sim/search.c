/* SPDX-License-Identifier: MIT */
/*
 * See search.h. The vCPUs of a case acquire the lock once or twice each, by acquire or by
 * try_acquire. Two of them in the section at once, a lock that is not free at the end, and a
 * deadlock (a lost wake-up is one) are failures.
 */
#include "tests/locks/sim/search.h"

#include "port/port.h"
#include "sim/explore/explore.h"
#include "tests/locks/sim/report.h"
#include "tests/suites/locks/client.h"
#include <stdio.h>

/* Bits of a case's argument. */
#define TWICE 1
#define TRIES 2 /* the last vCPU tries */
#define HALTS 4 /* each wait halts as soon as it may */

static uint32_t inside; /* plain: an increment is no step */

static void section(struct test *test)
{
	if (inside++)
		fail(test, "two in the section");
	/* a step, at which another vCPU may come */
	(void)atomic_load_explicit(&test->failed, memory_order_relaxed);
	inside--;
}

static void work(void *arg)
{
	struct test *test = arg;
	uint32_t cpu = port_cpu();
	void *node = node_of(test, cpu);

	for (uint32_t i = 0; i <= (test->argument & TWICE); i++) {
		if (!(test->argument & TRIES) || cpu != test->threads - 1)
			test->ops->acquire(test->lock, node);
		else if (!test->ops->try_acquire(test->lock, node))
			continue;
		section(test);
		test->ops->release(test->lock, node);
	}
}

static void test_small(struct test *test)
{
	struct state initial;

	if (test->argument & HALTS)
		halt_at_once(test);
	state_copy(test, &initial);
	inside = 0;
	port_run_on(test->threads, work, test);
	check_free(test, &initial);
}

#define SMALL(id_, name_, threads_, argument_, ...)                                            \
	{                                                                                      \
		.id = #id_, .name = (name_), .run = test_small, .threads = (threads_),         \
		.argument = (argument_), .without = LOCK_NO_EXCLUSION, .backend = BACKEND_ANY, \
		##__VA_ARGS__                                                                  \
	}

const struct lock_case search_cases[] = {
	SMALL(once_2, "2 vCPUs, once each", 2, 0),
	SMALL(tries_2, "2 vCPUs, one tries", 2, TRIES | TWICE),
	SMALL(twice_2, "2 vCPUs, twice each", 2, TWICE),
	SMALL(halts_2, "2 vCPUs that halt, twice each", 2, TWICE | HALTS, .with = LOCK_PV),
	SMALL(once_3, "3 vCPUs, once each", 3, 0),
	SMALL(halts_3, "3 vCPUs that halt, once each", 3, HALTS, .with = LOCK_PV),
};
const size_t search_count = sizeof(search_cases) / sizeof(search_cases[0]);

/* On main()'s stack, because explore_run() resets the program's variables. */
struct job {
	const struct lock_case *c;
	const struct lock_ops *ops;
	const struct pv_backend *own;
};

static void run(void *arg)
{
	const struct job *job = arg;

	case_run(job->c, job->ops, job->own, 0);
}

/* Returns how many schedules passed; sets *end to how the last one ended, *passed to whether it
 * passed, too. */
static unsigned long long search(struct job *job, uint32_t deviations, bool flags,
				 enum explore_end *end, bool *passed)
{
	unsigned long long schedules = 0;

	search_begin(deviations, flags);
	do {
		*end = explore_run(run, job, 0);
		*passed = *end == EXPLORE_ENDED && !case_test()->failed;
		schedules += *passed;
	} while (*passed && search_next());
	return schedules;
}

bool search_case(const struct lock_case *c, const struct lock_ops *ops,
		 const struct pv_backend *own, uint32_t deviations, unsigned int number)
{
	struct job job = {c, ops, own};
	unsigned long long schedules = 0;
	bool passed = true;
	enum explore_end end = EXPLORE_ENDED;
	char again[32];

	for (int flags = 0; flags < 2 && passed; flags++)
		schedules += search(&job, deviations, flags, &end, &passed);
	printf("%s %u - %s: %s, %llu schedules", passed ? "ok" : "not ok", number, ops->name,
	       c->name, schedules);
	if (passed) {
		putchar('\n');
	} else {
		printf(" (%s)\n", report_end(end));
		snprintf(again, sizeof(again), "search=%u", deviations);
		report_failure(c, ops, end, again);
	}
	search_end();
	fflush(stdout);
	return passed;
}
