/* SPDX-License-Identifier: MIT */
/* The columns that say which cell a row is: the first ones of every table. */
#ifndef PVSPIN_TOOLS_REPORT_TABLES_IDENTITY_H
#define PVSPIN_TOOLS_REPORT_TABLES_IDENTITY_H

#include "tools/report/base/data.h"
#include "tools/report/tables/table.h"

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

/* "qspinlock *" */
#define MARK_DAMAGED    " *"
#define MARK_INCOMPLETE " +"
#define MARK_NULL       " ^"

#endif
