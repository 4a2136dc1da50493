/* SPDX-License-Identifier: MIT */
/*
 * Decides whether two cells reproduce a finding of the study, and with what confidence. All figures
 * are ratios, because seconds on different hosts, or on a host and in an emulator, cannot be
 * compared.
 *
 * Times (slower, equal, differs): cells from separate runs are compared as by --compare (stats.h).
 * Cells measured in the same runs, where each is the other's load, are compared by the paired t
 * test of the logarithms. A run that met its time limit counts as longer than all others; then the
 * test is that of ranks.
 *
 * Wilder: Brown and Forsythe's test (J. Am. Stat. Assoc. 69, 1974: Levene's test about the median)
 * of the deviations relative to the cell's median, so that a cell that is only slower is not
 * wilder. The interval of the ratio of sd / mean is a percentile bootstrap (B. Efron, Ann. Stat. 7,
 * 1979), which is too narrow for few runs, so the test has to agree.
 *
 * A verdict requires an effect as well as a small p: the 95 % interval lies beyond 5 %, and p is
 * below 0.05 after Holm's correction over all findings of the tables. "Equal" and "no difference"
 * require that the interval lies within 5 %: two one-sided tests (D. J. Schuirmann, J.
 * Pharmacokinet. Biopharm. 15, 1987) at 2.5 % each.
 */
#include "bench/quoting.h"
#include "tools/report/base/system.h"
#include "tools/report/cells/stats.h"
#include "tools/report/study/study.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EFFECT 1.05 /* a smaller difference does not matter */
/* z of 95 % two-sided, and of a power of 80 %: the usual choice for estimating sample sizes. */
#define Z_95        1.960
#define Z_POWER     0.842
#define MOST_NEEDED 10000
#define NEEDED_FROM 4 /* with fewer runs, the interval does not predict its later width */
#define RESAMPLES   2000

/* Returns the coefficient of variation. */
static double cv_of(const struct sample *sample)
{
	struct stats stats = stats_of(sample);

	return stats.sd / stats.mean;
}

static double two_sided(double t, double df)
{
	return 2 * gsl_cdf_tdist_Q(fabs(t), df);
}

/* Fills `logs` with the logarithms of a's times over b's, for repetitions that both have. Returns
 * their number. */
static size_t pair_logs(const struct study_cell *a, const struct study_cell *b, double *logs)
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

/* Compares cells of the same runs. Returns the number of pairs. */
static size_t compare_pairs(struct study_finding *finding)
{
	double *logs = memory_new(finding->cell->time.count + 1, sizeof(*logs));
	size_t count = pair_logs(finding->cell, finding->other, logs);
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

/* Returns the times, with infinity for a run that met its time limit. The caller frees them. */
static double *times_of(const struct study_cell *cell)
{
	double *times = memory_new(cell->time.count + 1, sizeof(*times));

	for (size_t i = 0; i < cell->time.count; i++)
		times[i] = cell->cut[i] ? INFINITY : cell->time.value[i];
	return times;
}

/* Compares cells of separate runs. Returns the size of the smaller sample. */
static size_t compare_samples(struct study_finding *finding)
{
	size_t a_count = finding->other->time.count, b_count = finding->cell->time.count;
	double *a = times_of(finding->other), *b = times_of(finding->cell);
	struct two_sample compared = two_sample(a, a_count, b, b_count);

	free(a);
	free(b);
	finding->ratio = compared.ratio;
	finding->low = compared.low;
	finding->high = compared.high;
	finding->p = compared.p;
	if (compared.test == TEST_WELCH)
		finding->test = "Welch's t";
	else if (compared.test != TEST_NONE)
		finding->test = "Mann-Whitney";
	return a_count < b_count ? a_count : b_count;
}

/* Estimates from the interval of `n` repetitions how many would show a true ratio that exceeds the
 * required one by `factor`. Returns 0 if unknown or more than MOST_NEEDED. */
static size_t needed(const struct study_finding *finding, size_t n, double factor)
{
	double error = log(finding->high / finding->low) / (2 * Z_95);
	double wanted = (double)n * pow((Z_95 + Z_POWER) * error / log(factor), 2);

	return n >= NEEDED_FROM && factor > 1 && wanted < MOST_NEEDED ? (size_t)ceil(wanted) : 0;
}

static void compare_times(struct study_finding *finding)
{
	bool paired = strcmp(finding->cell->run, finding->other->run) == 0 &&
		      finding->cell->cut_count + finding->other->cut_count == 0;
	size_t count = paired ? compare_pairs(finding) : compare_samples(finding);

	finding->study_ratio = finding->cell->study_mean / finding->other->study_mean;
	if (finding->kind == FINDING_SLOWER)
		finding->needed_study = needed(finding, count, finding->study_ratio / EFFECT);
	finding->needed_effect = needed(finding, count, EFFECT);
}

/* Returns the deviations from the median, relative to the median. The caller frees them. */
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

/* Returns cv_of() of a bootstrap sample. */
static double resampled_cv(const struct sample *sample, gsl_rng *random, double *drawn)
{
	struct sample one = {drawn, sample->count};

	for (size_t i = 0; i < sample->count; i++)
		drawn[i] = sample->value[gsl_rng_uniform_int(random, sample->count)];
	return cv_of(&one);
}

/* Sets the bootstrap interval. The generator starts anew each time, so equal samples give equal
 * intervals. */
static void spread_interval(struct study_finding *finding)
{
	const struct sample *a = &finding->cell->time, *b = &finding->other->time;
	gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
	double *drawn = memory_new(a->count + b->count, sizeof(*drawn));
	double *ratio = memory_new(RESAMPLES, sizeof(*ratio));
	size_t count = 0;

	for (int i = 0; i < RESAMPLES; i++) {
		double of_a = resampled_cv(a, random, drawn), of_b = resampled_cv(b, random, drawn);

		if (of_a > 0 && of_b > 0) /* 0: all values drawn were equal */
			ratio[count++] = of_a / of_b;
	}
	if (count > RESAMPLES / 2) {
		gsl_sort(ratio, 1, count);
		finding->low = gsl_stats_quantile_from_sorted_data(ratio, 1, count, ALPHA / 2);
		finding->high = gsl_stats_quantile_from_sorted_data(ratio, 1, count, 1 - ALPHA / 2);
	}
	free(ratio);
	free(drawn);
	gsl_rng_free(random);
}

static void compare_spread(struct study_finding *finding)
{
	const struct study_cell *a = finding->cell, *b = finding->other;
	size_t na = a->time.count, nb = b->time.count;
	double *da, *db, t;

	finding->study_ratio = (a->study_sd / a->study_mean) / (b->study_sd / b->study_mean);
	if (na < 2 || nb < 2 || a->cut_count + b->cut_count > 0)
		return; /* the deviation of a time that was cut is unknown */
	finding->ratio = cv_of(&a->time) / cv_of(&b->time);
	if (na < 3 || nb < 3)
		return; /* any two values are equally far from their median */
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
	spread_interval(finding);
}

void study_compare(struct study *study)
{
	for (size_t i = 0; i < study->finding_count; i++) {
		struct study_finding *finding = &study->findings[i];

		finding->ratio = finding->low = finding->high = finding->p = NAN;
		finding->test = "";
		if (finding->kind == FINDING_WILDER)
			compare_spread(finding);
		else
			compare_times(finding);
	}
}

static enum finding_verdict verdict_of(const struct study_finding *finding)
{
	bool differs = finding->p_holm < ALPHA;
	bool above = differs && finding->low > EFFECT,
	     below = differs && finding->high < 1 / EFFECT;
	bool same = finding->low > 1 / EFFECT && finding->high < EFFECT;

	if (finding->kind == FINDING_EQUAL)
		return same             ? VERDICT_REPRODUCED
		       : above || below ? VERDICT_NOT_REPRODUCED
					: VERDICT_UNDECIDED;
	if (same)
		return VERDICT_NOT_REPRODUCED;
	if (finding->kind == FINDING_DIFFERS || finding->kind == FINDING_COMPARED)
		above = above || below;
	return above ? VERDICT_REPRODUCED : below ? VERDICT_OPPOSITE : VERDICT_UNDECIDED;
}

/* Returns what the figures say about the study's finding, or why they say nothing about it. */
static enum finding_verdict study_verdict(const struct study *study,
					  const struct study_finding *finding)
{
	if (!accel_is_kvm(study->accel) && !study_is_simulated(study))
		return VERDICT_NOT_JUDGED;
	if (finding->cell->user_process || finding->other->user_process)
		return VERDICT_USER_PROCESS;
	return verdict_of(finding);
}

bool study_is_simulated(const struct study *study)
{
	return strcmp(study->accel, accel_names[ACCEL_SIM]) == 0;
}

void study_judge(struct study *studies, size_t count)
{
	size_t findings = 0, n = 0;
	double *p;

	for (size_t i = 0; i < count; i++)
		findings += studies[i].finding_count;
	p = memory_new(findings + 1, sizeof(*p));
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < studies[i].finding_count; j++)
			p[n++] = studies[i].findings[j].p;
	}
	holm(p, findings);
	n = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < studies[i].finding_count; j++) {
			struct study_finding *finding = &studies[i].findings[j];

			finding->p_holm = p[n++];
			finding->verdict = study_verdict(&studies[i], finding);
		}
	}
	free(p);
}
