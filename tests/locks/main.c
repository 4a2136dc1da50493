/* SPDX-License-Identifier: MIT */
/*
 * check-locks [--without-null] [--budget-ms=N] [LOCK...]
 *
 * Every case for every registered lock (or those named) that it applies to, in TAP. Each case gets
 * a lock that init has just set up. A case that has not ended after CASE_SECONDS is hung: "Bail
 * out!" with the lock's state. --without-null leaves out the case in which there really are data
 * races.
 */
#define _GNU_SOURCE
#include "client.h"
#include "locks/pv.h"
#include "locks/registry.h"
#include "locks/tunables.h"
#include "port/hosted.h"
#include "port/port.h"
#include "port/pv_none.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CASE_SECONDS 60 /* more than a case's own waits (AWAIT_S) */
#define BUDGET_MS    120

enum backend {
	HALTING,
	NONE,
};

struct test_case {
	const char *name;
	void (*run)(struct test *test);
	uint32_t threads;
	uint32_t argument;
	uint32_t with;    /* flags the lock must have */
	uint32_t without; /* and must not have */
	const char *only; /* NULL, or the suffix of the lock's name */
	enum backend backend;
};

static const struct test_case cases[] = {
	{"excludes, 2 threads", test_exclusion, 2, 0, 0, LOCK_NO_EXCLUSION, NULL, HALTING},
	{"excludes, 4 threads", test_exclusion, 4, 0, 0, LOCK_NO_EXCLUSION, NULL, HALTING},
	{"excludes, 16 threads", test_exclusion, 16, 0, 0, LOCK_NO_EXCLUSION, NULL, HALTING},
	{"trylock", test_trylock, 3, 0, 0, LOCK_NO_EXCLUSION, NULL, HALTING},
	{"grants in order of arrival", test_fifo, 6, 0, LOCK_FIFO, 0, NULL, HALTING},
	{"the queue empties, 2 threads", test_drains, 2, 0, 0, LOCK_NO_EXCLUSION, NULL, HALTING},
	{"the queue empties, 3 threads", test_drains, 3, 0, 0, LOCK_NO_EXCLUSION, NULL, HALTING},
	{"second nesting level", test_nesting, 4, 1, 0, 0, "qspinlock", HALTING},
	{"third nesting level", test_nesting, 4, 2, 0, 0, "qspinlock", HALTING},
	{"fourth nesting level", test_nesting, 4, 3, 0, 0, "qspinlock", HALTING},
	{"no node left", test_nesting, 4, 4, 0, 0, "qspinlock", HALTING},
	{"every wait halts, 2 threads", test_storm, 2, 1, LOCK_PV, 0, NULL, HALTING},
	{"every wait halts, 4 threads", test_storm, 4, 1, LOCK_PV, 0, NULL, HALTING},
	{"every wait halts, 16 threads", test_storm, 16, 1, LOCK_PV, 0, NULL, HALTING},
	{"no wait can halt, 2 threads", test_storm, 2, 0, LOCK_PV, 0, NULL, NONE},
	{"no wait can halt, 4 threads", test_storm, 4, 0, LOCK_PV, 0, NULL, NONE},
	{"no wait can halt, 16 threads", test_storm, 16, 0, LOCK_PV, 0, NULL, NONE},
	{"kicks at unlock", test_pv_kick_at_unlock, 3, 0, 0, 0, "pv-qspinlock", HALTING},
	{"stolen past a halted head", test_pv_steal, 3, 0, 0, 0, "pv-qspinlock", HALTING},
	{"no theft from a polling head", test_pv_no_steal_while_pending, 3, 0, 0, 0, "pv-qspinlock",
	 HALTING},
	{"no theft of a free lock whose head polls", test_pv_no_steal_of_free, 3, 0, 0, 0,
	 "pv-qspinlock", HALTING},
	{"waits early", test_pv_wait_early, 8, 0, 0, 0, "pv-qspinlock", HALTING},
	{"never waits early unasked", test_pv_wait_early, 8, UINT32_MAX, 0, 0, "pv-qspinlock",
	 HALTING},
	{"this client sees that null does not exclude", test_exclusion_catches, 2, 0,
	 LOCK_NO_EXCLUSION, 0, NULL, HALTING},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static struct test test;
static char case_name[128];
static unsigned int budget_ms = BUDGET_MS;
static bool without_null;
static char **chosen; /* NULL-terminated; empty: all */

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool applies(const struct test_case *c, const struct lock_ops *ops)
{
	bool named = !*chosen;

	for (char **name = chosen; *name; name++)
		named = named || strcmp(*name, ops->name) == 0;
	return named && (ops->flags & c->with) == c->with && !(ops->flags & c->without) &&
	       (!c->only || ends_with(ops->name, c->only)) &&
	       !(without_null && (ops->flags & LOCK_NO_EXCLUSION));
}

/* A case that hangs, or a lock that found its own state impossible (__builtin_trap), cannot be
 * unwound; say where it stands and end. */
static void hung(int signal)
{
	char text[512];
	int length;

	length = snprintf(text, sizeof(text), "Bail out! %s: %s, lock state 0x%016llx; %s\n",
			  case_name, signal == SIGALRM ? "hangs" : "trapped in the lock",
			  (unsigned long long)*(volatile uint64_t *)test.lock, test.why);
	if (write(STDOUT_FILENO, text, (size_t)length) < 0)
		_exit(4);
	_exit(1);
}

static void set_up(const struct test_case *c, const struct lock_ops *ops)
{
	struct lock_env env = {.cpus = CLIENT_CPUS};

	memset(&test, 0, sizeof(test));
	test.ops = ops;
	test.threads = c->threads;
	test.argument = c->argument;
	test.budget_ns = (uint64_t)budget_ms * 1000000u;
	/* a stride that is no power of two: tails must be decoded by multiplication */
	test.stride = (ops->node_size + 2 * CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	test.nodes = port_alloc(CLIENT_CPUS * test.stride, CACHE_LINE);
	test.lock = port_alloc(ops->state_size, CACHE_LINE);
	env.nodes = test.nodes;
	env.node_stride = test.stride;
	tunables_reset();
	pv_backend = c->backend == HALTING ? &pv_hosted : &pv_none;
	for (uint32_t i = 0; i < CLIENT_CPUS; i++)
		memset(port_stats(i)->count, 0, sizeof(port_stats(i)->count));
	ops->init(test.lock, &env);
}

static bool run_case(const struct test_case *c, const struct lock_ops *ops, unsigned int number)
{
	bool ok;

	set_up(c, ops);
	snprintf(case_name, sizeof(case_name), "%s: %s", ops->name, c->name);
	alarm(CASE_SECONDS);
	c->run(&test);
	alarm(0);
	ok = !atomic_load_explicit(&test.failed, memory_order_relaxed);
	printf("%s %u - %s\n", ok ? "ok" : "not ok", number, case_name);
	if (!ok)
		printf("# %s\n", test.why);
	fflush(stdout);
	return ok;
}

/* Runs, or only counts, all that applies. */
static unsigned int all_cases(bool run, unsigned int *failed)
{
	unsigned int number = 0;

	for (size_t l = 0; l < lock_count_registered(); l++)
		for (size_t i = 0; i < CASES; i++) {
			const struct lock_ops *ops = lock_registered(l)->ops;

			if (!applies(&cases[i], ops))
				continue;
			number++;
			if (run && !run_case(&cases[i], ops, number))
				++*failed;
		}
	return number;
}

/* Sorted, findable, each name once, every event and tunable named. */
static const char *registry_fault(void)
{
	for (size_t i = 0; i < lock_count_registered(); i++) {
		const struct lock_entry *entry = lock_registered(i);
		const char *name = entry->ops->name;

		if (lock_find(name, strlen(name)) != entry)
			return name;
		if (lock_find(name, strlen(name) - 1) == entry)
			return name;
		if (i > 0 && strcmp(lock_registered(i - 1)->ops->name, name) >= 0)
			return name;
	}
	for (size_t i = 0; i < EV_COUNT; i++)
		if (!lock_event_names[i])
			return "an event without a name";
	for (size_t i = 0; i < tunable_count; i++)
		if (tunables[i].initial < tunables[i].min || tunables[i].initial > tunables[i].max)
			return tunables[i].name;
	return lock_registered(lock_count_registered()) ? "one lock too many" : NULL;
}

int main(int argc, char **argv)
{
	unsigned int failed = 0, count;
	const char *fault;
	int arg = 1;

	for (; arg < argc && argv[arg][0] == '-'; arg++) {
		if (strcmp(argv[arg], "--without-null") == 0) {
			without_null = true;
		} else if (sscanf(argv[arg], "--budget-ms=%u", &budget_ms) != 1) {
			fprintf(stderr, "%s: --without-null or --budget-ms=N\n", argv[arg]);
			return 2;
		}
	}
	chosen = argv + arg;
	for (char **name = chosen; *name; name++)
		if (!lock_find(*name, strlen(*name))) {
			fprintf(stderr, "%s: no such lock\n", *name);
			return 2;
		}
	hosted_init(CLIENT_CPUS);
	signal(SIGALRM, hung);
	signal(SIGILL, hung);
	count = all_cases(false, NULL) + 1;
	printf("TAP version 14\n1..%u\n", count);
	all_cases(true, &failed);
	fault = registry_fault();
	printf("%s %u - registry and tables\n", fault ? "not ok" : "ok", count);
	if (fault)
		printf("# wrong at: %s\n", fault);
	return failed || fault ? 1 : 0;
}
