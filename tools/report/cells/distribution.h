/* SPDX-License-Identifier: MIT */
/* Histograms of the log (hist records), checked and merged. */
#ifndef PVSPIN_TOOLS_REPORT_CELLS_DISTRIBUTION_H
#define PVSPIN_TOOLS_REPORT_CELLS_DISTRIBUTION_H

#include "tools/report/base/data.h"

/* A hist record's list: [low, high, count] each, ascending, not overlapping, counts of 1 and more
 * that add up to `count`, all of them within the range of min and max. */
bool distribution_valid(const json_t *hist);

/* Adds a valid hist record; all that is in another one. False: another unit than those before,
 * nothing was added. */
bool distribution_add(struct distribution *distribution, const struct record *hist);
bool distribution_merge(struct distribution *distribution, const struct distribution *more);
void distribution_free(struct distribution *distribution);

/* The value that a share p (0..1) of all values do not exceed, as the upper bound of its bucket and
 * at most the largest value; NAN when there is none. */
double distribution_quantile(const struct distribution *distribution, double p);

#endif
