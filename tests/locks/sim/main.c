/* SPDX-License-Identifier: MIT */
/*
 * check-locks [--seeds=N] [--first=S] [--budget-ms=N] [--case=ID] [LOCK...]
 * check-locks --seed=S --case=ID LOCK
 * check-locks --search=DEVIATIONS [--case=ID] [LOCK...]
 *
 * Runs every case for every lock (or those named) that it applies to, on simulated CPUs, and
 * reports in TAP. Each case runs under N chosen schedules, those of the seeds S, S + 1 ... (S is
 * 1). The first failure of a case is reported with its seed and the schedule's last steps; --seed=
 * plays that one schedule again. --search runs other, small cases under all schedules with few
 * deviations from the plain one (search.h).
 */
#include "locks/core/pv.h"
#include "locks/core/registry.h"
#include "port/port.h"
#include "port/sim/guest.h"
#include "sim/explore/explore.h"
#include "tests/locks/sim/report.h"
#include "tests/locks/sim/search.h"
#include "tests/suites/locks/cases.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEEDS      200
#define BUDGET_MS  20 /* of a race; 2000 steps */
#define STEPS_MOST 4000000

static struct {
	unsigned long long seeds, first;
	unsigned int budget_ms;
	const char *only_case;
	int search; /* deviations; negative: no search */
	bool one, times;
	char **chosen; /* names of locks, NULL-terminated; empty: all */
} options = {.seeds = SEEDS, .first = 1, .budget_ms = BUDGET_MS, .search = -1};

static const struct pv_backend *own; /* the port's */

/* On main()'s stack, because explore_run() resets the program's variables. */
struct job {
	const struct lock_case *c;
	const struct lock_ops *ops;
	unsigned int number;
};

static bool wanted(const struct lock_case *c, const struct lock_ops *ops)
{
	bool named = !*options.chosen;

	for (char **name = options.chosen; *name; name++)
		named = named || strcmp(*name, ops->name) == 0;
	if (options.only_case && strcmp(options.only_case, c->id) != 0)
		return false;
	return named && case_applies(c, ops);
}

static void run(void *arg)
{
	const struct job *job = arg;

	case_run(job->c, job->ops, own, options.budget_ms);
}

/* Returns whether all seeds passed. At least one must have shown what the case is about. */
static bool run_case(struct job *job)
{
	unsigned long long unseen = 0;

	for (unsigned long long i = 0; i < options.seeds; i++) {
		unsigned long long seed = options.first + i;
		char again[32];
		enum explore_end end = explore_run(run, job, seed);

		if (end == EXPLORE_ENDED && !case_test()->failed)
			continue;
		if (end == EXPLORE_ENDED && case_test()->unseen && ++unseen < options.seeds)
			continue;
		printf("not ok %u - %s: %s (%s)\n", job->number, job->ops->name, job->c->name,
		       report_end(end));
		snprintf(again, sizeof(again), "seed=%llu", seed);
		report_failure(job->c, job->ops, end, again);
		fflush(stdout);
		return false;
	}
	printf("ok %u - %s: %s\n", job->number, job->ops->name, job->c->name);
	fflush(stdout);
	return true;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool run_or_search(struct job *job)
{
	if (options.search < 0)
		return run_case(job);
	return search_case(job->c, job->ops, own, (uint32_t)options.search, job->number);
}

/* Runs, or only counts, all cases that apply. */
static unsigned int all_cases(bool really, unsigned int *failed)
{
	bool search = options.search >= 0;
	struct job job = {.number = 0};

	for (size_t l = 0; l < lock_count_registered(); l++)
		for (size_t i = 0; i < (search ? search_count : case_count()); i++) {
			double start = seconds();

			job.ops = lock_registered(l)->ops;
			job.c = search ? &search_cases[i] : case_at(i);
			if (!wanted(job.c, job.ops))
				continue;
			job.number++;
			if (really && !run_or_search(&job))
				++*failed;
			if (really && options.times)
				printf("# %.3f s\n", seconds() - start);
		}
	return job.number;
}

static bool option(const char *word)
{
	if (strncmp(word, "--case=", 7) == 0) {
		options.only_case = word + 7;
		return true;
	}
	if (sscanf(word, "--seed=%llu", &options.first) == 1) {
		options.one = true;
		options.seeds = 1;
		return true;
	}
	if (strcmp(word, "--times") == 0) {
		options.times = true;
		return true;
	}
	return sscanf(word, "--seeds=%llu", &options.seeds) == 1 ||
	       sscanf(word, "--search=%d", &options.search) == 1 ||
	       sscanf(word, "--first=%llu", &options.first) == 1 ||
	       sscanf(word, "--budget-ms=%u", &options.budget_ms) == 1;
}

int main(int argc, char **argv)
{
	unsigned int failed = 0;
	int arg = 1;

	for (; arg < argc && argv[arg][0] == '-'; arg++) {
		if (option(argv[arg]))
			continue;
		fprintf(stderr,
			"%s: --seeds=N, --first=S, --seed=S, --budget-ms=N, --search=N, --times or "
			"--case=ID\n",
			argv[arg]);
		return 2;
	}
	options.chosen = argv + arg;
	for (char **name = options.chosen; *name; name++)
		if (!lock_find(*name, strlen(*name))) {
			fprintf(stderr, "%s: no such lock\n", *name);
			return 2;
		}
	explore_init();
	explore->steps_most = STEPS_MOST;
	port_sim_init(0);
	pv_sim_select(false, false);
	own = pv_backend;
	explore->running = NULL;
	printf("TAP version 14\n1..%u\n", all_cases(false, NULL));
	fflush(stdout);
	explore_snapshot();
	all_cases(true, &failed);
	return failed ? 1 : 0;
}
