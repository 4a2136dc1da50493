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
#include "pvspin/cmdline.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CASE_SECONDS 60 /* more than a case's own waits (AWAIT_S) */
#define BUDGET_MS    120

extern const struct lock_case __start_lock_case_registry[];
extern const struct lock_case __stop_lock_case_registry[];

static struct test test;
static char case_name[128];
static unsigned int budget_ms = BUDGET_MS;
static bool without_null;
static char **chosen; /* NULL-terminated; empty: all */

/* Whether `name` is an item of the list; no list names everything. */
static bool listed(const char *list, const char *name)
{
	const char *cursor = list, *item;
	size_t length;

	while (list && cmdline_list_next(&cursor, list + strlen(list), &item, &length))
		if (cmdline_is(item, length, name))
			return true;
	return !list;
}

static bool applies(const struct lock_case *c, const struct lock_ops *ops)
{
	bool named = !*chosen;

	for (char **name = chosen; *name; name++)
		named = named || strcmp(*name, ops->name) == 0;
	return named && (ops->flags & c->with) == c->with && !(ops->flags & c->without) &&
	       listed(c->only, ops->name) && !(without_null && (ops->flags & LOCK_NO_EXCLUSION));
}

/* A case that hangs, or a lock that found its own state impossible (__builtin_trap), cannot be
 * unwound; say where it stands and end. */
static void hung(int signal)
{
	char text[512];
	int length;

	length = snprintf(text, sizeof(text), "Bail out! %s: %s; %s; %s\n", case_name,
			  signal == SIGALRM ? "hangs" : "trapped in the lock", lock_text(&test),
			  test.why);
	if (write(STDOUT_FILENO, text, (size_t)length) < 0)
		_exit(4);
	_exit(1);
}

/* A hint may be wrong, either way, at any time. */
static bool lying_preempted(uint32_t cpu)
{
	/* Knuth, TAOCP vol. 3, 6.4: the high bits of a product with the golden ratio */
	return (port_cycles() + cpu) * 0x9e3779b97f4a7c15ull >> 62 == 0;
}

static const struct pv_backend *backend_for(enum case_backend kind)
{
	static struct pv_backend lying;

	switch (kind) {
	case BACKEND_HALTING:
		break;
	case BACKEND_NONE:
		return &pv_none;
	case BACKEND_LYING:
		lying = pv_hosted;
		lying.preempted = lying_preempted;
		return &lying;
	}
	return &pv_hosted;
}

static void set_up(const struct lock_case *c, const struct lock_ops *ops)
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
	client_nodes(&test, 1);
	pv_backend = backend_for(c->backend);
	for (uint32_t i = 0; i < CLIENT_CPUS; i++)
		memset(port_stats(i)->count, 0, sizeof(port_stats(i)->count));
	ops->init(test.lock, &env);
}

static bool run_case(const struct lock_case *c, const struct lock_ops *ops, unsigned int number)
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

	for (size_t l = 0; l < lock_count_registered(); l++) {
		const struct lock_ops *ops = lock_registered(l)->ops;
		const struct lock_case *c = __start_lock_case_registry;

		for (; c < __stop_lock_case_registry; c++) {
			if (!applies(c, ops))
				continue;
			number++;
			if (run && !run_case(c, ops, number))
				++*failed;
		}
	}
	return number;
}

static bool every_item_is_a_lock(const char *list)
{
	const char *cursor = list, *item;
	size_t length;

	while (cmdline_list_next(&cursor, list + strlen(list), &item, &length))
		if (!lock_find(item, length))
			return false;
	return true;
}

/* Sorted, findable, each name once, every event and tunable named. */
static const char *registry_fault(void)
{
	for (size_t i = 0; i < lock_count_registered(); i++) {
		const struct lock_entry *entry = lock_registered(i);
		const char *name = entry->ops->name;

		if (lock_find(name, strlen(name)) != entry || !entry->ops->describe)
			return name;
		if (lock_find(name, strlen(name) - 1) == entry)
			return name;
		if (i > 0 && strcmp(lock_registered(i - 1)->ops->name, name) >= 0)
			return name;
	}
	for (size_t i = 0; i < EV_COUNT; i++)
		if (!lock_event_names[i])
			return "an event without a name";
	for (size_t i = 0; i < tunable_count(); i++) {
		const struct tunable *tunable = tunable_at(i);

		if (tunable_find(tunable->name, strlen(tunable->name)) != tunable ||
		    tunable->initial < tunable->min || tunable->initial > tunable->max ||
		    !every_item_is_a_lock(tunable->of))
			return tunable->name;
	}
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
