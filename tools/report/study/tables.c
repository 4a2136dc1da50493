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

/* Prints at least three significant digits, from milliseconds to hours. */
static void add_seconds(struct table *table, double number)
{
	study_number(table, number, number < 10 ? "%.3f" : number < 100 ? "%.2f" : "%.1f");
}

static void add_times(struct table *table, const struct study_cell *cell)
{
	struct stats time = stats_of(&cell->time);

	table_text(table, cell->label);
	table_number(table, (double)time.count, "%zu", time.count);
	add_seconds(table, time.mean);
	add_seconds(table, time.sd);
	add_seconds(table, time.min);
	add_seconds(table, time.max);
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

static void add_per_second(struct table *table, const struct study_cell *cell,
			   enum sample_index index)
{
	table_count(table, mean(cell, index) / mean(cell, SAMPLE_MERIT));
}

/* Adds the mean time of an event; NAN if there was none. */
static void add_each(struct table *table, const struct study_cell *cell, enum sample_index events,
		     enum sample_index time)
{
	double count = mean(cell, events);

	table_ns(table, count > 0 ? mean(cell, time) / count : NAN);
}

static void add_why(struct table *table, const struct study_cell *cell)
{
	for (enum sample_index i = SAMPLE_RUNNING; i <= SAMPLE_STOLEN; i++) {
		double percent = 100 * mean(cell, i);

		if (isnan(percent))
			table_number(table, NAN, "-");
		else
			table_number(table, percent, "%.1f", percent);
	}
	add_per_second(table, cell, SAMPLE_LHP_EVENTS);
	add_each(table, cell, SAMPLE_LHP_EVENTS, SAMPLE_LHP_NS);
	add_each(table, cell, SAMPLE_LHP_EVENTS, SAMPLE_LHP_WAIT_NS);
	table_ns(table, stats_of(&cell->why.sample[SAMPLE_LONGEST_WAIT_NS]).max);
	add_per_second(table, cell, SAMPLE_HALTS);
	add_per_second(table, cell, SAMPLE_KICKS);
	add_per_second(table, cell, SAMPLE_SPURIOUS_WAKEUPS);
}

/* Says how much of the measured phases overlapped, if cells were measured at the same time. */
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
		table_footnote(table,
			       "Overlap: %.0f %% of the shorter measured phase of a run lay within "
			       "the other one (mean; least %.0f %%).",
			       100 * sum / (double)count, 100 * least);
}

/* Adds the rows of an experiment. `wide`: each row also has the columns of study_why(). */
static void study_rows(struct table *table, const struct study *study, bool wide)
{
	if (study->skipped) {
		table_footnote(table, "%s skipped: %s.", study->name, study->skipped);
		return;
	}
	for (size_t i = 0; i < study->cell_count; i++) {
		const struct study_cell *cell = &study->cells[i];

		table_text(table, study->name);
		add_times(table, cell);
		if (wide)
			add_why(table, cell);
		if (cell->cut_count > 0)
			table_footnote(
				table,
				"%s: %zu of %zu runs met their time limit, so their times and "
				"the mean are lower bounds.",
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
 * Where the time went: a table, and sentences below it that attribute the time difference of two
 * cells to vCPU states. The parts add up to the time, so their differences add up to the time
 * difference. Only significant total differences and significant parts are reported.
 */

/* The difference that one vCPU state makes between two cells. */
struct part {
	const char *name;
	double seconds; /* the slower cell's time in this state less the faster cell's */
	double p;       /* of the hypothesis that there is no difference */
};

#define PARTS (SAMPLE_STOLEN - SAMPLE_RUNNING + 1)

/* A part below this share of the difference does not explain it, even if it is significant. */
#define WORTH_NAMING 0.1

/* Returns the seconds that the vCPUs spent in a state in the cell's i-th repetition. */
static double seconds_in(const struct study_cell *cell, enum sample_index part, size_t i)
{
	return cell->why.sample[part].value[i] * cell->why.sample[SAMPLE_MERIT].value[i];
}

struct sample why_seconds(const struct study_cell *cell, enum sample_index part)
{
	size_t count = cell->why.sample[part].count;
	struct sample seconds = {memory_new(count + 1, sizeof(double)), 0};

	for (size_t i = 0; i < count; i++) {
		double value = seconds_in(cell, part, i);

		if (!isnan(value))
			seconds.value[seconds.count++] = value;
	}
	return seconds;
}

/* Returns p of the paired t test for cells that were measured in the same runs. */
static double paired_p(const struct study_cell *a, const struct study_cell *b,
		       enum sample_index part)
{
	double *difference = memory_new(a->time.count + 1, sizeof(*difference)), error, t;
	size_t count = 0;

	for (size_t i = 0, j = 0; i < a->time.count; i++) {
		double value;

		while (j < b->time.count && b->repetition[j] < a->repetition[i])
			j++;
		if (j == b->time.count || b->repetition[j] != a->repetition[i])
			continue;
		value = seconds_in(a, part, i) - seconds_in(b, part, j);
		if (!isnan(value))
			difference[count++] = value;
	}
	error = count > 1 ? gsl_stats_sd(difference, 1, count) / sqrt((double)count) : NAN;
	t = gsl_stats_mean(difference, 1, count) / error;
	free(difference);
	return count > 1 ? 2 * gsl_cdf_tdist_Q(fabs(t), (double)count - 1) : NAN;
}

static void compare_part(const struct study_cell *slow, const struct study_cell *fast,
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

/* Returns the significant parts, "stolen 0.41 s more (77 % of it), running 0.06 s less (-11 % of
 * it)". The caller frees the text. */
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

static void explain_parts(struct table *table, const struct study_cell *slow,
			  const struct study_cell *fast)
{
	double difference = mean(slow, SAMPLE_MERIT) - mean(fast, SAMPLE_MERIT);
	struct part part[PARTS];
	char *text, time[FORMAT_BYTES];

	for (int i = 0; i < PARTS; i++)
		compare_part(slow, fast, SAMPLE_RUNNING + i, &part[i]);
	text = parts_text(part, difference);
	table_footnote(table, "%s took %s longer than %s. Of each vCPU's time: %s.", slow->label,
		       format_ns(time, 1e9 * difference), fast->label,
		       text[0] ? text : "no part of the difference is significant");
	free(text);
}

/* Attributes the time difference of a finding's cells to vCPU states. Returns false if the
 * difference is not significant. */
static bool explain(struct table *table, const struct study_finding *finding)
{
	const struct study_cell *a = finding->cell, *b = finding->other;
	bool slower = mean(a, SAMPLE_MERIT) > mean(b, SAMPLE_MERIT);

	/* A test of ranks may contradict the means; then nothing is decided. */
	if (!(finding->p < ALPHA) || slower != (finding->ratio > 1))
		return false;
	explain_parts(table, slower ? a : b, slower ? b : a);
	return true;
}

/* True if the finding is about two times whose parts are known. */
static bool has_parts(const struct study_finding *finding)
{
	return finding->kind != FINDING_WILDER && !isnan(mean(finding->cell, SAMPLE_RUNNING)) &&
	       !isnan(mean(finding->other, SAMPLE_RUNNING));
}

static void explain_all(struct table *table, const struct study *study)
{
	const struct study_finding *unexplained = NULL;
	size_t count = 0;

	for (size_t i = 0; i < study->finding_count; i++) {
		const struct study_finding *finding = &study->findings[i];

		if (has_parts(finding) && !explain(table, finding)) {
			unexplained = finding;
			count++;
		}
	}
	if (count == 1)
		table_footnote(table, "The times of %s and %s do not differ significantly.",
			       unexplained->cell->label, unexplained->other->label);
	else if (count > 1)
		table_footnote(
			table,
			"The times of %zu pairs of the findings do not differ significantly.",
			count);
}

static bool any_split_unknown(const struct study *study)
{
	for (size_t i = 0; i < study->cell_count; i++) {
		if (isnan(mean(&study->cells[i], SAMPLE_RUNNING)))
			return true;
	}
	return false;
}

static void why_rows(struct table *table, const struct study *study)
{
	for (size_t i = 0; i < study->cell_count; i++) {
		table_text(table, study->name);
		table_text(table, study->cells[i].label);
		add_why(table, &study->cells[i]);
	}
	explain_all(table, study);
	if (any_split_unknown(study))
		table_footnote(table, "-: unknown without a steal-time page (hosted, tcg) and of a "
				      "Linux guest, or there was no such event.");
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
			why_rows(table, &studies[i]);
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
		table_footnote(table, "Its seconds mean nothing on hardware; only compare rows.");
	} else if (study_is_simulated(&studies[0])) {
		table_footnote(table, "sim: a modelled host; its verdicts are about the model, and "
				      "believed as far as docs/sim-validation.md shows.");
	} else if (!accel_is_kvm(accel)) {
		table_footnote(table, "%s: no KVM and no hypercalls. Good only for testing pvspin.",
			       accel);
	}
	table_footnote(table, "A time is that of a fixed amount of work; of two VMs, the mean.");
	table_footnote(table,
		       "Where the time went: per VM, means over the repetitions. LHP: a vCPU "
		       "lost its CPU while it held a lock;");
	table_footnote(table, "each: for how long; wasted: HLTs that returned for nothing.");
	table_footnote(table, "The study: %s.", studies[0].source);
	table_footnote(table, "A verdict holds for this host and this workload: "
			      "docs/experiments.md.");
}
