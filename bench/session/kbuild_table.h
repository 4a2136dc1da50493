/* SPDX-License-Identifier: MIT */
/* The table's blocks for workload=kbuild: the elapsed time of the fixed work, and its parts. */
#ifndef PVSPIN_BENCH_SESSION_KBUILD_TABLE_H
#define PVSPIN_BENCH_SESSION_KBUILD_TABLE_H

#include "bench/result.h"
#include "bench/session/table.h"
#include <stddef.h>
#include <stdint.h>

/* Adds kbuild's values for table_add(); result->kbuild is not NULL. */
void kbuild_table_add(struct table_row *row, const struct run_result *result);

/* Prints one block: the locks' rows at one number of threads. */
void kbuild_table_say(const struct table *table, size_t threads_index, int width);

#endif
