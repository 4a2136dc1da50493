/* SPDX-License-Identifier: MIT */
/*
 * Whether a finding of the study is seen in two cells, and how sure that is. Everything is about
 * ratios, because seconds of two machines, or of a machine and an emulator, cannot be compared.
 *
 * Times (slower, equal, differs): cells from separate runs are compared as --compare does
 * (twosample.h); cells that were measured in the same runs, where each is the other's load, by the
 * paired t test of the logarithms. Equal is shown by the 95 % interval of the ratio lying within
 * +-5 %, which is two one-sided tests (D. J. Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987)
 * at 2.5 % each.
 *
 * Wilder: Brown and Forsythe's test (J. Am. Stat. Assoc. 69, 1974: Levene's, about the median) of
 * the deviations relative to the cell's median, so that a slower cell is not wilder for that alone.
 */
#include "bench/quoting.h"
#include "tools/report/base/system.h"
#include "tools/report/cells/stats.h"
#include "tools/report/study/study.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAME 0.05 /* ratios this near to 1 are no difference worth the name */
/* z of 95 % two-sided, and of a power of 80 %: the usual sum for how large a sample is wanted. */
#define Z_95        1.960
#define Z_POWER     0.842
#define MOST_NEEDED 10000
#define NEEDED_FROM 4 /* below, the interval says nothing about how wide it will be */

/* Coefficient of variation. */
static double cv_of(const struct sample *sample)
{
	struct stats stats = stats_of(sample);

	return stats.sd / stats.mean;
}

static double two_sided(double t, double df)
{
	return 2 * gsl_cdf_tdist_Q(fabs(t), df);
}

/* Logarithms of a's times over b's, of the repetitions that both have; how many. */
static size_t pairs(const struct study_cell *a, const struct study_cell *b, double *logs)
{
	size_t count = 0;

	for (size_t i = 0, j = 0; i < a->time.count; i++) {
		while (j < b->time.count && b->repetition[j] < a->repetition[i])
			j++;
		if (j < b->time.count && b->repetition[j] == a->repetition[i])
			logs[count++] = log(a->time.value[i] / b->time.value[j]);
	}
	return count;
}

/* Returns how many there are on either side. */
static size_t compare_pairs(struct study_finding *finding)
{
	double *logs = memory_new(finding->cell->time.count + 1, sizeof(*logs));
	size_t count = pairs(finding->cell, finding->other, logs);
	double mean = count ? gsl_stats_mean(logs, 1, count) : NAN;
	double error = count > 1 ? gsl_stats_sd(logs, 1, count) / sqrt((double)count) : NAN;

	free(logs);
	finding->ratio = exp(mean);
	if (error > 0) {
		double df = (double)count - 1, t = gsl_cdf_tdist_Pinv(0.975, df);

		finding->test = "paired t";
		finding->p = two_sided(mean / error, df);
		finding->low = exp(mean - t * error);
		finding->high = exp(mean + t * error);
	}
	return count;
}

static size_t compare_samples(struct study_finding *finding)
{
	const struct sample *a = &finding->other->time, *b = &finding->cell->time;
	struct two_sample compared;

	if (a->count == 0 || b->count == 0)
		return 0;
	compared = two_sample(a->value, a->count, b->value, b->count);
	finding->ratio = compared.ratio;
	finding->low = compared.low;
	finding->high = compared.high;
	finding->p = compared.p;
	if (compared.test == TEST_WELCH)
		finding->test = "Welch's t";
	else if (compared.test != TEST_NONE)
		finding->test = "Mann-Whitney";
	return a->count < b->count ? a->count : b->count;
}

/* Of `n` repetitions that gave this interval; 0: no end in sight. */
static size_t needed(const struct study_finding *finding, size_t n)
{
	double error = log(finding->high / finding->low) / (2 * Z_95);
	double wanted = (double)n * pow((Z_95 + Z_POWER) * error / log(finding->ratio), 2);

	return wanted < MOST_NEEDED ? (size_t)ceil(wanted) : 0;
}

static void judge_times(struct study_finding *finding)
{
	bool paired = strcmp(finding->cell->run, finding->other->run) == 0;
	size_t count = paired ? compare_pairs(finding) : compare_samples(finding);
	bool different = finding->p < ALPHA; /* not so where there is no p */
	bool same = finding->low > 1 - SAME && finding->high < 1 + SAME;

	finding->study_ratio = finding->cell->study_mean / finding->other->study_mean;
	if (finding->kind == FINDING_EQUAL) {
		if (same)
			finding->verdict = VERDICT_REPRODUCED;
		else if (different)
			finding->verdict = VERDICT_NOT_REPRODUCED;
	} else if (different) {
		finding->verdict = finding->kind == FINDING_DIFFERS ||
						   finding->kind == FINDING_COMPARED ||
						   finding->ratio > 1
					   ? VERDICT_REPRODUCED
					   : VERDICT_OPPOSITE;
	} else if (same) {
		finding->verdict = VERDICT_NOT_REPRODUCED;
	} else if (finding->p <= 1 && count >= NEEDED_FROM) {
		finding->needed = needed(finding, count);
	}
}

/* Deviations from the median, in medians. */
static double *deviations(const struct sample *sample)
{
	double *sorted = memory_new(sample->count, sizeof(*sorted));
	double median;

	memcpy(sorted, sample->value, sample->count * sizeof(*sorted));
	median = gsl_stats_median(sorted, 1, sample->count);
	for (size_t i = 0; i < sample->count; i++)
		sorted[i] = fabs(sample->value[i] / median - 1);
	return sorted;
}

static void judge_spread(struct study_finding *finding)
{
	const struct study_cell *a = finding->cell, *b = finding->other;
	size_t na = a->time.count, nb = b->time.count;
	double *da, *db, t;

	finding->study_ratio = (a->study_sd / a->study_mean) / (b->study_sd / b->study_mean);
	if (na < 2 || nb < 2)
		return;
	finding->ratio = cv_of(&a->time) / cv_of(&b->time);
	if (na < 3 || nb < 3)
		return; /* two values are equally far from their median, whatever they are */
	da = deviations(&a->time);
	db = deviations(&b->time);
	/* The F of two groups is the square of t with a pooled variance. */
	t = gsl_stats_ttest(da, 1, na, db, 1, nb);
	free(da);
	free(db);
	if (!isfinite(t) || !isfinite(finding->ratio))
		return;
	finding->test = "Brown-Forsythe";
	finding->p = two_sided(t, (double)(na + nb) - 2);
	if (finding->p < ALPHA)
		finding->verdict = t > 0 ? VERDICT_REPRODUCED : VERDICT_OPPOSITE;
}

void study_judge(struct study *study)
{
	for (size_t i = 0; i < study->finding_count; i++) {
		struct study_finding *finding = &study->findings[i];

		finding->ratio = finding->low = finding->high = finding->p = NAN;
		finding->test = "";
		finding->verdict = VERDICT_UNDECIDED;
		if (finding->kind == FINDING_WILDER)
			judge_spread(finding);
		else
			judge_times(finding);
		/* A machine without KVM has nothing to say about it. */
		if (!accel_is_kvm(study->accel))
			finding->verdict = VERDICT_NOT_JUDGED;
	}
}
