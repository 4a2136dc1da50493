/* SPDX-License-Identifier: MIT */
/*
 * Log-linear histogram of 64-bit values, integers only: values below 2^HIST_SUB_BITS have a bucket
 * each; above, every power of two is cut into 2^HIST_SUB_BITS equal buckets, so a bucket is never
 * wider than 1/8 of its lower bound. No allocation, no overflow: any uint64_t has a bucket.
 */
#ifndef PVSPIN_LIB_HISTOGRAM_H
#define PVSPIN_LIB_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HIST_SUB_BITS 3
#define HIST_BUCKETS  ((64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS)

struct histogram {
	uint64_t bucket[HIST_BUCKETS];
	uint64_t count;
	uint64_t sum; /* wraps; meaningful while the sum fits */
	uint64_t min; /* UINT64_MAX when empty */
	uint64_t max;
};

void histogram_reset(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* 0 <= index < HIST_BUCKETS. The bucket holds low..high, both inclusive. */
size_t histogram_index(uint64_t value);
uint64_t histogram_low(size_t index);
uint64_t histogram_high(size_t index);

/* Upper bound of the bucket that holds the value of rank ceil(count * permille / 1000), at most
 * `max`; 0 when empty. permille 500 is the median, 999 the p99.9. */
uint64_t histogram_quantile(const struct histogram *histogram, uint32_t permille);

#endif
