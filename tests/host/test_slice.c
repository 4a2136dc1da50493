/* SPDX-License-Identifier: MIT */
/* Tests locks/core/slice.c with a fake steal-time page and clock: what starts a slice, what its end
 * teaches, and when a slice has no end. */
#include "tests/host/test.h"

#include "locks/core/slice.h"
#include <stdlib.h>
#include <string.h>

#define QUIET 1000000

static struct steal_area page;
static struct slice slice;
static uint64_t now, kept;

static int begin(void **state)
{
	(void)state;
	memset(&page, 0, sizeof(page));
	memset(&slice, 0, sizeof(slice));
	now = UINT64_MAX - 5000; /* the clock may wrap */
	kept = 0;
	slice_begin(&slice, &page, &kept, now, QUIET);
	return 0;
}

static void off_cpu(uint64_t cycles, uint64_t stolen_ns)
{
	now += cycles;
	atomic_fetch_add(&page.steal, stolen_ns);
	atomic_fetch_add(&page.version, 2);
}

/* Runs for so many cycles and looks at the clock a few times, and at the end. */
static void run(uint64_t cycles)
{
	slice_look(&slice, now);
	for (int i = 0; i < 4; i++) {
		now += cycles / 4;
		slice_look(&slice, now);
	}
	now += cycles % 4;
	slice_look(&slice, now);
}

static void one_slice(uint64_t cycles)
{
	run(cycles);
	off_cpu(7000, 2500);
}

static bool covers(uint64_t need)
{
	return slice_covers(&slice, now, need);
}

static void without_competition_a_slice_has_no_end(void **state)
{
	(void)state;
	run(UINT64_C(1) << 50);
	assert_true(covers(UINT64_C(1) << 40));
	assert_int_equal(slice.number, 0);
	assert_int_equal(slice.length.count, 0);
}

static void the_first_slice_teaches_nothing(void **state)
{
	(void)state;
	one_slice(300);
	slice_look(&slice, now);
	assert_int_equal(slice.number, 1);
	assert_int_equal(slice.quantile, 0);
	assert_true(covers(UINT64_C(1) << 40));
	one_slice(40000);
	slice_look(&slice, now);
	assert_int_equal(slice.number, 2);
	assert_int_equal(slice.quantile, 40000);
	assert_int_equal(slice.length.count, 1);
	assert_true(slice.length.max == 40000);
	/* nothing had been predicted */
	assert_int_equal(slice.over.count + slice.under.count, 0);
}

static void learn(uint64_t cycles)
{
	one_slice(100);
	one_slice(cycles);
	slice_look(&slice, now);
}

static void the_rest_shrinks_and_may_be_negative(void **state)
{
	(void)state;
	learn(40000);
	assert_true(covers(40000));
	assert_false(covers(40001));
	now += 30000;
	assert_true(covers(10000));
	assert_false(covers(10001));
	now += 10001; /* past the end: must not wrap to a large rest */
	assert_false(covers(0));
	assert_false(covers(1));
}

static void errors_are_recorded_on_their_side(void **state)
{
	(void)state;
	learn(32000);
	one_slice(20000); /* 12000 shorter than estimated */
	slice_look(&slice, now);
	assert_int_equal(slice.over.count, 1);
	assert_true(slice.over.max == 12000 && slice.under.count == 0);
	assert_int_equal(slice.quantile, 32000 - 32000 / 16);
	one_slice(50000);
	slice_look(&slice, now);
	assert_int_equal(slice.under.count, 1);
	assert_true(slice.under.max == 20000 && slice.over.count == 1);
	assert_int_equal(slice.quantile, 30000 + 30000 / 256 + 1);
	assert_int_equal(slice.length.count, 3);
	/* a perfect estimate is an error of 0 */
	one_slice(slice.quantile);
	slice_look(&slice, now);
	assert_int_equal(slice.over.count, 2);
	assert_int_equal(slice.over.min, 0);
}

static void an_absence_without_stolen_time_ends_no_slice(void **state)
{
	(void)state;
	learn(40000);
	run(1000);
	off_cpu(500, 0);
	run(1000);
	assert_int_equal(slice.number, 2);
	assert_int_equal(slice.length.count, 1);
	assert_true(covers(40000 - 2500));
	assert_false(covers(40000 - 2499));
}

static void a_yield_starts_a_slice_and_teaches_nothing(void **state)
{
	(void)state;
	learn(40000);
	run(500);
	off_cpu(90000, 0);
	slice_left(&slice, now);
	assert_int_equal(slice.number, 3);
	assert_int_equal(slice.length.count, 1);
	assert_int_equal(slice.quantile, 40000);
	assert_true(covers(40000));
	run(100);
	slice_left(&slice, now); /* without having lost its CPU */
	assert_int_equal(slice.number, 3);
	assert_false(covers(40000));
	/* the next slice was seen from its start */
	run(59900);
	off_cpu(10, 10);
	slice_look(&slice, now);
	assert_int_equal(slice.length.count, 2);
	assert_true(slice.length.max == 60000);
}

static void a_long_quiet_time_removes_the_end(void **state)
{
	(void)state;
	learn(40000);
	now += QUIET;
	assert_false(covers(1));
	assert_false(slice_is_quiet(&slice, now));
	now += 1;
	assert_true(slice_is_quiet(&slice, now));
	assert_true(covers(UINT64_C(1) << 40));
	/* until another task competes again */
	slice_look(&slice, now);
	off_cpu(10, 10);
	slice_look(&slice, now);
	assert_false(covers(UINT64_C(1) << 40));
}

static void an_outlived_slice_has_no_end(void **state)
{
	(void)state;
	learn(40000);
	run(80000);
	assert_false(covers(0));
	slice_outlived(&slice, now);
	assert_true(covers(UINT64_C(1) << 40));
	off_cpu(10, 10);
	slice_look(&slice, now);
	assert_false(covers(UINT64_C(1) << 40));
	/* the error counts from the estimate, not from when it was given up */
	assert_int_equal(slice.under.count, 1);
	assert_true(slice.under.max == 40000);
}

/* The quantile settles where 16 times as many slices are longer as are shorter. */
static void the_quantile_is_a_low_one(void **state)
{
	uint64_t seed = 7, shorter = 0;

	(void)state;
	learn(500000);
	for (int i = 0; i < 40000; i++) {
		uint64_t length = 100000 + next_random(&seed) % 1000000;

		if (i >= 20000)
			shorter += length < slice.quantile;
		one_slice(length);
		slice_look(&slice, now);
	}
	assert_in_range(shorter * 1000 / 20000, 45, 75);
	assert_int_equal(slice.over.count + slice.under.count + 1, slice.length.count);
}

static void the_quantile_recovers_from_tiny_slices(void **state)
{
	(void)state;
	learn(0);
	assert_int_equal(slice.quantile, 1);
	for (int i = 0; i < 5000; i++) {
		one_slice(i % 2 ? 0 : 100000);
		slice_look(&slice, now);
		assert_true(slice.quantile < 200000);
	}
	for (int i = 0; i < 5000; i++) {
		one_slice(100000);
		slice_look(&slice, now);
	}
	assert_true(slice.quantile > 90000);
}

/* The lock's memory is zeroed between two runs; what the vCPU has learnt is not. */
static void the_estimate_goes_on_in_the_next_run(void **state)
{
	uint64_t learnt;

	(void)state;
	one_slice(100); /* its start was not seen */
	for (int i = 0; i < 50; i++)
		one_slice(1000);
	learnt = slice.quantile;
	assert_true(learnt > 900 && learnt < 1100);
	memset(&slice, 0, sizeof(slice));
	slice_begin(&slice, &page, &kept, now, QUIET);
	assert_true(covers(UINT64_C(1) << 40)); /* when this one began is not known */
	one_slice(300);
	slice_look(&slice, now);
	assert_true(covers(learnt - 1));
	assert_false(covers(learnt + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_competition_a_slice_has_no_end, begin),
		cmocka_unit_test_setup(the_first_slice_teaches_nothing, begin),
		cmocka_unit_test_setup(the_rest_shrinks_and_may_be_negative, begin),
		cmocka_unit_test_setup(errors_are_recorded_on_their_side, begin),
		cmocka_unit_test_setup(an_absence_without_stolen_time_ends_no_slice, begin),
		cmocka_unit_test_setup(a_yield_starts_a_slice_and_teaches_nothing, begin),
		cmocka_unit_test_setup(a_long_quiet_time_removes_the_end, begin),
		cmocka_unit_test_setup(an_outlived_slice_has_no_end, begin),
		cmocka_unit_test_setup(the_quantile_is_a_low_one, begin),
		cmocka_unit_test_setup(the_quantile_recovers_from_tiny_slices, begin),
		cmocka_unit_test_setup(the_estimate_goes_on_in_the_next_run, begin),
	};

	return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}
