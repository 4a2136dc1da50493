/* SPDX-License-Identifier: MIT */
/* The tables of an experiment: see study.h. */
#include "bench/quoting.h"
#include "tools/report/base/format.h"
#include "tools/report/base/system.h"
#include "tools/report/cells/stats.h"
#include "tools/report/study/study.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct table_column times_columns[] = {
	{"experiment", "", "experiment", true, true},
	{"", "", "cell", true, false},
	{"runs", "", "runs", false, false},
	{"mean", "s", "mean_s", false, false},
	{"sd", "s", "sd_s", false, false},
	{"min", "s", "min_s", false, false},
	{"max", "s", "max_s", false, false},
	{"sd/mean", "%", "sd_percent", false, false},
	{"study mean", "s", "study_mean_s", false, false},
	{"study sd", "s", "study_sd_s", false, false},
};

void study_number(struct table *table, double number, const char *format)
{
	char text[64];

	snprintf(text, sizeof(text), format, number);
	if (isnan(number))
		table_text(table, "-");
	else
		table_number(table, number, "%s", text);
}

/* Three digits that mean something, from milliseconds to hours. */
static void seconds(struct table *table, double number)
{
	study_number(table, number, number < 10 ? "%.3f" : number < 100 ? "%.2f" : "%.1f");
}

static void cell_row(struct table *table, const struct study_cell *cell)
{
	struct stats time = stats_of(&cell->time);

	table_text(table, cell->label);
	table_number(table, (double)time.count, "%zu", time.count);
	seconds(table, time.mean);
	seconds(table, time.sd);
	seconds(table, time.min);
	seconds(table, time.max);
	study_number(table, 100 * time.sd / time.mean, "%.1f");
	if (isnan(cell->study_low))
		study_number(table, cell->study_mean, "%.1f");
	else
		table_number(table, cell->study_mean, "%.0f..%.0f", cell->study_low,
			     cell->study_high);
	study_number(table, cell->study_sd, "%.2f");
}

#define WHY_COLUMNS 12
static const struct table_column why_columns[WHY_COLUMNS] = {
	{"running", "%", "running_percent", false, false},
	{"spinning", "%", "spinning_percent", false, false},
	{"halted", "%", "halted_percent", false, false},
	{"idle", "%", "idle_percent", false, false},
	{"stolen", "%", "stolen_percent", false, false},
	{"LHP", "/s", "lhp_per_s", false, false},
	{"each", "", "lhp_each_ns", false, false},
	{"cost", "", "lhp_each_wait_ns", false, false},
	{"longest wait", "", "longest_wait_ns", false, false},
	{"halts", "/s", "halts_per_s", false, false},
	{"kicks", "/s", "kicks_per_s", false, false},
	{"wasted", "/s", "spurious_wakeups_per_s", false, false},
};

static double mean(const struct study_cell *cell, enum sample_index index)
{
	return stats_of(&cell->why.sample[index]).mean;
}

static void per_second(struct table *table, const struct study_cell *cell, enum sample_index index)
{
	table_count(table, mean(cell, index) / mean(cell, SAMPLE_MERIT));
}

/* Of each of such events, the mean time; NAN: there was none. */
static void each(struct table *table, const struct study_cell *cell, enum sample_index events,
		 enum sample_index time)
{
	double count = mean(cell, events);

	table_ns(table, count > 0 ? mean(cell, time) / count : NAN);
}

static void why_row(struct table *table, const struct study_cell *cell)
{
	for (enum sample_index i = SAMPLE_RUNNING; i <= SAMPLE_STOLEN; i++) {
		double percent = 100 * mean(cell, i);

		if (isnan(percent))
			table_number(table, NAN, "-");
		else
			table_number(table, percent, "%.1f", percent);
	}
	per_second(table, cell, SAMPLE_LHP_EVENTS);
	each(table, cell, SAMPLE_LHP_EVENTS, SAMPLE_LHP_NS);
	each(table, cell, SAMPLE_LHP_EVENTS, SAMPLE_LHP_WAIT_NS);
	table_ns(table, stats_of(&cell->why.sample[SAMPLE_LONGEST_WAIT_NS]).max);
	per_second(table, cell, SAMPLE_HALTS);
	per_second(table, cell, SAMPLE_KICKS);
	per_second(table, cell, SAMPLE_SPURIOUS_WAKEUPS);
}

/* How much of the measured phases was at the same time, where that is the point. */
static void overlap_note(const struct study *study, struct table *table)
{
	double least = INFINITY, sum = 0;
	size_t count = 0;

	for (size_t i = 0; i < study->cell_count; i++) {
		const struct study_cell *cell = &study->cells[i];

		for (size_t j = 0; j < cell->time.count; j++) {
			if (isnan(cell->overlap[j]))
				continue;
			least = fmin(least, cell->overlap[j]);
			sum += cell->overlap[j];
			count++;
		}
	}
	if (count)
		table_footnote(
			table,
			"At once: of the shorter measured phase of a run, %.0f %% was within "
			"the other's (mean; least %.0f %%).",
			100 * sum / (double)count, 100 * least);
}

/* `wide`: with the columns of the other table behind. */
static void study_rows(struct table *table, const struct study *study, bool wide)
{
	if (study->skipped) {
		table_footnote(table, "%s skipped: %s.", study->name, study->skipped);
		return;
	}
	for (size_t i = 0; i < study->cell_count; i++) {
		const struct study_cell *cell = &study->cells[i];

		table_text(table, study->name);
		cell_row(table, cell);
		if (wide)
			why_row(table, cell);
		if (cell->cut_count > 0)
			table_footnote(table,
				       "%s: %zu of %zu runs met their time limit; their times, and "
				       "so the mean, are lower bounds.",
				       cell->label, cell->cut_count, cell->time.count);
		if (cell->time.count < cell->wanted)
			table_footnote(table, "%s: only %zu of %zu repetitions are there.",
				       cell->label, cell->time.count, cell->wanted);
	}
	overlap_note(study, table);
	if (study->more[0])
		table_footnote(table, "The study: %s.", study->more);
}

struct table *study_times(const struct study *studies, size_t count)
{
	struct table *table = table_new(studies[0].title, times_columns, COUNT_OF(times_columns));

	for (size_t i = 0; i < count; i++)
		study_rows(table, &studies[i], false);
	return table;
}

struct table *study_wide(const struct study *studies, size_t count)
{
	struct table_column columns[COUNT_OF(times_columns) + WHY_COLUMNS];
	struct table *table;

	memcpy(columns, times_columns, sizeof(times_columns));
	memcpy(columns + COUNT_OF(times_columns), why_columns, sizeof(why_columns));
	table = table_new("", columns, COUNT_OF(columns));
	for (size_t i = 0; i < count; i++)
		study_rows(table, &studies[i], true);
	return table;
}

/*
 * Where the time went: a table, and the sentence below it: into which of the vCPUs' states the
 * difference between two cells' times went. As the means of the parts add up to the mean of the
 * time, so do their differences. It is said only where the times are known to differ, and of the
 * parts only what is.
 */

/* How much of the difference of two cells' times went into one of the vCPUs' states. */
struct part {
	const char *name;
	double seconds; /* the slower cell's less the faster one's */
	double p;       /* that it is none */
};

#define PARTS (SAMPLE_STOLEN - SAMPLE_RUNNING + 1)

/* Below this share of the difference a part does not explain it, however sure it is. */
#define WORTH_NAMING 0.1

/* Of the cell's i-th repetition. */
static double why_second(const struct study_cell *cell, enum sample_index part, size_t i)
{
	return cell->why.sample[part].value[i] * cell->why.sample[SAMPLE_MERIT].value[i];
}

struct sample why_seconds(const struct study_cell *cell, enum sample_index part)
{
	size_t count = cell->why.sample[part].count;
	struct sample seconds = {memory_new(count + 1, sizeof(double)), 0};

	for (size_t i = 0; i < count; i++) {
		double value = why_second(cell, part, i);

		if (!isnan(value))
			seconds.value[seconds.count++] = value;
	}
	return seconds;
}

/* Of cells that were measured in the same runs: the paired t test of the differences. */
static double paired_p(const struct study_cell *a, const struct study_cell *b,
		       enum sample_index part)
{
	double *difference = memory_new(a->time.count + 1, sizeof(*difference)), error;
	size_t count = 0;

	for (size_t i = 0, j = 0; i < a->time.count; i++) {
		double value;

		while (j < b->time.count && b->repetition[j] < a->repetition[i])
			j++;
		if (j == b->time.count || b->repetition[j] != a->repetition[i])
			continue;
		value = why_second(a, part, i) - why_second(b, part, j);
		if (!isnan(value))
			difference[count++] = value;
	}
	error = count > 1 ? gsl_stats_sd(difference, 1, count) / sqrt((double)count) : NAN;
	error = gsl_stats_mean(difference, 1, count) / error;
	free(difference);
	return count > 1 ? 2 * gsl_cdf_tdist_Q(fabs(error), (double)count - 1) : NAN;
}

static void part_of(const struct study_cell *slow, const struct study_cell *fast,
		    enum sample_index index, struct part *part)
{
	struct sample a = why_seconds(fast, index), b = why_seconds(slow, index);

	part->name = sample_list[index].name;
	part->seconds = stats_of(&b).mean - stats_of(&a).mean;
	part->p = NAN;
	if (strcmp(slow->run, fast->run) == 0)
		part->p = paired_p(slow, fast, index);
	else if (a.count > 0 && b.count > 0)
		part->p = two_sample(a.value, a.count, b.value, b.count).p;
	free(a.value);
	free(b.value);
}

static int by_size(const void *left, const void *right)
{
	const struct part *a = left, *b = right;
	double x = fabs(a->seconds), y = fabs(b->seconds);

	return (x < y) - (x > y);
}

/* "stolen 0.41 s more (77 % of it), running 0.06 s less (-11 %)", of what is known; to be freed. */
static char *parts_text(struct part part[PARTS], double difference)
{
	char *text = memory_copy("");

	qsort(part, PARTS, sizeof(*part), by_size);
	for (int i = 0; i < PARTS; i++) {
		double share = part[i].seconds / difference;
		char time[FORMAT_BYTES];

		if (part[i].p < ALPHA && fabs(share) >= WORTH_NAMING)
			memory_append(&text, "%s%s %s %s (%.0f %% of it)", text[0] ? ", " : "",
				      part[i].name, format_ns(time, 1e9 * fabs(part[i].seconds)),
				      share < 0 ? "less" : "more", 100 * share);
	}
	return text;
}

static void says_parts(struct table *table, const struct study_cell *slow,
		       const struct study_cell *fast)
{
	double difference = mean(slow, SAMPLE_MERIT) - mean(fast, SAMPLE_MERIT);
	struct part part[PARTS];
	char *text, time[FORMAT_BYTES];

	for (int i = 0; i < PARTS; i++)
		part_of(slow, fast, SAMPLE_RUNNING + i, &part[i]);
	text = parts_text(part, difference);
	table_footnote(table, "%s took %s longer than %s. Of each vCPU's time: %s.", slow->label,
		       format_ns(time, 1e9 * difference), fast->label,
		       text[0] ? text : "into what it went is not decided");
	free(text);
}

/* What sets the two cells of a finding apart; false: their times are not known to differ. */
static bool says(struct table *table, const struct study_finding *finding)
{
	const struct study_cell *a = finding->cell, *b = finding->other;
	bool slower = mean(a, SAMPLE_MERIT) > mean(b, SAMPLE_MERIT);

	/* The test may be one of ranks: where means say the other, nothing is decided. */
	if (!(finding->p < ALPHA) || slower != (finding->ratio > 1))
		return false;
	says_parts(table, slower ? a : b, slower ? b : a);
	return true;
}

/* Whether a finding is about two times of which the parts are known. */
static bool has_parts(const struct study_finding *finding)
{
	return finding->kind != FINDING_WILDER && !isnan(mean(finding->cell, SAMPLE_RUNNING)) &&
	       !isnan(mean(finding->other, SAMPLE_RUNNING));
}

static void says_all(struct table *table, const struct study *study)
{
	const struct study_finding *silent = NULL;
	size_t count = 0;

	for (size_t i = 0; i < study->finding_count; i++) {
		const struct study_finding *finding = &study->findings[i];

		if (has_parts(finding) && !says(table, finding)) {
			silent = finding;
			count++;
		}
	}
	if (count == 1)
		table_footnote(table,
			       "What sets %s and %s apart is not said: their times are not known "
			       "to differ.",
			       silent->cell->label, silent->other->label);
	else if (count > 1)
		table_footnote(table,
			       "Of %zu pairs of the findings it is not said what sets them apart: "
			       "their times are not known to differ.",
			       count);
}

static bool unknown_split(const struct study *study)
{
	for (size_t i = 0; i < study->cell_count; i++) {
		if (isnan(mean(&study->cells[i], SAMPLE_RUNNING)))
			return true;
	}
	return false;
}

static void why_of(struct table *table, const struct study *study)
{
	for (size_t i = 0; i < study->cell_count; i++) {
		table_text(table, study->name);
		table_text(table, study->cells[i].label);
		why_row(table, &study->cells[i]);
	}
	says_all(table, study);
	if (unknown_split(study))
		table_footnote(table, "-: nobody says who was off the CPU without a steal-time "
				      "page (hosted, tcg), or there was none.");
}

struct table *study_why(const struct study *studies, size_t count)
{
	struct table_column columns[2 + WHY_COLUMNS] = {
		{"experiment", "", "experiment", true, true},
		{"", "", "cell", true, false},
	};
	struct table *table;

	memcpy(columns + 2, why_columns, sizeof(why_columns));
	table = table_new("Where the vCPUs' time went, who was preempted, and what it cost",
			  columns, 2 + WHY_COLUMNS);
	for (size_t i = 0; i < count; i++) {
		if (!studies[i].skipped)
			why_of(table, &studies[i]);
	}
	return table;
}

void study_notes(const struct study *studies, size_t count, struct table *table)
{
	const char *accel = count ? studies[0].accel : "";

	if (count == 0)
		return;
	table_footnote(table, "Accelerator %s; host with %llu CPUs, VMs with %llu vCPUs.", accel,
		       (unsigned long long)studies[0].host_cpus,
		       (unsigned long long)studies[0].vcpus);
	if (strcmp(accel, "nested") == 0) {
		table_footnote(table, "nested: real KVM on an emulated CPU; \"bare metal\" is the "
				      "emulated host (L1).");
		table_footnote(table, "Its seconds mean nothing on hardware; compare rows.");
	} else if (!accel_is_kvm(accel)) {
		table_footnote(table, "%s: no KVM and no hypercalls. Good for testing this only.",
			       accel);
	}
	table_footnote(table, "A time is that of a fixed amount of work, the mean over its VMs "
			      "where there are two.");
	table_footnote(table, "Where time went: per VM, means over the repetitions. LHP: a vCPU "
			      "lost its CPU with a lock;");
	table_footnote(table, "each: for how long it was; wasted: HLTs that returned for "
			      "nothing.");
	table_footnote(table, "The study: %s.", studies[0].source);
	table_footnote(table, "A verdict is about this machine and this model of a compile: "
			      "docs/experiments.md.");
}
