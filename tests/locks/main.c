/* SPDX-License-Identifier: MIT */
/*
 * check-locks [--without-null] [--budget-ms=N] [--case-seconds=N] [--cpus=N] [--case=ID] [LOCK...]
 *
 * Runs every case for every registered lock (or those named) that it applies to, and reports in
 * TAP. Each case gets a lock that init has just set up. A case that has not ended after
 * --case-seconds hangs: "Bail out!" with the lock's state. --without-null leaves out the case that
 * really has data races. --cpus: threads of the cases that use all CPUs. --case: runs only that
 * case.
 */
#define _GNU_SOURCE
#include "lib/cmdline.h"
#include "locks/core/registry.h"
#include "locks/core/tunables.h"
#include "port/hang.h"
#include "port/hosted/hosted.h"
#include "tests/suites/locks/cases.h"
#include "tests/suites/locks/client.h"
#include "tests/suites/locks/client_port.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUDGET_MS 120

static char case_name[128];
static unsigned int budget_ms = BUDGET_MS;
static unsigned int case_seconds = 60; /* more than a case's own waits (client_await_s) */
static unsigned int cpus = CLIENT_CPUS;
static const char *only_case;
static bool without_null;
static char **chosen; /* names of locks, NULL-terminated; empty: all */

static bool wanted(const struct lock_case *c, const struct lock_ops *ops)
{
	bool named = !*chosen;

	for (char **name = chosen; *name; name++)
		named = named || strcmp(*name, ops->name) == 0;
	if (only_case && strcmp(only_case, c->id) != 0)
		return false;
	return named && case_applies(c, ops) && !(without_null && (ops->flags & LOCK_NO_EXCLUSION));
}

static const char *state_of(uint32_t cpu)
{
	return client_state(case_test(), cpu);
}

/* A case that hangs, or whose lock found its own state impossible (__builtin_trap), cannot be
 * unwound: says where it stands and ends the program. */
static void bail_out(int signal)
{
	const struct test *test = case_test();
	struct hang hang = {
		.what = signal == SIGALRM ? case_name : "trapped in the lock",
		.ops = test->ops,
		.lock = test->lock,
		.owner = client_owner(test),
		.threads = test->threads,
		.bound_ns = case_seconds * UINT64_C(1000000000),
		.state = state_of,
	};
	char text[512];
	int length;

	port_report_hang(&hang);
	length = snprintf(text, sizeof(text), "Bail out! %s: %s; %s\n", case_name,
			  signal == SIGALRM ? "hangs" : "trapped in the lock", test->why);
	if (write(STDOUT_FILENO, text, (size_t)length) < 0)
		_exit(4);
	_exit(1);
}

static bool run_case(const struct lock_case *c, const struct lock_ops *ops, unsigned int number)
{
	const struct test *test;
	bool ok;

	snprintf(case_name, sizeof(case_name), "%s: %s", ops->name, c->name);
	alarm(case_seconds);
	test = case_run(c, ops, &pv_hosted, budget_ms);
	alarm(0);
	ok = !atomic_load_explicit(&test->failed, memory_order_relaxed);
	printf("%s %u - %s\n", ok ? "ok" : "not ok", number, case_name);
	if (!ok)
		printf("# %s\n", test->why);
	fflush(stdout);
	return ok;
}

/* Runs, or only counts, all cases that apply. */
static unsigned int all_cases(bool run, unsigned int *failed)
{
	unsigned int number = 0;

	for (size_t l = 0; l < lock_count_registered(); l++) {
		const struct lock_ops *ops = lock_registered(l)->ops;

		for (size_t i = 0; i < case_count(); i++) {
			const struct lock_case *c = case_at(i);

			if (!wanted(c, ops))
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

/* Returns an id that two cases of one lock have, NULL if there is none: both would be the test
 * locks.LOCK.ID. */
static const char *ambiguous_case(void)
{
	for (size_t l = 0; l < lock_count_registered(); l++) {
		const struct lock_ops *ops = lock_registered(l)->ops;

		for (size_t i = 0; i < case_count(); i++)
			for (size_t k = 0; k < i; k++)
				if (strcmp(case_at(i)->id, case_at(k)->id) == 0 &&
				    case_applies(case_at(i), ops) && case_applies(case_at(k), ops))
					return case_at(i)->id;
	}
	return NULL;
}

/* Returns what is wrong, NULL if nothing is: locks are sorted, can be found and have each name
 * once; every event and tunable has a name. */
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
	return lock_registered(lock_count_registered()) ? "one lock too many" : ambiguous_case();
}

static bool option(const char *word)
{
	if (strcmp(word, "--without-null") == 0) {
		without_null = true;
		return true;
	}
	if (strncmp(word, "--case=", 7) == 0) {
		only_case = word + 7;
		return true;
	}
	if (sscanf(word, "--case-seconds=%u", &case_seconds) == 1) {
		client_await_s = client_race_s = case_seconds * 2 / 3;
		return true;
	}
	if (sscanf(word, "--cpus=%u", &cpus) == 1)
		return cpus >= CLIENT_CPUS && cpus <= HOSTED_MAX_CPUS;
	return sscanf(word, "--budget-ms=%u", &budget_ms) == 1;
}

int main(int argc, char **argv)
{
	unsigned int failed = 0, count;
	const char *fault;
	int arg = 1;

	for (; arg < argc && argv[arg][0] == '-'; arg++) {
		if (option(argv[arg]))
			continue;
		fprintf(stderr,
			"%s: --without-null, --budget-ms=N, --case-seconds=N, --case=ID or "
			"--cpus=%d..%d\n",
			argv[arg], CLIENT_CPUS, HOSTED_MAX_CPUS);
		return 2;
	}
	chosen = argv + arg;
	for (char **name = chosen; *name; name++)
		if (!lock_find(*name, strlen(*name))) {
			fprintf(stderr, "%s: no such lock\n", *name);
			return 2;
		}
	hosted_init(cpus);
	signal(SIGALRM, bail_out);
	signal(SIGILL, bail_out);
	count = all_cases(false, NULL) + 1;
	printf("TAP version 14\n1..%u\n", count);
	all_cases(true, &failed);
	fault = registry_fault();
	printf("%s %u - registry and tables\n", fault ? "not ok" : "ok", count);
	if (fault)
		printf("# wrong at: %s\n", fault);
	return failed || fault ? 1 : 0;
}
