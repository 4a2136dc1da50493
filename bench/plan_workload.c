/* SPDX-License-Identifier: MIT */
/* See plan_workload.h. Which workload has which key is said in keys[] (plan.c). */
#include "bench/plan_workload.h"

#include "bench/plan_keys.h"
#include "bench/slices.h"
#include "lib/cmdline.h"
#include "lib/printf.h"
#include "lib/string.h"
#include <stddef.h>

#define JOBS          400
#define JOBS_EMULATED 40

/* The least default of ms=. A longer one is cut so that all measured phases add up to TOTAL_MS. */
#define LEAST_MS 300
#define TOTAL_MS 60000
/* How long a CPU runs a thread at least while others wait: CFS and EEVDF check at the tick (Debian:
 * 250 a second) whether its slice of about 3 ms is over (kernel/sched/fair.c). */
#define SLICE_MS 4

static void accept_keys(const struct plan *plan, struct plan_error *error)
{
	plan_error_add(error, " with workload=%s; accepted: ", workload_names[plan->workload]);
	for (size_t i = 0, count = 0; i < plan_key_count(); i++) {
		if (plan_key_at(i)->workloads != 0 && plan_key_applies(plan, plan_key_at(i)))
			plan_error_add(error, "%s%s=", count++ ? ", " : "", plan_key_at(i)->name);
	}
}

static void check_keys(const struct plan *plan, const char *line, struct plan_error *error)
{
	struct cmdline_word word;

	while (cmdline_next(&line, &word)) {
		for (size_t i = 0; i < plan_key_count(); i++) {
			if (!cmdline_is(word.key, word.key_length, plan_key_at(i)->name) ||
			    plan_key_applies(plan, plan_key_at(i)))
				continue;
			if (plan_error_begin(error, &word, word.value, word.value_length,
					     "has no meaning"))
				accept_keys(plan, error);
		}
	}
}

/* kbuild's locks protect its scheduler, which would not survive without exclusion. */
static void check_locks(const struct plan *plan, struct plan_error *error)
{
	const struct cmdline_word word = {.key = "locks", .key_length = 5};

	for (size_t i = 0; i < plan->lock_count; i++) {
		const struct lock_ops *ops = plan->locks[i]->ops;

		if (ops->flags & LOCK_NO_EXCLUSION &&
		    plan_error_begin(error, &word, ops->name, strlen(ops->name),
				     "excludes nobody, and workload=kbuild's run queues need it; "
				     "accepted: every other lock"))
			return;
	}
}

static void check_tasks(const struct plan *plan, struct plan_error *error)
{
	const struct cmdline_word word = {.key = "tasks", .key_length = 5};
	char number[24];
	int length = ksnprintf(number, sizeof(number), "%llu", (unsigned long long)plan->tasks);

	for (size_t i = 0; i < plan->thread_counts; i++) {
		if (plan->tasks != 0 && plan->tasks != plan->threads[i] &&
		    plan_error_begin(error, &word, number, (size_t)length,
				     "only workload=kbuild has other than one task for each vCPU"))
			plan_error_add(error, "; accepted: %u", plan->threads[i]);
	}
}

/* Enough jobs for a run of one or two seconds on two CPUs, where an emulated CPU takes ten times as
 * long or more; and at least one per task. */
static uint64_t default_jobs(const struct plan *plan)
{
	bool emulated = strcmp(plan->accel, "nested") == 0 || strcmp(plan->accel, "tcg") == 0;
	uint64_t jobs = emulated ? JOBS_EMULATED : JOBS;

	for (size_t i = 0; i < plan->thread_counts; i++) {
		uint64_t tasks = plan_tasks(plan, plan->threads[i]);

		jobs = tasks > jobs ? tasks : jobs;
	}
	return jobs;
}

/* Long enough for each vCPU to get a CPU SLICES_ENOUGH times, if all that share the CPU do. */
static uint64_t default_ms(const struct plan *plan)
{
	uint64_t phases = (uint64_t)plan->lock_count * plan->thread_counts * plan->reps;
	uint64_t ms = LEAST_MS, most = TOTAL_MS / (phases ? phases : 1);

	if (plan->vmm.cpu_percent != 0)
		ms = (uint64_t)SLICES_ENOUGH * SLICE_MS * plan_most_threads(plan) * 100 /
		     plan->vmm.cpu_percent;
	ms = ms > most ? most : ms;
	return ms > LEAST_MS ? ms : LEAST_MS;
}

static void clear_others_keys(struct plan *plan)
{
	for (size_t i = 0; i < plan_key_count(); i++)
		if (!plan_key_applies(plan, plan_key_at(i)))
			plan_store(plan, plan_key_at(i), 0);
}

void plan_fit_workload(struct plan *plan, const char *line, struct plan_error *error)
{
	check_keys(plan, line, error);
	clear_others_keys(plan);
	if (plan->workload == WORKLOAD_KBUILD) {
		check_locks(plan, error);
		if (plan->jobs == 0)
			plan->jobs = default_jobs(plan);
		plan->dispatch = DISPATCH_INDIRECT; /* thousands of locks, one loop for all */
	} else {
		check_tasks(plan, error);
		plan->tasks = 0;
		if (plan->ops == 0 && plan->ms == 0)
			plan->ms = default_ms(plan);
	}
}
