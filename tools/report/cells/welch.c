/* SPDX-License-Identifier: MIT */
/* Welch's test, whether it may be used, and the choice between it and the other: twosample.h. */
#include "tools/report/base/memory.h"
#include "tools/report/cells/twosample.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double anderson_darling(const double *value, size_t count)
{
	double *sorted = memory_new(count, sizeof(double)), mean, sd, sum = 0;
	double n = (double)count;

	memcpy(sorted, value, count * sizeof(double));
	gsl_sort(sorted, 1, count);
	mean = gsl_stats_mean(sorted, 1, count);
	sd = gsl_stats_sd_m(sorted, 1, count, mean);
	for (size_t i = 0; i < count; i++) {
		double low = gsl_cdf_ugaussian_P((sorted[i] - mean) / sd);
		double high = gsl_cdf_ugaussian_Q((sorted[count - 1 - i] - mean) / sd);

		sum += (2 * (double)i + 1) * (log(low) + log(high));
	}
	free(sorted);
	if (!(sd > 0))
		return NAN;
	return (-n - sum / n) * (1 + 0.75 / n + 2.25 / (n * n));
}

/* Fieller's limits of mean_b / mean_a; variances are those of the means. */
static void fieller(struct two_sample *result, double a, double var_a, double b, double var_b)
{
	double t = gsl_cdf_tdist_Qinv(ALPHA / 2, result->df);
	double square = a * a - t * t * var_a;
	double root = a * a * b * b - square * (b * b - t * t * var_b);

	/* the mean of a is not clearly above 0: the ratio has no bound */
	if (!(square > 0) || !(root >= 0))
		return;
	result->low = (a * b - sqrt(root)) / square;
	result->high = (a * b + sqrt(root)) / square;
}

struct two_sample welch(const double *a, size_t a_count, const double *b, size_t b_count)
{
	double mean_a = gsl_stats_mean(a, 1, a_count), mean_b = gsl_stats_mean(b, 1, b_count);
	double var_a = gsl_stats_variance_m(a, 1, a_count, mean_a) / (double)a_count;
	double var_b = gsl_stats_variance_m(b, 1, b_count, mean_b) / (double)b_count;
	double both = var_a + var_b;
	struct two_sample result = {TEST_WELCH, mean_b / mean_a, NAN, NAN, NAN, NAN, NAN, 0};

	result.statistic = (mean_a - mean_b) / sqrt(both);
	/* Welch and Satterthwaite */
	result.df = both * both /
		    (var_a * var_a / (double)(a_count - 1) + var_b * var_b / (double)(b_count - 1));
	result.p = 2 * gsl_cdf_tdist_Q(fabs(result.statistic), result.df);
	fieller(&result, mean_a, var_a, mean_b, var_b);
	return result;
}

static bool is_normal(const double *value, size_t count)
{
	return anderson_darling(value, count) <= NORMAL_LIMIT; /* false for NAN */
}

/* Mann and Whitney's test goes through all pairs. */
#define MOST_PAIRS ((size_t)16 << 20)

struct two_sample two_sample(const double *a, size_t a_count, const double *b, size_t b_count)
{
	if (a_count == 0 || b_count == 0)
		return (struct two_sample){TEST_NONE, NAN, NAN, NAN, NAN, NAN, NAN, 1};
	if (a_count > MOST_PAIRS / b_count) /* so many that means are normal anyway */
		return welch(a, a_count, b, b_count);
	if (a_count >= WELCH_FROM && b_count >= WELCH_FROM && is_normal(a, a_count) &&
	    is_normal(b, b_count))
		return welch(a, a_count, b, b_count);
	return mann_whitney(a, a_count, b, b_count);
}
