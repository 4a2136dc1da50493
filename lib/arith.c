/* SPDX-License-Identifier: MIT */
/* Integer arithmetic for figures: see arith.h. */
#include "lib/arith.h"

uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	uint64_t rest = (uint64_t)(product >> 64);
	uint64_t low = (uint64_t)product;
	uint64_t quotient = 0;

	if (rest >= c) /* also c == 0 */
		return UINT64_MAX;
	/* Long division, one bit at a time: rest < c, so 65 bits hold rest * 2 + 1. */
	for (int bit = 63; bit >= 0; bit--) {
		unsigned __int128 next = ((unsigned __int128)rest << 1) | (low >> bit & 1);

		quotient <<= 1;
		if (next >= c) {
			next -= c;
			quotient |= 1;
		}
		rest = (uint64_t)next;
	}
	return quotient;
}

uint64_t square_root(uint64_t value)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit != 0; bit >>= 1) {
		uint64_t trial = root | bit;

		if (trial * trial <= value)
			root = trial;
	}
	return root;
}

void spread_add(struct spread *spread, uint64_t value)
{
	spread->count++;
	spread->sum += value;
	spread->squares += (unsigned __int128)value * value;
}

uint64_t spread_mean(const struct spread *spread)
{
	return spread->count ? spread->sum / spread->count : 0;
}

uint64_t spread_permille(const struct spread *spread)
{
	uint64_t n = spread->count;
	unsigned __int128 sum_squared = (unsigned __int128)spread->sum * spread->sum;
	/* n^2 times the population variance; never negative (Cauchy-Schwarz) */
	unsigned __int128 deviation = n * spread->squares - sum_squared;

	if (n < 2)
		return 0;
	/* Only the ratio matters: bring both into 64 bits. */
	while (deviation >> 63 || sum_squared >> 63) {
		deviation >>= 1;
		sum_squared >>= 1;
	}
	/* (stddev / mean)^2 = deviation / sum^2 * n / (n - 1); 10^6 makes its root permille */
	return square_root(
		mul_div((uint64_t)deviation, 1000000 * n / (n - 1), (uint64_t)sum_squared));
}

uint64_t jain_permille(size_t count, uint64_t (*value)(size_t i, const void *arg), const void *arg)
{
	uint64_t max = 0;
	uint64_t sum = 0;
	uint64_t squares = 0;
	int shift = 0;

	for (size_t i = 0; i < count; i++) {
		if (value(i, arg) > max)
			max = value(i, arg);
	}
	/* 18 bits keep a permille exact and count * squares within 64 bits for 2^14 CPUs. */
	while (max >> shift >= UINT64_C(1) << 18)
		shift++;
	for (size_t i = 0; i < count; i++) {
		uint64_t x = value(i, arg) >> shift;

		sum += x;
		squares += x * x;
	}
	return squares ? mul_div(sum * sum, 1000, count * squares) : 0;
}

void sort_numbers(uint64_t *value, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		uint64_t moving = value[i];
		uint32_t at = i;

		for (; at > 0 && value[at - 1] > moving; at--)
			value[at] = value[at - 1];
		value[at] = moving;
	}
}
