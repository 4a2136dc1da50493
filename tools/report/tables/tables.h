/* SPDX-License-Identifier: MIT */
/*
 * Tables of a set (summary.c), the columns that say which cell a row is (identity.c), the
 * comparison of two sets (compare.c), and what the figures may not be used for (limits.c).
 */
#ifndef PVSPIN_TOOLS_REPORT_TABLES_TABLES_H
#define PVSPIN_TOOLS_REPORT_TABLES_TABLES_H

#include "tools/report/base/data.h"
#include "tools/report/tables/table.h"

#define SUMMARY_TABLES 8

/* Makes the tables that have rows for this set. Returns their number. The caller frees them. */
size_t summary_tables(const struct set *set, struct table *table[SUMMARY_TABLES]);

/* Makes the table of how much of the logs' measured phases overlapped, with a row for each log,
 * lock and number of threads. Returns NULL if nothing overlapped. */
struct table *overlap_table(const struct set *set);

/* The first columns of every table say which cell a row is. */
#define IDENTITY_COLUMNS 10

/* Returns the identity columns followed by `count` others. The caller frees the result. */
struct table_column *identity_columns(const struct table_column *more, size_t count);
/* Adds the identity columns of a row. A sign after the lock's name marks damaged cells and the null
 * lock. The settings are those in which the set's cells of the same lock differ. */
void identity_add(struct table *table, const struct set *set, const struct cell *cell);
/* Adds the footnotes that explain the signs in use. */
void identity_footnotes(struct table *table, const struct set *set);

/* Returns the settings that all cells have, "ms=300 latency=on". The caller frees them. */
char *identity_common_settings(const struct set *set);

/*
 * --compare A B compares each cell of A with its counterpart in B. The counterpart is the cell with
 * the same key. If there is none, it is the only cell of B with the same lock, workload, threads,
 * tasks, hold and think (of several instances: all joined), and the table says in what they differ.
 */

/* Returns false, after a message on stderr, if the accelerator classes differ. */
bool compare_allowed(const struct set *a, const struct set *b);

/* Makes the table of a comparison. Notes the cells that it leaves out. */
struct table *compare_table(const struct set *a, const struct set *b, struct notes *notes);

/* Returns the counterpart in `b` of a cell of `a`; NULL if there is none. */
const struct cell *compare_counterpart(const struct set *a, const struct cell *cell,
				       const struct set *b);

/* Adds sentences about what the figures of a set may not be used for, the most important first. */
void limits_of(const struct set *set, struct notes *limits);

/* Notes how the hosts of two logs differ, by their manifests (hosts.c). Another kernel or CPU model
 * gets a note of its own; settings are named by their files. */
void hosts_compare(const struct log *a, const struct log *b, struct notes *notes);
/* The same for the first usable logs of two sets. */
void hosts_compare_sets(const struct set *a, const struct set *b, struct notes *notes);
/* Notes logs of a set that are of another kernel or CPU model than the first. */
void hosts_limit(const struct set *set, struct notes *limits);

/* On how many CPUs the vCPUs of a log could run; 0: unknown. */
uint64_t log_cpus(const struct log *log);

/* Makes the table of rates under overcommit, as shares of the rate with a CPU for each vCPU, beside
 * two bounds of that share (efficiency.c). NULL: no lock of the set was measured both ways. */
struct table *efficiency_table(const struct set *set);

#endif
