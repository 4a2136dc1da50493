/* SPDX-License-Identifier: MIT */
/*
 * See histogram.h. With S = HIST_SUB_BITS: for a value of 2^S or more, the S bits after its highest
 * set bit are its position inside its power of two. In the index the powers of two follow each
 * other, with 2^S buckets each. HdrHistogram (Tene) uses the same layout.
 */
#include "lib/histogram.h"

#define SUB_BUCKETS (UINT64_C(1) << HIST_SUB_BITS)

void histogram_reset(struct histogram *histogram)
{
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		histogram->bucket[i] = 0;
	histogram->count = 0;
	histogram->sum = 0;
	histogram->min = UINT64_MAX;
	histogram->max = 0;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->bucket[histogram_index(value)]++;
	histogram->count++;
	histogram->sum += value;
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
	into->count += from->count;
	into->sum += from->sum;
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
}

size_t histogram_index(uint64_t value)
{
	unsigned int shift;

	if (value < SUB_BUCKETS)
		return (size_t)value;
	shift = 63u - (unsigned int)__builtin_clzll(value) - HIST_SUB_BITS;
	/* value >> shift is 2^S .. 2^(S+1) - 1: its top bit counts as one power of two */
	return (size_t)(((uint64_t)shift << HIST_SUB_BITS) + (value >> shift));
}

uint64_t histogram_low(size_t index)
{
	unsigned int shift;

	if (index < SUB_BUCKETS)
		return index;
	shift = (unsigned int)(index >> HIST_SUB_BITS) - 1;
	return (SUB_BUCKETS + (index & (SUB_BUCKETS - 1))) << shift;
}

uint64_t histogram_high(size_t index)
{
	return index + 1 < HIST_BUCKETS ? histogram_low(index + 1) - 1 : UINT64_MAX;
}

/* ceil(count * permille / 1000) without overflow: 1000 * q + r = count. */
static uint64_t rank_of(uint64_t count, uint32_t permille)
{
	uint64_t rank = count / 1000 * permille + (count % 1000 * permille + 999) / 1000;

	return rank ? rank : 1;
}

uint64_t histogram_quantile(const struct histogram *histogram, uint32_t permille)
{
	uint64_t rank, seen = 0;

	if (histogram->count == 0)
		return 0;
	rank = rank_of(histogram->count, permille < 1000 ? permille : 1000);
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		seen += histogram->bucket[i];
		if (seen >= rank) {
			uint64_t high = histogram_high(i);

			return high < histogram->max ? high : histogram->max;
		}
	}
	return histogram->max;
}
