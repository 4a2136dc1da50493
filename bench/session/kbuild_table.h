/* SPDX-License-Identifier: MIT */
/* The table's blocks of workload=kbuild: elapsed time of the fixed work, and where it went. */
#ifndef PVSPIN_BENCH_SESSION_KBUILD_TABLE_H
#define PVSPIN_BENCH_SESSION_KBUILD_TABLE_H

#include "bench/result.h"
#include "bench/session/table.h"
#include <stddef.h>
#include <stdint.h>

/* What table_add() has to keep beside the rest; result->kbuild is not NULL. */
void kbuild_table_add(struct table_row *row, const struct run_result *result);

/* One block: the locks' rows at one number of threads. */
void kbuild_table_say(const struct table *table, size_t threads_index, int width);

#endif
