/* SPDX-License-Identifier: MIT */
/* Compares the statistics of tools/report with published figures and with figures computed by hand:
 * the tests of Mann and Whitney and of Welch, Holm's correction, quantiles of histograms. */
#include "tests/host/test.h"

#include "tools/report/cells/cells.h"
#include "tools/report/cells/stats.h"
#include <math.h>
#include <stdlib.h>

#define COUNT_OF(list)              (sizeof(list) / sizeof((list)[0]))
#define near(value, wanted, within) assert_true(fabs((value) - (wanted)) <= (within))

static void mann_whitney_counts_orders(void **state)
{
	(void)state;
	/* of the C(n + m, n) orders one has U = 0: 1 of 20, 1 of 70; with 5 and 5 values, 1, 1, 2
	 * of 252 have U = 0, 1, 2: the numbers of partitions */
	near(mann_whitney_cdf(3, 3, 0), 1 / 20.0, 1e-12);
	near(mann_whitney_cdf(4, 4, 0), 1 / 70.0, 1e-12);
	near(mann_whitney_cdf(5, 5, 2), 4 / 252.0, 1e-12);
	near(mann_whitney_cdf(1, 1, 0), 0.5, 1e-12);
	near(mann_whitney_cdf(2, 3, 6), 1, 1e-12);
	near(mann_whitney_cdf(20, 20, 400), 1, 1e-12);
}

/* The largest U that is significant at 5 %, two-sided (Siegel, Nonparametric Statistics, 1956,
 * table K).
 */
static void mann_whitney_has_the_textbook_limits(void **state)
{
	static const struct {
		size_t a, b, u;
	} limits[] = {{4, 4, 0},    {5, 5, 2},    {5, 8, 6},    {8, 8, 13},   {9, 12, 26},
		      {10, 10, 23}, {12, 15, 49}, {15, 20, 90}, {20, 20, 127}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		assert_true(2 * mann_whitney_cdf(limits[i].a, limits[i].b, limits[i].u) <= 0.05);
		assert_true(2 * mann_whitney_cdf(limits[i].a, limits[i].b, limits[i].u + 1) > 0.05);
	}
}

/* Hollander and Wolfe, Nonparametric Statistical Methods, 1973, p. 69: permeability of membranes.
 * One-sided p = 0.1272, and the distribution is symmetric. */
static void mann_whitney_on_published_data(void **state)
{
	static const double term[] = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
	static const double early[] = {1.15, 0.88, 0.90, 0.74, 1.21};
	struct two_sample result = mann_whitney(term, COUNT_OF(term), early, COUNT_OF(early));

	(void)state;
	assert_int_equal(result.test, TEST_MANN_WHITNEY_EXACT);
	near(result.statistic, 35, 0);
	near(result.p, 2 * 0.1272, 0.0001);
}

static void mann_whitney_with_ties_is_normal(void **state)
{
	/* by hand: U = 0.5 (one tie), N = 10, one pair tied: t^3 - t = 6, so the variance is
	 * 25 / 12 * (11 - 6 / 90) = 22.777..; z = (12 - 0.5) / sqrt of it = 2.40962 */
	static const double a[] = {1, 2, 3, 4, 5}, b[] = {5, 6, 7, 8, 9};
	static const double same[] = {3, 3, 3};
	struct two_sample result = mann_whitney(a, 5, b, 5);

	(void)state;
	assert_int_equal(result.test, TEST_MANN_WHITNEY_NORMAL);
	near(result.statistic, 0.5, 0);
	near(result.p, 0.015969, 0.00001);
	near(mann_whitney(same, 3, same, 3).p, 1, 0);
}

static void three_and_three_values_are_never_significant(void **state)
{
	static const double a[] = {1, 2, 3, 4}, b[] = {100, 200, 300, 400};
	struct two_sample three = mann_whitney(a, 3, b, 3), four = mann_whitney(a, 4, b, 4);

	(void)state;
	near(three.p, 0.1, 1e-12);
	near(three.least_p, 0.1, 1e-12);
	assert_true(isnan(three.low) && isnan(three.high));
	near(four.p, 2 / 70.0, 1e-12);
	/* all 16 ratios are in the interval: without one at either end it would be below 95 % */
	near(four.low, 25, 0);
	near(four.high, 400, 0);
}

/* The interval of the ratio excludes 1 exactly if p <= 0.05: both are from the same test. */
static void interval_and_p_agree(void **state)
{
	uint64_t seed = 7;
	size_t different = 0;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t n = 4 + next_random(&seed) % 12, m = 4 + next_random(&seed) % 12;
		double shift = (double)(next_random(&seed) % 100) / 50;
		double a[16], b[16];
		struct two_sample result;

		for (size_t i = 0; i < n; i++)
			a[i] = 1 + (double)(next_random(&seed) >> 11) / 9007199254740992.0;
		for (size_t i = 0; i < m; i++)
			b[i] = 1 + shift + (double)(next_random(&seed) >> 11) / 9007199254740992.0;
		result = round % 2 ? mann_whitney(a, n, b, m) : welch(a, n, b, m);
		assert_true(result.low <= result.ratio && result.ratio <= result.high);
		assert_int_equal(result.p <= 0.05, result.low > 1 || result.high < 1);
		different += result.p <= 0.05;
	}
	assert_in_range(different, 200, 1900); /* both happen */
}

/* Student's sleep data (Biometrika 6, 1908), as logarithms. t = -1.8608, df = 17.776, p = 0.07939
 * and the interval -3.3655 to 0.2055 are what R's t.test() prints for its own example. */
static void welch_on_published_data(void **state)
{
	static const double one[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
	static const double two[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
	double a[10], b[10];
	struct two_sample result;

	(void)state;
	for (int i = 0; i < 10; i++) {
		a[i] = exp(one[i]);
		b[i] = exp(two[i]);
	}
	result = welch(a, 10, b, 10);
	near(result.statistic, -1.8608, 0.00005);
	near(result.df, 17.776, 0.0005);
	near(result.p, 0.07939, 0.000005);
	near(log(result.ratio), 2.33 - 0.75, 1e-9);
	near(log(result.low), -0.2055, 0.0001);
	near(log(result.high), 3.3655, 0.0001);
}

static void the_test_does_not_depend_on_the_distribution(void **state)
{
	static const double a[] = {4, 5, 6}, skewed[] = {4, 5, 600}, stuck[] = {0, 5, 6};
	static const double cut[] = {4, 5, INFINITY, INFINITY}, equal[] = {4, 4, 4};
	struct two_sample result;

	(void)state;
	assert_int_equal(two_sample(a, 3, a, 3).test, TEST_WELCH);
	assert_int_equal(two_sample(a, 3, skewed, 3).test, TEST_WELCH);
	assert_int_equal(two_sample(a, 3, stuck, 3).test, TEST_MANN_WHITNEY_NORMAL);
	assert_int_equal(two_sample(equal, 3, equal, 3).test, TEST_MANN_WHITNEY_NORMAL);
	assert_int_equal(two_sample(a, 1, skewed, 3).test, TEST_MANN_WHITNEY_NORMAL);
	assert_int_equal(two_sample(a, 0, a, 3).test, TEST_NONE);
	/* The two times that were cut are longer than all others by an unknown amount. */
	result = two_sample(a, 3, cut, 4);
	assert_int_equal(result.test, TEST_MANN_WHITNEY_NORMAL); /* ties */
	near(result.statistic, 0.5 + 1.5 + 2, 1e-9);
	assert_true(two_sample(cut, 4, cut, 4).ratio == 1);
}

/* 0.01 * 4, 0.02 * 3, 0.03 * 2 (at least the one before), 0.5. */
static void holm_by_hand(void **state)
{
	double p[] = {0.03, 0.01, NAN, 0.5, 0.02}, one[] = {0.04};

	(void)state;
	holm(p, COUNT_OF(p));
	near(p[1], 0.04, 1e-12);
	near(p[4], 0.06, 1e-12);
	near(p[0], 0.06, 1e-12);
	near(p[3], 0.5, 1e-12);
	assert_true(isnan(p[2]));
	holm(one, 1);
	near(one[0], 0.04, 1e-12);
}

static void unknown_values_are_not_counted(void **state)
{
	double value[] = {4, NAN, 2, 6};
	struct sample sample = {value, 4}, none = {value + 1, 1};

	(void)state;
	assert_int_equal(stats_of(&sample).count, 3);
	near(stats_of(&sample).mean, 4, 0);
	near(stats_of(&sample).sd, 2, 1e-12);
	near(stats_of(&sample).median, 4, 0);
	assert_true(isnan(stats_of(&none).mean) && isnan(stats_of(&none).sd));
}

/* Two repetitions of one boot and three of another are two independent values, the means. With one
 * boot the repetitions are the values. */
static void boots_are_the_sample(void **state)
{
	double value[] = {1, 3, 10, 20, 30};
	struct log logs[2];
	struct origin origin[] = {{&logs[0], 1, 1},
				  {&logs[0], 2, 2},
				  {&logs[1], 1, 1},
				  {&logs[1], 2, 2},
				  {&logs[1], 3, 3}};
	struct cell cell = {.origin = origin, .sample[SAMPLE_MERIT] = {value, 5}};
	struct sample sample;
	size_t boots;

	(void)state;
	sample = cell_independent(&cell, SAMPLE_MERIT, &boots);
	assert_int_equal(boots, 2);
	assert_int_equal(sample.count, 2);
	near(sample.value[0], 2, 1e-12);
	near(sample.value[1], 20, 1e-12);
	free(sample.value);
	cell.sample[SAMPLE_MERIT].count = 2;
	sample = cell_independent(&cell, SAMPLE_MERIT, &boots);
	assert_int_equal(boots, 1);
	assert_int_equal(sample.count, 2);
	near(sample.value[1], 3, 0);
	free(sample.value);
}

static void jain_by_hand(void **state)
{
	static const double equal[] = {3, 3, 3, 3}, one[] = {0, 0, 0, 9}, none[] = {0, 0};

	(void)state;
	near(jain_index(equal, 4), 1, 1e-12);
	near(jain_index(one, 4), 0.25, 1e-12);
	assert_true(isnan(jain_index(none, 2)));
}

static void quantiles_are_upper_bounds(void **state)
{
	struct bucket first[] = {{0, 9, 50}, {10, 19, 40}}, second[] = {{10, 19, 5}, {30, 39, 5}};
	struct distribution a = {first, 2, 90, 19, "cycles"}, b = {second, 2, 10, 33, "cycles"};
	struct distribution all = {0}, other = {second, 2, 10, 33, "ns"};

	(void)state;
	assert_true(isnan(distribution_quantile(&all, 0.5)));
	assert_true(distribution_merge(&all, &a) && distribution_merge(&all, &b));
	assert_false(distribution_merge(&all, &other));
	assert_int_equal(all.count, 100);
	near(distribution_quantile(&all, 0.5), 9, 0);
	near(distribution_quantile(&all, 0.51), 19, 0);
	near(distribution_quantile(&all, 0.95), 19, 0);
	near(distribution_quantile(&all, 0.96), 33,
	     0); /* not 39, because the largest value is known */
	distribution_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mann_whitney_counts_orders),
		cmocka_unit_test(mann_whitney_has_the_textbook_limits),
		cmocka_unit_test(mann_whitney_on_published_data),
		cmocka_unit_test(mann_whitney_with_ties_is_normal),
		cmocka_unit_test(three_and_three_values_are_never_significant),
		cmocka_unit_test(interval_and_p_agree),
		cmocka_unit_test(welch_on_published_data),
		cmocka_unit_test(the_test_does_not_depend_on_the_distribution),
		cmocka_unit_test(holm_by_hand),
		cmocka_unit_test(unknown_values_are_not_counted),
		cmocka_unit_test(boots_are_the_sample),
		cmocka_unit_test(jain_by_hand),
		cmocka_unit_test(quantiles_are_upper_bounds),
	};

	return cmocka_run_group_tests_name("report_stats", tests, NULL, NULL);
}
