/* SPDX-License-Identifier: MIT */
/*
 * Whether a finding of the study is seen in two cells, and how sure that is. Everything is about
 * ratios, because seconds of two machines, or of a machine and an emulator, cannot be compared.
 *
 * Times (slower, equal, differs): the logarithm of the ratio of the two means, its standard error
 * by the delta method, and Student's t: Welch's test (B. L. Welch, Biometrika 34, 1947) of cells
 * from separate runs, the paired t test of cells that were measured in the same runs, where each is
 * the other's load. Equal is shown by two one-sided tests (D. J. Schuirmann, J. Pharmacokinet.
 * Biopharm. 15, 1987), at 5 % each: the 90 % interval lies within +-5 %.
 *
 * Wilder: Brown and Forsythe's test (J. Am. Stat. Assoc. 69, 1974: Levene's, about the median) of
 * the deviations relative to the cell's median, so that a slower cell is not wilder for that alone.
 */
#include "tools/report/memory.h"
#include "tools/report/study.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIGNIFICANT 0.05
#define SAME        0.05 /* ratios this near to 1 are no difference worth the name */
/* z of 95 % two-sided, and of a power of 80 %: the usual sum for how large a sample is wanted. */
#define Z_WANTED    (1.960 + 0.842)
#define MOST_NEEDED 10000

/* A ratio's logarithm, by Student's t. */
struct log_ratio {
	double value, error, df;
};

static double mean_of(const struct sample *sample)
{
	return gsl_stats_mean(sample->value, 1, sample->count);
}

/* Coefficient of variation. */
static double cv_of(const struct sample *sample)
{
	return gsl_stats_sd(sample->value, 1, sample->count) / mean_of(sample);
}

static struct log_ratio ratio_welch(const struct sample *a, const struct sample *b)
{
	double va = pow(cv_of(a), 2) / (double)a->count;
	double vb = pow(cv_of(b), 2) / (double)b->count;
	double df = pow(va + vb, 2) /
		    (va * va / ((double)a->count - 1) + vb * vb / ((double)b->count - 1));

	return (struct log_ratio){log(mean_of(a) / mean_of(b)), sqrt(va + vb), df};
}

/* Of the repetitions that both have. Sets *count. */
static struct log_ratio ratio_paired(const struct study_cell *a, const struct study_cell *b,
				     size_t *count)
{
	double *logs = memory_new(a->time.count + 1, sizeof(*logs));
	struct log_ratio ratio;
	size_t j = 0;

	*count = 0;
	for (size_t i = 0; i < a->time.count; i++) {
		while (j < b->time.count && b->repetition[j] < a->repetition[i])
			j++;
		if (j < b->time.count && b->repetition[j] == a->repetition[i])
			logs[(*count)++] = log(a->time.value[i] / b->time.value[j]);
	}
	ratio = (struct log_ratio){
		.value = *count ? gsl_stats_mean(logs, 1, *count) : NAN,
		.error = *count > 1 ? gsl_stats_sd(logs, 1, *count) / sqrt((double)*count) : NAN,
		.df = (double)*count - 1,
	};
	free(logs);
	return ratio;
}

static double two_sided(double t, double df)
{
	return 2 * gsl_cdf_tdist_Q(fabs(t), df);
}

/* Of `n` repetitions that gave this; 0: no end in sight. */
static size_t needed(const struct log_ratio *ratio, size_t n)
{
	double wanted = (double)n * pow(Z_WANTED * ratio->error / ratio->value, 2);

	return wanted < MOST_NEEDED ? (size_t)ceil(wanted) : 0;
}

static void judge_times(struct study_finding *finding)
{
	const struct study_cell *a = finding->cell, *b = finding->other;
	bool paired = strcmp(a->run, b->run) == 0;
	size_t count = a->time.count < b->time.count ? a->time.count : b->time.count;
	struct log_ratio ratio;
	double t95, t90;
	bool same, different;

	finding->study_ratio = a->study_mean / b->study_mean;
	if (count < 2)
		return;
	ratio = paired ? ratio_paired(a, b, &count) : ratio_welch(&a->time, &b->time);
	finding->ratio = exp(ratio.value);
	if (count < 2 || !(ratio.error > 0))
		return;
	t95 = gsl_cdf_tdist_Pinv(0.975, ratio.df) * ratio.error;
	t90 = gsl_cdf_tdist_Pinv(0.95, ratio.df) * ratio.error;
	finding->test = paired ? "paired t" : "Welch's t";
	finding->low = exp(ratio.value - t95);
	finding->high = exp(ratio.value + t95);
	finding->p = two_sided(ratio.value / ratio.error, ratio.df);
	different = finding->p < SIGNIFICANT;
	same = ratio.value - t90 > log(1 - SAME) && ratio.value + t90 < log(1 + SAME);
	if (finding->kind == FINDING_EQUAL && same)
		finding->verdict = VERDICT_REPRODUCED;
	else if (finding->kind == FINDING_EQUAL && different)
		finding->verdict = VERDICT_NOT_REPRODUCED;
	else if (different && (finding->kind == FINDING_DIFFERS || ratio.value > 0))
		finding->verdict = VERDICT_REPRODUCED;
	else if (different)
		finding->verdict = VERDICT_OPPOSITE;
	else if (same)
		finding->verdict = VERDICT_NOT_REPRODUCED;
	else if (finding->kind != FINDING_EQUAL)
		finding->needed = needed(&ratio, count);
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
	if (finding->p < SIGNIFICANT)
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
		if (strcmp(study->accel, "kvm") != 0 && strcmp(study->accel, "nested") != 0)
			finding->verdict = VERDICT_NOT_JUDGED;
	}
}
