/* SPDX-License-Identifier: MIT */
/* Statistics of a sample, and tests of two samples: GSL's functions, and those that GSL lacks. */
#ifndef PVSPIN_TOOLS_REPORT_CELLS_STATS_H
#define PVSPIN_TOOLS_REPORT_CELLS_STATS_H

#include "tools/report/base/data.h"

#include <stdbool.h>
#include <stddef.h>

/* Ignores values that are NAN. */
struct stats {
	size_t count;
	double mean, sd; /* sd: with n - 1; NAN for fewer than two values */
	double median, min, max;
	double sum;
};

struct stats stats_of(const struct sample *sample);

/*
 * Tests whether two samples differ, and by what factor. docs/report.md explains the rule.
 *
 * The test is Welch's t-test (B. L. Welch, Biometrika 34, 1947) of the logarithms, because times
 * and rates vary by factors; its ratio is that of the geometric means. The choice of the test does
 * not depend on how the values are distributed. Only if a value has no logarithm (a rate of 0) or
 * no upper bound (INFINITY: a run that met its time limit), or if there is no spread, it is the
 * test of Mann and Whitney (Ann. Math. Stat. 18, 1947). Then the ratio is the median of all ratios
 * b / a, and the interval lies between two of them (Hodges and Lehmann, Ann. Math. Stat. 34, 1963,
 * on logarithms). Each interval excludes 1 if the p of its test is below 0.05, except for ties.
 */

/* With at most this many values in each sample and without ties, p is exact. */
#define EXACT_UP_TO 20
#define ALPHA       0.05

enum two_sample_test { TEST_NONE, TEST_WELCH, TEST_MANN_WHITNEY_EXACT, TEST_MANN_WHITNEY_NORMAL };

struct two_sample {
	enum two_sample_test test;
	double ratio;     /* b to a; NAN: unknown */
	double low, high; /* 95 % interval; NAN: too few values for a bound */
	double p;         /* two-sided; NAN: no test */
	double statistic; /* t, or U of a */
	double df;        /* degrees of freedom (Welch) */
	double least_p;   /* Mann-Whitney: the least p that so few values can give */
};

/* Compares two samples without NANs. Returns TEST_NONE and NANs if a sample is empty. */
struct two_sample two_sample(const double *a, size_t a_count, const double *b, size_t b_count);

/* The parts of two_sample(), for the unit tests. */
struct two_sample welch(const double *a, size_t a_count, const double *b, size_t b_count);
struct two_sample mann_whitney(const double *a, size_t a_count, const double *b, size_t b_count);
/* Returns P(U <= u) without ties. */
double mann_whitney_cdf(size_t a_count, size_t b_count, size_t u);

/* Replaces each p except NANs by the smallest level at which Holm's procedure (Scand. J. Stat. 6,
 * 1979) rejects. If nothing differs, one family of tests in twenty then has a p below 0.05. */
void holm(double *p, size_t count);

#endif
