/* SPDX-License-Identifier: MIT */
/* Statistics of one sample: see stats.h. */
#include "tools/report/cells/stats.h"

#include "tools/report/base/memory.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

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
