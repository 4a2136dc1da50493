/* SPDX-License-Identifier: MIT */
/* The tables of an experiment: see study.h. */
#include "tools/report/study/study.h"
#include "bench/quoting.h"
#include "tools/report/cells/stats.h"
#include "tools/report/study/study_why.h"

#include <math.h>
#include <stdio.h>
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

static const struct table_column findings_columns[] = {
	{"experiment", "", "experiment", true, true},
	{"finding of the study", "", "finding", true, false},
	{"of", "", "of", true, false},
	{"study", "", "study_ratio", false, false},
	{"here", "", "ratio", false, false},
	{"95 % from", "", "ratio_low", false, false},
	{"to", "", "ratio_high", false, false},
	{"p", "", "p", false, false},
	{"test", "", "test", true, false},
	{"verdict", "", "verdict", true, false},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void number_or_dash(struct table *table, double number, const char *format)
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
	number_or_dash(table, number, number < 10 ? "%.3f" : number < 100 ? "%.2f" : "%.1f");
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
	number_or_dash(table, 100 * time.sd / time.mean, "%.1f");
	if (isnan(cell->study_low))
		number_or_dash(table, cell->study_mean, "%.1f");
	else
		table_number(table, cell->study_mean, "%.0f..%.0f", cell->study_low,
			     cell->study_high);
	number_or_dash(table, cell->study_sd, "%.2f");
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
	struct table *table = table_new(studies[0].title, times_columns, COUNT(times_columns));

	for (size_t i = 0; i < count; i++)
		study_rows(table, &studies[i], false);
	return table;
}

struct table *study_wide(const struct study *studies, size_t count)
{
	struct table_column columns[COUNT(times_columns) + WHY_COLUMNS];
	struct table *table;

	memcpy(columns, times_columns, sizeof(times_columns));
	memcpy(columns + COUNT(times_columns), why_columns, sizeof(why_columns));
	table = table_new("", columns, COUNT(columns));
	for (size_t i = 0; i < count; i++)
		study_rows(table, &studies[i], true);
	return table;
}

static void verdict_text(struct table *table, const struct study_finding *finding)
{
	size_t a = finding->cell->time.count, b = finding->other->time.count;
	size_t n = a < b ? a : b;
	char text[128];

	if (finding->kind == FINDING_COMPARED && finding->verdict < VERDICT_OPPOSITE &&
	    finding->verdict != VERDICT_UNDECIDED) {
		table_text(table, finding->verdict == VERDICT_NOT_REPRODUCED
					  ? "no difference above 5 %"
				  : finding->ratio > 1 ? "slower"
						       : "faster");
		return;
	}
	switch (finding->verdict) {
	case VERDICT_REPRODUCED:
		snprintf(text, sizeof(text), "reproduced");
		break;
	case VERDICT_NOT_REPRODUCED:
		snprintf(text, sizeof(text), "not reproduced: %s",
			 finding->kind == FINDING_EQUAL ? "they differ"
							: "no difference above 5 %");
		break;
	case VERDICT_OPPOSITE:
		snprintf(text, sizeof(text), "not reproduced: the other way round");
		break;
	case VERDICT_NOT_JUDGED:
		snprintf(text, sizeof(text), "not judged: there is no KVM here");
		break;
	default:
		if (finding->needed > n)
			snprintf(text, sizeof(text), "not decided with %zu runs; perhaps with %zu",
				 n, finding->needed);
		else
			snprintf(text, sizeof(text), "not decided with %zu runs", n);
	}
	table_text(table, text);
}

static void finding_row(struct table *table, const struct study *study,
			const struct study_finding *finding)
{
	table_text(table, study->name);
	table_text(table, finding->text);
	table_text(table, finding->kind == FINDING_WILDER ? "sd/mean" : "time");
	number_or_dash(table, finding->study_ratio, "%.2f");
	number_or_dash(table, finding->ratio, "%.2f");
	number_or_dash(table, finding->low, "%.2f");
	number_or_dash(table, finding->high, "%.2f");
	number_or_dash(table, finding->p, finding->p < 0.0001 ? "%.1e" : "%.4f");
	table_text(table, finding->test[0] ? finding->test : "-");
	verdict_text(table, finding);
}

struct table *study_findings(const struct study *studies, size_t count)
{
	struct table *table = table_new("Are the study's findings seen here?", findings_columns,
					COUNT(findings_columns));
	size_t rows = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < studies[i].finding_count && !studies[i].skipped; j++, rows++)
			finding_row(table, &studies[i], &studies[i].findings[j]);
	}
	if (rows > 0) {
		table_footnote(table, "Ratio: of the first named to the second (t: of means; "
				      "Mann-Whitney: the median one), 95 %% interval.");
		table_footnote(table, "Decided where p < 0.05; equal: the 95 %% interval of the "
				      "ratio is within +-5 %%.");
		return table;
	}
	table_free(table);
	return NULL;
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
			      "lost its CPU with "
			      "a lock; LWP: a lock came to one that was off its CPU;");
	table_footnote(table, "each: for how long it was; wasted: HLTs that returned for "
			      "nothing.");
	table_footnote(table, "The study: %s.", studies[0].source);
	table_footnote(table, "A verdict is about this machine and this model of a compile: "
			      "docs/experiments.md.");
}
