/* SPDX-License-Identifier: MIT */
/* The cells of the tables (table.c). Each function writes into `cell` and returns it, or returns a
 * constant text. */
#ifndef PVSPIN_BENCH_SESSION_TABLE_CELLS_H
#define PVSPIN_BENCH_SESSION_TABLE_CELLS_H

#include "lib/arith.h"
#include <stdint.h>

#define CELL_BYTES 24

const char *count_cell(char cell[CELL_BYTES], uint64_t count); /* 38, 99999, 4.03 M */
const char *time_cell(char cell[CELL_BYTES], uint64_t ns);     /* 8.24 us; 0: "-" */
/* How many times slower than the best: "best", "1.9x", "26300x", "stuck". */
const char *slower_cell(char cell[CELL_BYTES], uint64_t rate, uint64_t best);
const char *spread_cell(char cell[CELL_BYTES], const struct spread *spread); /* percent */

#endif
