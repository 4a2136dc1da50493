/* SPDX-License-Identifier: MIT */
/*
 * --compare A B: each cell of A beside its counterpart in B. Counterparts have the same key; a cell
 * without one takes the only cell of B with the same lock, workload, threads, tasks, hold and think
 * (of several instances: all together), and the table says in what the two differ.
 */
#ifndef PVSPIN_TOOLS_REPORT_TABLES_COMPARE_H
#define PVSPIN_TOOLS_REPORT_TABLES_COMPARE_H

#include "tools/report/base/data.h"
#include "tools/report/tables/table.h"

/* False, with a message on stderr: accelerator classes that are not to be compared. */
bool compare_allowed(const struct set *a, const struct set *b);

/* Cells left out are named in `notes`. */
struct table *compare_table(const struct set *a, const struct set *b, struct notes *notes);

/* For each cell of `a` its counterpart in `b` or NULL. */
const struct cell *compare_counterpart(const struct set *a, const struct cell *cell,
				       const struct set *b);

#endif
