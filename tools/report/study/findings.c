/* SPDX-License-Identifier: MIT */
/* The table of an experiment's findings, with judge.c's figures and verdicts. */
#include "bench/quoting.h"
#include "tools/report/base/system.h"
#include "tools/report/study/study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct table_column findings_columns[] = {
	{"experiment", "", "experiment", true, true},
	{"finding of the study", "", "finding", true, false},
	{"of", "", "of", true, false},
	{"study", "", "study_ratio", false, false},
	{"here", "", "ratio", false, false},
	{"95 % from", "", "ratio_low", false, false},
	{"to", "", "ratio_high", false, false},
	{"the study's in it", "", "study_ratio_inside", true, false},
	{"p", "", "p", false, false},
	{"Holm", "", "p_holm", false, false},
	{"test", "", "test", true, false},
	{"verdict", "", "verdict", true, false},
};

#define TEXT_BYTES 128

static void undecided_text(char *text, size_t size, const struct study_finding *finding, size_t n)
{
	int used = snprintf(text, size, "not decided with %zu runs", n);

	if (finding->needed_study > n)
		used += snprintf(text + used, size - (size_t)used, "; for %.2f about %zu",
				 finding->study_ratio, finding->needed_study);
	if (finding->needed_effect > n)
		snprintf(text + used, size - (size_t)used, "; for 1.05 about %zu",
			 finding->needed_effect);
}

/* Says whether the study's ratio lies in the interval. */
static const char *study_inside(const struct study_finding *finding)
{
	if (isnan(finding->study_ratio) || isnan(finding->low) || isnan(finding->high))
		return "-";
	return finding->low <= finding->study_ratio && finding->study_ratio <= finding->high ? "yes"
											     : "no";
}

static void verdict_text(char text[TEXT_BYTES], const struct study_finding *finding)
{
	size_t a = finding->cell->time.count, b = finding->other->time.count;
	size_t n = a < b ? a : b;

	if (finding->kind == FINDING_COMPARED && finding->verdict < VERDICT_OPPOSITE &&
	    finding->verdict != VERDICT_UNDECIDED) {
		snprintf(text, TEXT_BYTES, "%s",
			 finding->verdict == VERDICT_NOT_REPRODUCED ? "no difference above 5 %"
			 : finding->ratio > 1                       ? "slower"
								    : "faster");
		return;
	}
	switch (finding->verdict) {
	case VERDICT_REPRODUCED:
		snprintf(text, TEXT_BYTES, "reproduced");
		break;
	case VERDICT_NOT_REPRODUCED:
		snprintf(text, TEXT_BYTES, "not reproduced: %s",
			 finding->kind == FINDING_EQUAL ? "they differ"
							: "no difference above 5 %");
		break;
	case VERDICT_OPPOSITE:
		snprintf(text, TEXT_BYTES, "not reproduced: the other way round");
		break;
	case VERDICT_USER_PROCESS:
		snprintf(
			text, TEXT_BYTES,
			"not judged: the host's side is a user process, preempted inside sections");
		break;
	case VERDICT_NOT_JUDGED:
		snprintf(text, TEXT_BYTES, "not judged: there is no KVM here");
		break;
	default:
		undecided_text(text, TEXT_BYTES, finding, n);
	}
}

static void finding_row(struct table *table, const struct study *study,
			const struct study_finding *finding)
{
	char text[TEXT_BYTES], labelled[TEXT_BYTES + 16];

	table_text(table, study->name);
	table_text(table, finding->text);
	table_text(table, finding->kind == FINDING_WILDER ? "sd/mean" : "time");
	study_number(table, finding->study_ratio, "%.2f");
	study_number(table, finding->ratio, "%.2f");
	study_number(table, finding->low, "%.2f");
	study_number(table, finding->high, "%.2f");
	table_text(table, study_inside(finding));
	study_number(table, finding->p, finding->p < 0.0001 ? "%.1e" : "%.4f");
	study_number(table, finding->p_holm, finding->p_holm < 0.0001 ? "%.1e" : "%.4f");
	table_text(table, finding->test[0] ? finding->test : "-");
	verdict_text(text, finding);
	/* so that nobody quotes a simulated verdict as a real machine's */
	snprintf(labelled, sizeof(labelled), "%s%s", study_is_simulated(study) ? "simulated: " : "",
		 text);
	table_text(table, labelled);
}

struct table *study_findings(const struct study *studies, size_t count)
{
	struct table *table = table_new("Are the study's findings seen here?", findings_columns,
					COUNT_OF(findings_columns));
	size_t rows = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < studies[i].finding_count && !studies[i].skipped; j++, rows++)
			finding_row(table, &studies[i], &studies[i].findings[j]);
	}
	if (rows > 0) {
		table_footnote(table, "Ratio: the first cell named to the second, with its 95 %% "
				      "interval (t: ratio of geometric means; Mann-Whitney: median "
				      "ratio).");
		table_footnote(table,
			       "Decided if the interval lies beyond 5 %% and p, corrected by Holm "
			       "for %zu findings, is below 0.05; equal if the interval is "
			       "within 5 %%.",
			       rows);
		return table;
	}
	table_free(table);
	return NULL;
}
