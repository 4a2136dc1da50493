/* SPDX-License-Identifier: MIT */
/* See sample.h. Logarithms are to base 2 with 16 fractional bits and a linear mantissa (log2(1 + m)
 * ~ m, at most 0.09 off). That is monotonic and easily inverted, which is enough to interpolate
 * between given points. */
#include "bench/kbuild/sample.h"

#define POINT 16

/* SplitMix64's finaliser (Steele, Lea, Flood, OOPSLA 2014), so that streams of neighbouring numbers
 * do not look alike. */
static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

struct random random_begin(uint64_t seed, uint64_t stream)
{
	uint64_t state = mix(mix(seed + UINT64_C(0x9e3779b97f4a7c15)) + stream);

	return (struct random){.state = state ? state : 1};
}

/* xorshift64* (Vigna, ACM TOMS 42.4, 2016) */
static uint32_t next(struct random *random)
{
	uint64_t x = random->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	random->state = x;
	return (uint32_t)(x * UINT64_C(2685821657736338717) >> 32);
}

/* Lemire, ACM TOMACS 29.1, 2019, without the correction of a bias of bound / 2^32. */
uint32_t random_below(struct random *random, uint32_t bound)
{
	return (uint32_t)((uint64_t)next(random) * bound >> 32);
}

static uint32_t log_of(uint32_t value)
{
	uint32_t exponent = 31 - (uint32_t)__builtin_clz(value);
	uint64_t mantissa = ((uint64_t)value << POINT >> exponent) - (1u << POINT);

	return exponent << POINT | (uint32_t)mantissa;
}

static uint32_t power_of(uint32_t log)
{
	uint64_t mantissa = (log & ((1u << POINT) - 1)) | 1u << POINT;

	return (uint32_t)(mantissa << (log >> POINT) >> POINT);
}

uint32_t distribution_at(const struct distribution *distribution, uint32_t rank)
{
	uint32_t low, high;
	int i = 0;

	while (i < KBUILD_RANKS - 2 && rank >= kbuild_rank[i + 1])
		i++;
	if (rank == kbuild_rank[i])
		return distribution->value[i];
	low = log_of(distribution->value[i]);
	high = log_of(distribution->value[i + 1]);
	return power_of(low + (uint32_t)((uint64_t)(high - low) * (rank - kbuild_rank[i]) /
					 (kbuild_rank[i + 1] - kbuild_rank[i])));
}

uint32_t distribution_draw(const struct distribution *distribution, struct random *random)
{
	return distribution_at(distribution, random_below(random, KBUILD_WHOLE));
}

uint32_t random_zipf(struct random *random, uint32_t count)
{
	uint32_t steps = 32 - (uint32_t)__builtin_clz(count); /* sizes 1, 2, 4..., last cut */
	uint32_t first = (1u << random_below(random, steps)) - 1;
	uint32_t length = first + 1;

	if (first + length > count)
		length = count - first;
	return first + random_below(random, length);
}

uint32_t class_weight(enum kbuild_class class)
{
	uint32_t weight = kbuild_classes[class].share;

	for (size_t i = 0; i < kbuild_nesting_count; i++) {
		const struct nesting *nesting = &kbuild_nestings[i];
		uint32_t inside =
			kbuild_classes[nesting->outer].share * nesting->part / KBUILD_WHOLE;

		if (nesting->inner == class)
			weight -= inside < weight ? inside : weight;
	}
	return weight;
}

void class_table_fill(struct class_table *table)
{
	uint32_t sum = 0;

	for (int i = 0; i < CLASS_COUNT; i++) {
		/* the sums are in hundredths of a share, because bursts are in tenths */
		sum += class_weight((enum kbuild_class)i) * 1000 / kbuild_classes[i].burst;
		table->up_to[i] = sum;
	}
}

enum kbuild_class class_draw(const struct class_table *table, struct random *random)
{
	uint32_t at = random_below(random, table->up_to[CLASS_COUNT - 1]);
	int kind = 0;

	while (at >= table->up_to[kind])
		kind++;
	return (enum kbuild_class)kind;
}

enum kbuild_class nested_draw(enum kbuild_class outer, struct random *random)
{
	uint32_t at = random_below(random, KBUILD_WHOLE);

	for (size_t i = 0; i < kbuild_nesting_count; i++) {
		if (kbuild_nestings[i].outer == outer)
			return at < kbuild_nestings[i].part ? kbuild_nestings[i].inner
							    : CLASS_COUNT;
	}
	return CLASS_COUNT;
}
