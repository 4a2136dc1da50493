/* SPDX-License-Identifier: MIT */
/*
 * The table of study_why.h, and the sentence below it: into which of the vCPUs' states the
 * difference between two cells' times went. As the means of the parts add up to the mean of the
 * time, so do their differences. It is said only where the times are known to differ, and of the
 * parts only what is.
 */
#include "tools/report/base/format.h"
#include "tools/report/base/memory.h"
#include "tools/report/cells/stats.h"
#include "tools/report/cells/twosample.h"
#include "tools/report/study/study_why.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct table_column why_columns[WHY_COLUMNS] = {
	{"running", "%", "running_percent", false, false},
	{"spinning", "%", "spinning_percent", false, false},
	{"halted", "%", "halted_percent", false, false},
	{"idle", "%", "idle_percent", false, false},
	{"stolen", "%", "stolen_percent", false, false},
	{"LHP", "/s", "lhp_per_s", false, false},
	{"each", "", "lhp_each_ns", false, false},
	{"cost", "", "lhp_each_wait_ns", false, false},
	{"LWP", "/s", "lwp_per_s", false, false},
	{"each", "", "lwp_each_ns", false, false},
	{"longest wait", "", "longest_wait_ns", false, false},
	{"halts", "/s", "halts_per_s", false, false},
	{"kicks", "/s", "kicks_per_s", false, false},
	{"wasted", "/s", "spurious_wakeups_per_s", false, false},
};

static double mean(const struct study_cell *cell, enum sample_index index)
{
	return stats_of(cell_sample(&cell->why, index)).mean;
}

static void ns(struct table *table, double number)
{
	char text[FORMAT_BYTES];

	table_number(table, number, "%s", format_ns(text, number));
}

static void per_second(struct table *table, const struct study_cell *cell, enum sample_index index)
{
	double number = mean(cell, index) / mean(cell, SAMPLE_MERIT);
	char text[FORMAT_BYTES];

	table_number(table, number, "%s", format_count(text, number));
}

/* Of each of such events, the mean time; NAN: there was none. */
static void each(struct table *table, const struct study_cell *cell, enum sample_index events,
		 enum sample_index time)
{
	double count = mean(cell, events);

	ns(table, count > 0 ? mean(cell, time) / count : NAN);
}

void why_row(struct table *table, const struct study_cell *cell)
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
	per_second(table, cell, SAMPLE_LWP_EVENTS);
	each(table, cell, SAMPLE_LWP_EVENTS, SAMPLE_LWP_NS);
	ns(table, stats_of(&cell->why.longest_wait_ns).max);
	per_second(table, cell, SAMPLE_HALTS);
	per_second(table, cell, SAMPLE_KICKS);
	per_second(table, cell, SAMPLE_SPURIOUS_WAKEUPS);
}

/* How much of the difference of two cells' times went into one of the vCPUs' states. */
struct part {
	const char *name;
	double seconds; /* the slower cell's less the faster one's */
	double p;       /* that it is none */
};

#define PARTS (SAMPLE_STOLEN - SAMPLE_RUNNING + 1)

/* Below this share of the difference a part does not explain it, however sure it is. */
#define WORTH_NAMING 0.1

static void part_of(const struct study_cell *slow, const struct study_cell *fast,
		    enum sample_index index, struct part *part)
{
	struct sample a = why_seconds(fast, index), b = why_seconds(slow, index);

	part->name = sample_list[index].name;
	part->seconds = stats_of(&b).mean - stats_of(&a).mean;
	part->p = NAN;
	if (a.count > 0 && b.count > 0)
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
		char *longer, time[FORMAT_BYTES];

		if (!(part[i].p < ALPHA) || fabs(share) < WORTH_NAMING)
			continue;
		longer = memory_print("%s%s%s %s %s (%.0f %% of it)", text, text[0] ? ", " : "",
				      part[i].name, format_ns(time, 1e9 * fabs(part[i].seconds)),
				      share < 0 ? "less" : "more", 100 * share);
		free(text);
		text = longer;
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
