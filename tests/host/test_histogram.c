/* SPDX-License-Identifier: MIT */
/* Tests lib/histogram.c: the buckets cover all of uint64_t without gap or overlap, no bucket is
 * wider than the header says, and quantiles agree with those of the sorted values. */
#include "tests/host/test.h"

#include "lib/histogram.h"
#include <stdlib.h>

static void buckets_cover_everything_once(void **state)
{
	(void)state;
	assert_int_equal(histogram_low(0), 0);
	assert_true(histogram_high(HIST_BUCKETS - 1) == UINT64_MAX);
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		uint64_t low = histogram_low(i), high = histogram_high(i);

		assert_true(low <= high);
		assert_int_equal(histogram_index(low), i);
		assert_int_equal(histogram_index(high), i);
		assert_int_equal(histogram_index(low + (high - low) / 2), i);
		if (i + 1 < HIST_BUCKETS)
			assert_true(histogram_low(i + 1) == high + 1);
		assert_true(high - low <= low / 8);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void quantiles_are_those_of_the_sorted_values(void **state)
{
	static const uint32_t permilles[] = {0, 1, 10, 250, 500, 501, 900, 990, 999, 1000, 5000};
	static struct histogram histogram;
	enum { VALUES = 1237 };
	uint64_t values[VALUES], seed = 2;

	(void)state;
	histogram_reset(&histogram);
	for (size_t i = 0; i < VALUES; i++) {
		values[i] = next_random(&seed) >> next_random(&seed) % 64;
		histogram_add(&histogram, values[i]);
	}
	qsort(values, VALUES, sizeof(values[0]), by_value);
	assert_true(histogram.min == values[0] && histogram.max == values[VALUES - 1]);
	for (size_t i = 0; i < sizeof(permilles) / sizeof(permilles[0]); i++) {
		uint32_t permille = permilles[i] < 1000 ? permilles[i] : 1000;
		size_t rank = (VALUES * permille + 999) / 1000;
		uint64_t exact = values[rank ? rank - 1 : 0];
		uint64_t quantile = histogram_quantile(&histogram, permilles[i]);

		assert_true(quantile >= exact && quantile <= histogram.max);
		assert_int_equal(histogram_index(quantile), histogram_index(exact));
	}
}

static void handles_the_extremes(void **state)
{
	static struct histogram histogram;

	(void)state;
	histogram_reset(&histogram);
	assert_int_equal(histogram_quantile(&histogram, 500), 0);
	assert_true(histogram.min == UINT64_MAX && histogram.max == 0 && histogram.count == 0);
	histogram_add(&histogram, UINT64_MAX);
	assert_true(histogram_quantile(&histogram, 1) == UINT64_MAX);
	histogram_add(&histogram, 0);
	assert_int_equal(histogram_quantile(&histogram, 500), 0);
	assert_true(histogram_quantile(&histogram, 501) == UINT64_MAX);
	assert_int_equal(histogram.bucket[0], 1);
	assert_int_equal(histogram.bucket[HIST_BUCKETS - 1], 1);
	/* a count near 2^64 must not overflow the rank */
	histogram_reset(&histogram);
	histogram.bucket[5] = UINT64_MAX - 1;
	histogram.bucket[6] = 1;
	histogram.count = UINT64_MAX;
	histogram.max = 6;
	assert_int_equal(histogram_quantile(&histogram, 999), 5);
	assert_int_equal(histogram_quantile(&histogram, 1000), 6);
}

static void merging_is_adding(void **state)
{
	static struct histogram part[3], whole, merged;
	uint64_t seed = 3;

	(void)state;
	histogram_reset(&whole);
	histogram_reset(&merged);
	for (int p = 0; p < 3; p++) {
		histogram_reset(&part[p]);
		for (int i = 0; i < 100 * p; i++) { /* the first stays empty */
			uint64_t value = next_random(&seed) >> 40;

			histogram_add(&part[p], value);
			histogram_add(&whole, value);
		}
		histogram_merge(&merged, &part[p]);
	}
	assert_memory_equal(&merged, &whole, sizeof(whole));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_cover_everything_once),
		cmocka_unit_test(quantiles_are_those_of_the_sorted_values),
		cmocka_unit_test(handles_the_extremes),
		cmocka_unit_test(merging_is_adding),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
