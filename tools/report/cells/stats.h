/* SPDX-License-Identifier: MIT */
/* Statistics of a sample, and tests of two: GSL's functions and what it does not have. */
#ifndef PVSPIN_TOOLS_REPORT_CELLS_STATS_H
#define PVSPIN_TOOLS_REPORT_CELLS_STATS_H

#include "tools/report/base/data.h"

/* Of the values that are not NAN. */
struct stats {
	size_t count;
	double mean, sd; /* sd: of a sample (n - 1); NAN below two values */
	double median, min, max;
	double sum;
};

struct stats stats_of(const struct sample *sample);

#endif
