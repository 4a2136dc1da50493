/* SPDX-License-Identifier: MIT */
/* A set's cells as tables: the summary that a person reads at once, and what goes beyond it. */
#ifndef PVSPIN_TOOLS_REPORT_TABLES_SUMMARY_H
#define PVSPIN_TOOLS_REPORT_TABLES_SUMMARY_H

#include "tools/report/base/data.h"
#include "tools/report/tables/table.h"

#define SUMMARY_TABLES 5

/* The tables that this set has something for, `table[0]` first; how many. Freed by the caller. */
size_t summary_tables(const struct set *set, struct table *table[SUMMARY_TABLES]);

#endif
