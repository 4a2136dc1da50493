/* SPDX-License-Identifier: MIT */
/* Statistics of a sample, and tests of two: GSL's functions and what it does not have. */
#ifndef PVSPIN_TOOLS_REPORT_CELLS_STATS_H
#define PVSPIN_TOOLS_REPORT_CELLS_STATS_H

#include "tools/report/base/data.h"

#include <stdbool.h>
#include <stddef.h>

/* Of the values that are not NAN. */
struct stats {
	size_t count;
	double mean, sd; /* sd: of a sample (n - 1); NAN below two values */
	double median, min, max;
	double sum;
};

struct stats stats_of(const struct sample *sample);

/*
 * Do two samples differ, and by what factor? docs/report.md tells the rule in words.
 *
 * Welch's t-test (B. L. Welch, Biometrika 34, 1947) of the logarithms, since times and rates vary
 * by factors; its ratio is that of the geometric means. The test is not chosen by what the values
 * look like. Only where they have no logarithm (a rate of 0), no upper bound (INFINITY: a run that
 * was cut) or no spread is it the test of Mann and Whitney (Ann. Math. Stat. 18, 1947): its ratio
 * is the median of all ratios b / a, and the interval runs between two of them (Hodges and Lehmann,
 * Ann. Math. Stat. 34, 1963, on logarithms). Each interval leaves out 1 when its test's p is below
 * 0.05, ties aside.
 */

/* Up to so many values each, and without ties, p is exact. */
#define EXACT_UP_TO 20
#define ALPHA       0.05

enum two_sample_test { TEST_NONE, TEST_WELCH, TEST_MANN_WHITNEY_EXACT, TEST_MANN_WHITNEY_NORMAL };

struct two_sample {
	enum two_sample_test test;
	double ratio;     /* b to a; NAN: unknown */
	double low, high; /* 95 %; NAN: no bound can be given */
	double p;         /* two-sided; NAN: no test */
	double statistic; /* t, or U of a */
	double df;        /* Welch */
	double least_p;   /* Mann-Whitney: what p is at least, with so few values */
};

/* Both without NANs. TEST_NONE, and all of it NAN: one of them is empty. */
struct two_sample two_sample(const double *a, size_t a_count, const double *b, size_t b_count);

/* The parts, for their tests. */
struct two_sample welch(const double *a, size_t a_count, const double *b, size_t b_count);
struct two_sample mann_whitney(const double *a, size_t a_count, const double *b, size_t b_count);
/* P(U <= u) without ties. */
double mann_whitney_cdf(size_t a_count, size_t b_count, size_t u);

/* Makes of each p, NANs apart, the smallest level at which Holm's procedure (Scand. J. Stat. 6,
 * 1979) rejects: so that of all tests together one in twenty is wrong where nothing differs. */
void holm(double *p, size_t count);

#endif
