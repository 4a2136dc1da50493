/* SPDX-License-Identifier: MIT */
/*
 * Whether a finding of the study is seen in two cells, and how sure that is. Everything is about
 * ratios, because seconds of two machines, or of a machine and an emulator, cannot be compared.
 *
 * Times (slower, equal, differs): cells from separate runs are compared as --compare does
 * (stats.h); cells that were measured in the same runs, where each is the other's load, by the
 * paired t test of the logarithms. A run that was cut by its time limit is longer than all that
 * were not: then it is the test of ranks.
 *
 * Wilder: Brown and Forsythe's test (J. Am. Stat. Assoc. 69, 1974: Levene's, about the median) of
 * the deviations relative to the cell's median, so that a slower cell is not wilder for that alone.
 * The interval of the ratio of sd / mean is that of a percentile bootstrap (B. Efron, Ann. Stat. 7,
 * 1979), which is too narrow for few runs; the test has to agree.
 *
 * A verdict wants an effect, not only a p: the 95 % interval beyond 5 %, and p below 0.05 after
 * Holm's correction over all findings of the tables. Equal, or no difference: the interval within
 * 5 %, which is two one-sided tests (D. J. Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987) at
 * 2.5 % each.
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

#define EFFECT 1.05 /* a ratio nearer to 1 is no difference worth the name */
/* z of 95 % two-sided, and of a power of 80 %: the usual sum for how large a sample is wanted. */
#define Z_95        1.960
#define Z_POWER     0.842
#define MOST_NEEDED 10000
#define NEEDED_FROM 4 /* below, the interval says nothing about how wide it will be */
#define RESAMPLES   2000

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

/* The times, where those that were cut are longer than any. To be freed. */
static double *times_of(const struct study_cell *cell)
{
	double *times = memory_new(cell->time.count + 1, sizeof(*times));

	for (size_t i = 0; i < cell->time.count; i++)
		times[i] = cell->cut[i] ? INFINITY : cell->time.value[i];
	return times;
}

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

/* Of `n` repetitions that gave this interval, how many would show a true ratio that is by this
 * factor farther away from 1 than what is asked for; 0: no end in sight, or no idea. */
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

/* cv_of() of as many values, drawn from these. */
static double resampled_cv(const struct sample *sample, gsl_rng *random, double *drawn)
{
	struct sample one = {drawn, sample->count};

	for (size_t i = 0; i < sample->count; i++)
		drawn[i] = sample->value[gsl_rng_uniform_int(random, sample->count)];
	return cv_of(&one);
}

/* The same samples give the same interval: the generator starts anew each time. */
static void spread_interval(struct study_finding *finding)
{
	const struct sample *a = &finding->cell->time, *b = &finding->other->time;
	gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
	double *drawn = memory_new(a->count + b->count, sizeof(*drawn));
	double *ratio = memory_new(RESAMPLES, sizeof(*ratio));
	size_t count = 0;

	for (int i = 0; i < RESAMPLES; i++) {
		double of_a = resampled_cv(a, random, drawn), of_b = resampled_cv(b, random, drawn);

		if (of_a > 0 && of_b > 0) /* else it drew one value only */
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
		return; /* of a time that was cut nobody knows how far it is from the others */
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
			finding->verdict = accel_is_kvm(studies[i].accel) ? verdict_of(finding)
									  : VERDICT_NOT_JUDGED;
		}
	}
	free(p);
}
