/* SPDX-License-Identifier: MIT */
/* What the figures may not be used for: see tables.h. */
#include "tools/report/tables/tables.h"

#include "bench/quoting.h"
#include "tools/report/base/data.h"
#include "tools/report/cells/overlap.h"
#include "tools/report/cells/stats.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define OVERLAP_ENOUGH 0.9

static void limit_reps(const struct set *set, struct notes *limits)
{
	size_t few = 0, fewest = SIZE_MAX;

	for (size_t i = 0; i < set->cell_count; i++) {
		few += set->cells[i].reps < REPS_TO_QUOTE;
		if (set->cells[i].reps < fewest)
			fewest = set->cells[i].reps;
	}
	if (few > 0)
		note_add(limits, false,
			 "%zu of %zu rows have fewer than %d repetitions (fewest: %zu): too few to "
			 "quote.",
			 few, set->cell_count, REPS_TO_QUOTE, fewest);
}

/* Returns how many CPUs the vCPUs shared; 0 if unknown. */
static uint64_t host_cpus(const struct log *log)
{
	json_int_t cpus = json_integer_value(log_manifest(log, "host", "cpus"));

	if (strcmp(record_text(log->boot, "accel"), "hosted") == 0)
		return record_u64(log->boot, "vcpus"); /* the CPUs that its threads may use */
	if (strcmp(record_text(log->boot, "accel"), "sim") == 0)
		return (uint64_t)json_integer_value(
			json_object_get(json_object_get(log->boot->json, "host"), "cpus"));
	if (strcmp(record_text(log->boot, "accel"), "nested") == 0)
		cpus = json_integer_value(log_manifest(log, "l1", "cpus"));
	if (cpus < 1)
		return 0;
	return (uint64_t)cpus;
}

/* Returns on how many CPUs --pin put the vCPUs of a call; 0 without --pin. */
static uint64_t pinned_cpus(const struct log *log)
{
	json_t *seen = json_object(), *instance, *vcpu;
	size_t i, v, count;

	json_array_foreach(log_manifest(log, "instances", NULL), i, instance)
	{
		json_array_foreach(json_object_get(instance, "vcpus"), v, vcpu)
		{
			const json_t *cpu = json_object_get(vcpu, "pinned_to");
			char key[24];

			if (!json_is_integer(cpu))
				continue;
			snprintf(key, sizeof(key), "%lld", (long long)json_integer_value(cpu));
			json_object_set_new(seen, key, json_true());
		}
	}
	count = json_object_size(seen);
	json_decref(seen);
	return count;
}

uint64_t log_cpus(const struct log *log)
{
	uint64_t have = host_cpus(log), pinned = pinned_cpus(log);

	return pinned > 0 && (have == 0 || pinned < have) ? pinned : have;
}

static void limit_overcommit(const struct set *set, struct notes *limits)
{
	size_t rows = 0;
	uint64_t cpus = 0;

	for (size_t i = 0; i < set->cell_count; i++) {
		const struct cell *cell = &set->cells[i];
		uint64_t have = log_cpus(cell->origin[0].log);

		if (have == 0 || cell->key.threads * cell->key.instances <= have)
			continue;
		rows++;
		cpus = have;
	}
	if (rows > 0)
		note_add(limits, false,
			 "%zu of %zu rows: more vCPUs than the %llu CPUs they could run on. They "
			 "show the host's scheduler as much as the lock, and not what the lock "
			 "does when each vCPU has a CPU.",
			 rows, set->cell_count, (unsigned long long)cpus);
}

/* The host stops a cgroup that has used up its quota, even if its vCPUs hold locks. */
static void limit_quota(const struct set *set, struct notes *limits)
{
	double most = 0, cpus = 0;

	for (size_t i = 0; i < set->log_count; i++) {
		const json_t *quota = log_manifest(&set->logs[i], "host", "cpu_quota");
		double stopped =
			(double)json_integer_value(json_object_get(quota, "throttled_us")) / 1e3;

		if (stopped <= most)
			continue;
		most = stopped;
		cpus = (double)json_integer_value(json_object_get(quota, "quota_us")) /
		       (double)json_integer_value(json_object_get(quota, "period_us"));
	}
	if (most > 0)
		note_add(limits, false,
			 "a cgroup gave the VMs %.2f CPUs and stopped them for %.0f ms: no lock "
			 "caused that wait.",
			 cpus, most);
}

static void limit_stolen(const struct set *set, struct notes *limits)
{
	double most = 0;
	const char *lock = NULL;

	for (size_t i = 0; i < set->cell_count; i++) {
		double stolen = stats_of(&set->cells[i].sample[SAMPLE_STOLEN]).mean;

		if (!isnan(stolen) && stolen > most) {
			most = stolen;
			lock = set->cells[i].key.lock;
		}
	}
	if (most >= 0.01)
		note_add(limits, false,
			 "the host took up to %.0f %% of the vCPUs' time (%s): these figures "
			 "include preemption.",
			 most * 100, lock);
}

static void limit_sources(const struct set *set, struct notes *limits)
{
	const struct record *first = NULL;
	bool versions = false, clocks = false;

	for (size_t i = 0; i < set->log_count; i++) {
		const struct record *boot = set->logs[i].boot;

		if (!set->logs[i].usable)
			continue;
		first = first ? first : boot;
		versions |=
			strcmp(record_text(first, "version"), record_text(boot, "version")) != 0;
		/* 1 % is far above the error of calibration and far below the difference between
		 * two models of CPU */
		clocks |= fabs((double)record_u64(boot, "tsc_khz") /
				       (double)record_u64(first, "tsc_khz") -
			       1) > 0.01;
	}
	if (versions)
		note_add(limits, false,
			 "the logs are from different versions of pvspin; to compare "
			 "versions, use --compare.");
	if (clocks)
		note_add(limits, false,
			 "the logs are from CPUs with different clocks, so not from one host; "
			 "times computed from cycles are wrong.");
}

#define SPEED_STEADY 1.05

/* work() is the same work each time: it takes longer when the CPU's clock is lower, or when another
 * thread of the core runs. */
static void limit_speed(const struct set *set, struct notes *limits)
{
	double least = INFINITY, most = 0;

	for (size_t i = 0; i < set->log_count; i++) {
		const struct log *log = &set->logs[i];

		for (size_t r = 0; r < log->count && log->usable; r++) {
			const struct record *speed = &log->records[r];
			double cycles;

			if (speed->type != RECORD_SPEED)
				continue;
			cycles = (double)record_u64(speed, "work_cycles") /
				 (double)record_u64(speed, "work_iterations");
			least = fmin(least, cycles);
			most = fmax(most, cycles);
		}
	}
	if (most > SPEED_STEADY * least)
		note_add(limits, false,
			 "the CPUs' speed changed: an iteration of the plan's work took %.2f to "
			 "%.2f TSC cycles before and after the sets of runs.",
			 least, most);
}

/* The instances of a joined row should have run at once. */
static void limit_overlap(const struct set *set, struct notes *limits)
{
	struct shared_ns shared = {0};

	for (size_t i = 0; i < set->log_count; i++) {
		const struct log *log = &set->logs[i];

		for (size_t r = 0; r < log->count && log->usable; r++) {
			if (log->records[r].type == RECORD_OVERLAP)
				overlap_add(&shared, &log->records[r]);
		}
	}
	if (shared.shorter > 0 && shared.both < OVERLAP_ENOUGH * shared.shorter)
		note_add(limits, false,
			 "the instances' measured phases overlap by only %.0f %%: the rows that "
			 "join all instances add up runs that did not run at once.",
			 shared.both / shared.shorter * 100);
}

/* Calls that were started separately and measured at the same time loaded each other's host. */
static void limit_other_calls(const struct set *set, struct notes *limits)
{
	struct overlaps overlaps = overlaps_of(set);
	size_t known = overlaps.calls - overlaps.calls_without_clock;
	double shared = 0, all = 0;

	for (size_t i = 0; i < overlaps.count; i++) {
		shared += (double)overlaps.phase[i].beside_calls;
		all += (double)(overlaps.phase[i].end - overlaps.phase[i].start);
	}
	if (shared > 0)
		note_add(limits, false,
			 "calls that were started separately measured at the same time for %.0f %% "
			 "of their measured phases: each is part of the other's host load.",
			 shared / all * 100);
	else if (known > 1 && overlaps.hosts == 1)
		note_add(limits, false,
			 "%zu calls measured one after the other, none beside another.", known);
	if (overlaps.hosts > 1)
		note_add(limits, false,
			 "the calls ran on %zu hosts (or boots of one), whose clocks are not "
			 "compared.",
			 overlaps.hosts);
	if (overlaps.calls > 1 && overlaps.calls_without_clock > 0)
		note_add(limits, false,
			 "%zu of %zu calls have no clock in common with the others (%s: %s): "
			 "whether they measured at the same time is unknown.",
			 overlaps.calls_without_clock, overlaps.calls, overlaps.example->path,
			 clock_missing_reason(overlaps.example));
	overlaps_free(&overlaps);
}

void limits_of(const struct set *set, struct notes *limits)
{
	if (set->accel == NULL || set->cell_count == 0)
		return;
	note_add(limits, false, "accel %s: %s", set->accel, accel_sentence(set->accel));
	limit_reps(set, limits);
	limit_overcommit(set, limits);
	limit_quota(set, limits);
	limit_stolen(set, limits);
	limit_speed(set, limits);
	limit_overlap(set, limits);
	limit_other_calls(set, limits);
	hosts_limit(set, limits);
	limit_sources(set, limits);
}
