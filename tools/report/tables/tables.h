/* SPDX-License-Identifier: MIT */
/*
 * What is made of a set: the tables that a person reads at once and what goes beyond them
 * (summary.c), the columns that say which cell a row is (identity.c), a comparison of two sets
 * (compare.c), and what the figures may not be used for (limits.c).
 */
#ifndef PVSPIN_TOOLS_REPORT_TABLES_TABLES_H
#define PVSPIN_TOOLS_REPORT_TABLES_TABLES_H

#include "tools/report/base/data.h"
#include "tools/report/tables/table.h"

#define SUMMARY_TABLES 6

/* The tables that this set has something for, `table[0]` first; how many. Freed by the caller. */
size_t summary_tables(const struct set *set, struct table *table[SUMMARY_TABLES]);

/* How much of the logs' measured phases was at the same time: a row for each log, lock and number
 * of threads; NULL: nothing was. */
struct table *overlap_table(const struct set *set);

/* The columns that say which cell a row is: the first ones of every table. */
#define IDENTITY_COLUMNS 10

/* Puts the identity columns before `count` others; the result is freed by the caller. */
struct table_column *identity_columns(const struct table_column *more, size_t count);
/* Adds those of a row. Damaged cells and the null lock have a sign behind the lock's name; settings
 * are those that tell the cell from another one of the set with the same lock. */
void identity_add(struct table *table, const struct set *set, const struct cell *cell);
/* The footnotes for the signs in use. */
void identity_footnotes(struct table *table, const struct set *set);

/* The settings that all cells have, "ms=300 latency=on"; freed by the caller. */
char *identity_common_settings(const struct set *set);

/*
 * --compare A B: each cell of A beside its counterpart in B. Counterparts have the same key; a cell
 * without one takes the only cell of B with the same lock, workload, threads, tasks, hold and think
 * (of several instances: all together), and the table says in what the two differ.
 */

/* False, with a message on stderr: accelerator classes that are not to be compared. */
bool compare_allowed(const struct set *a, const struct set *b);

/* Cells left out are named in `notes`. */
struct table *compare_table(const struct set *a, const struct set *b, struct notes *notes);

/* For each cell of `a` its counterpart in `b` or NULL. */
const struct cell *compare_counterpart(const struct set *a, const struct cell *cell,
				       const struct set *b);

/* What the figures of a set may not be used for, as sentences in the order of importance. */
void limits_of(const struct set *set, struct notes *limits);

#endif
