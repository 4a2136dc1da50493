/* SPDX-License-Identifier: MIT */
/* See stats.h. */
#include "tools/report/cells/stats.h"
#include "tools/report/base/system.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct stats stats_of(const struct sample *sample)
{
	double *known = memory_new(sample->count, sizeof(double));
	struct stats stats = {0, NAN, NAN, NAN, NAN, NAN, NAN};

	for (size_t i = 0; i < sample->count; i++) {
		if (!isnan(sample->value[i]))
			known[stats.count++] = sample->value[i];
	}
	if (stats.count > 0) {
		gsl_sort(known, 1, stats.count);
		stats.mean = gsl_stats_mean(known, 1, stats.count);
		stats.median = gsl_stats_median_from_sorted_data(known, 1, stats.count);
		stats.min = known[0];
		stats.max = known[stats.count - 1];
		stats.sum = stats.mean * (double)stats.count;
	}
	if (stats.count > 1)
		stats.sd = gsl_stats_sd_m(known, 1, stats.count, stats.mean);
	free(known);
	return stats;
}

/* Sets the mean of the logarithms and the variance of that mean. Returns false if a value has no
 * finite logarithm. */
static bool log_moments(const double *value, size_t count, double *mean, double *variance)
{
	double *logs = memory_new(count, sizeof(double));
	bool all = true;

	for (size_t i = 0; i < count; i++) {
		all = all && value[i] > 0 && isfinite(value[i]);
		logs[i] = log(value[i]);
	}
	*mean = gsl_stats_mean(logs, 1, count);
	*variance = gsl_stats_variance_m(logs, 1, count, *mean) / (double)count;
	free(logs);
	return all;
}

struct two_sample welch(const double *a, size_t a_count, const double *b, size_t b_count)
{
	struct two_sample none = {TEST_NONE, NAN, NAN, NAN, NAN, NAN, NAN, 1}, result = none;
	double mean_a, mean_b, var_a, var_b, both, t;

	if (a_count < 2 || b_count < 2 || !log_moments(a, a_count, &mean_a, &var_a) ||
	    !log_moments(b, b_count, &mean_b, &var_b) || !(var_a + var_b > 0))
		return none;
	both = var_a + var_b;
	result.test = TEST_WELCH;
	result.ratio = exp(mean_b - mean_a);
	result.statistic = (mean_a - mean_b) / sqrt(both);
	/* Welch and Satterthwaite */
	result.df = both * both /
		    (var_a * var_a / (double)(a_count - 1) + var_b * var_b / (double)(b_count - 1));
	result.p = 2 * gsl_cdf_tdist_Q(fabs(result.statistic), result.df);
	result.least_p = 0;
	t = gsl_cdf_tdist_Qinv(ALPHA / 2, result.df) * sqrt(both);
	result.low = exp(mean_b - mean_a - t);
	result.high = exp(mean_b - mean_a + t);
	return result;
}

/* Mann and Whitney's test compares all pairs, so their number is bounded. */
#define MOST_PAIRS ((size_t)16 << 20)

struct two_sample two_sample(const double *a, size_t a_count, const double *b, size_t b_count)
{
	struct two_sample result = welch(a, a_count, b, b_count);

	if (result.test != TEST_NONE || a_count == 0 || b_count == 0 ||
	    a_count > MOST_PAIRS / b_count)
		return result;
	return mann_whitney(a, a_count, b, b_count);
}

void holm(double *p, size_t count)
{
	size_t *order = memory_new(count, sizeof(*order)), known = 0;
	double least = 0;

	for (size_t i = 0; i < count; i++) {
		size_t j = known;

		if (isnan(p[i]))
			continue;
		for (; j > 0 && p[order[j - 1]] > p[i]; j--)
			order[j] = order[j - 1];
		order[j] = i;
		known++;
	}
	for (size_t k = 0; k < known; k++) {
		least = fmax(least, fmin(1, p[order[k]] * (double)(known - k)));
		p[order[k]] = least;
	}
	free(order);
}

/*
 * The test of Mann and Whitney. U of a is the number of pairs in which a's value is the larger one;
 * a tie counts half.
 */

/* Returns how many orders of a + b values give each U. They are the coefficients of the Gaussian
 * binomial coefficient (Andrews, The Theory of Partitions, 1976, ch. 3), the product of
 * (1 - q^(b + i)) / (1 - q^i) for i = 1..a. Doubles are exact while C(a + b, a) < 2^53; for 20 and
 * 20 values it is 1.4e11. */
static double *count_orders(size_t a, size_t b)
{
	size_t most = a * b;
	double *count = memory_new(most + 1, sizeof(double));

	count[0] = 1;
	for (size_t i = 1; i <= a; i++) {
		for (size_t u = most; u >= b + i && u <= most; u--)
			count[u] -= count[u - b - i];
		for (size_t u = i; u <= most; u++)
			count[u] += count[u - i];
	}
	return count;
}

double mann_whitney_cdf(size_t a_count, size_t b_count, size_t u)
{
	double *count = count_orders(a_count, b_count), below = 0, all = 0;

	for (size_t i = 0; i <= a_count * b_count; i++) {
		all += count[i];
		below += i <= u ? count[i] : 0;
	}
	free(count);
	return below / all;
}

/* Returns the sum of t^3 - t over the groups of t equal values in both samples; 0 without ties. */
static double ties(const double *a, size_t a_count, const double *b, size_t b_count)
{
	size_t count = a_count + b_count, same;
	double *all = memory_new(count, sizeof(double)), sum = 0;

	memcpy(all, a, a_count * sizeof(double));
	memcpy(all + a_count, b, b_count * sizeof(double));
	gsl_sort(all, 1, count);
	for (size_t i = 0; i < count; i += same) {
		for (same = 1; i + same < count && all[i + same] == all[i]; same++)
			;
		sum += (double)same * (double)same * (double)same - (double)same;
	}
	free(all);
	return sum;
}

static double pairs_larger(const double *a, size_t a_count, const double *b, size_t b_count)
{
	double u = 0;

	for (size_t i = 0; i < a_count; i++) {
		for (size_t j = 0; j < b_count; j++)
			u += a[i] > b[j] ? 1 : a[i] == b[j] ? 0.5 : 0;
	}
	return u;
}

/* Returns the standard deviation of U. */
static double deviation(size_t a_count, size_t b_count, double tied)
{
	double a = (double)a_count, b = (double)b_count, n = a + b;

	return sqrt(a * b / 12 * (n + 1 - tied / (n * (n - 1))));
}

static double p_exact(size_t a_count, size_t b_count, double u)
{
	double other = (double)(a_count * b_count) - u;
	double p = 2 * mann_whitney_cdf(a_count, b_count, (size_t)(u < other ? u : other));

	return p < 1 ? p : 1;
}

/* Returns p by the normal approximation with continuity correction. */
static double p_normal(size_t a_count, size_t b_count, double u, double sd)
{
	double off = fabs(u - (double)(a_count * b_count) / 2) - 0.5;

	return sd > 0 && off > 0 ? 2 * gsl_cdf_ugaussian_Q(off / sd) : 1;
}

/* Returns how many of the sorted ratios lie outside the 95 % interval at either end. Negative: not
 * even all ratios cover 95 %. */
static double ratios_outside(size_t a_count, size_t b_count, bool exact, double sd)
{
	double outside = -1;

	if (!exact)
		return floor((double)(a_count * b_count) / 2 - 0.5 -
			     gsl_cdf_ugaussian_Qinv(ALPHA / 2) * sd);
	while (2 * mann_whitney_cdf(a_count, b_count, (size_t)(outside + 1)) <= ALPHA)
		outside++;
	return outside;
}

/* Sets the ratio and its interval from all b / a, if all a are positive. Two infinite values (runs
 * that met their time limit) count as equal, because nobody knows which is larger. */
static void set_ratio(struct two_sample *result, const double *a, size_t a_count, const double *b,
		      size_t b_count, double outside)
{
	size_t count = a_count * b_count, n = 0;
	double *ratio = memory_new(count, sizeof(double));

	for (size_t i = 0; i < a_count; i++) {
		for (size_t j = 0; j < b_count && a[i] > 0; j++)
			ratio[n++] = isinf(a[i]) && isinf(b[j]) ? 1 : b[j] / a[i];
	}
	if (n == count) {
		gsl_sort(ratio, 1, n);
		result->ratio = gsl_stats_median_from_sorted_data(ratio, 1, n);
		if (outside >= 0 && 2 * (outside + 1) < (double)n) {
			size_t skip = (size_t)outside;

			result->low = ratio[skip];
			result->high = ratio[n - 1 - skip];
		}
	}
	free(ratio);
}

struct two_sample mann_whitney(const double *a, size_t a_count, const double *b, size_t b_count)
{
	double tied = ties(a, a_count, b, b_count);
	bool exact = tied == 0 && a_count <= EXACT_UP_TO && b_count <= EXACT_UP_TO;
	double sd = deviation(a_count, b_count, tied);
	struct two_sample result = {.ratio = NAN, .low = NAN, .high = NAN, .df = NAN};

	result.test = exact ? TEST_MANN_WHITNEY_EXACT : TEST_MANN_WHITNEY_NORMAL;
	result.statistic = pairs_larger(a, a_count, b, b_count);
	result.p = exact ? p_exact(a_count, b_count, result.statistic)
			 : p_normal(a_count, b_count, result.statistic, sd);
	result.least_p =
		a_count <= EXACT_UP_TO && b_count <= EXACT_UP_TO ? p_exact(a_count, b_count, 0) : 0;
	set_ratio(&result, a, a_count, b, b_count, ratios_outside(a_count, b_count, exact, sd));
	return result;
}
