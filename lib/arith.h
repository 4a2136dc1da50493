/* SPDX-License-Identifier: MIT */
/* Integer arithmetic for figures: no floating point and no 128-bit division, because the guest has
 * neither SSE nor libgcc. */
#ifndef PVSPIN_LIB_ARITH_H
#define PVSPIN_LIB_ARITH_H

#include <stddef.h>
#include <stdint.h>

/* a * b / c rounded down, exact in between; UINT64_MAX when it does not fit or c is 0. */
uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c);

/* The largest r with r * r <= value. */
uint64_t square_root(uint64_t value);

/* Sorts a short list, ascending. */
void sort_numbers(uint64_t *value, uint32_t count);

/* Mean and relative standard deviation of a growing sample. */
struct spread {
	uint64_t count;
	uint64_t sum;
	unsigned __int128 squares;
};

void spread_add(struct spread *spread, uint64_t value);
uint64_t spread_mean(const struct spread *spread); /* 0 when empty */
/* Sample standard deviation (n - 1) in permille of the mean; 0 with fewer than two values. */
uint64_t spread_permille(const struct spread *spread);

/* Jain's fairness index, (sum x)^2 / (n * sum x^2), in permille: 1000 is all equal, 1000 / n is
 * one has everything. value(i, arg) gives x_i. 0 when all are 0. (Jain, Chiu, Hawe, DEC-TR-301) */
uint64_t jain_permille(size_t count, uint64_t (*value)(size_t i, const void *arg), const void *arg);

#endif
