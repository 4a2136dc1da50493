/* SPDX-License-Identifier: MIT */
/* Tests bench/slices.h with hosts whose slices are known: whether a phase had enough slices, and
 * the rate of strict FIFO order. */
#include "bench/slices.h"

#include "tests/host/test.h"

#define MS UINT64_C(1000000)

/* `threads` vCPUs run for one phase of `ms` on `cpus` CPUs in slices of `slice_ms`. */
static struct slices host(uint64_t threads, uint64_t cpus, uint64_t slice_ms, uint64_t ms)
{
	uint64_t running = ms * cpus; /* of all vCPUs */

	return (struct slices){
		.vcpu_phases = threads,
		.scheduled_in = running / slice_ms,
		.steal_ns = (threads * ms - running) * MS,
		.elapsed_ns = threads * ms * MS,
	};
}

static void short_phases_have_too_few_slices(void **state)
{
	struct slices slices = host(28, 2, 3, 300);

	(void)state;
	assert_true(slices_overcommitted(&slices) && slices_too_few(&slices)); /* 7 each */
	slices = host(28, 2, 3, 2100);
	assert_true(slices_overcommitted(&slices) && !slices_too_few(&slices)); /* 50 each */
	slices = host(4, 4, 3, 300);
	assert_false(slices_overcommitted(&slices) || slices_too_few(&slices));
}

static void the_fifo_law(void **state)
{
	struct slices slices = host(8, 2, 4, 4000);

	(void)state;
	/* 2 / (3 x 4 ms) */
	assert_in_range(slices_fifo_rate(&slices), 166, 167);
	slices = host(28, 2, 3, 4200);
	/* 2 / (13 x 3 ms) */
	assert_in_range(slices_fifo_rate(&slices), 51, 52);
	/* 2 / (1 x 3 ms), on six CPUs too */
	slices = host(12, 6, 3, 3000);
	assert_in_range(slices_fifo_rate(&slices), 666, 667);
}

static void the_fifo_law_needs_overcommit_and_slices(void **state)
{
	struct slices slices = host(28, 2, 3, 300);

	(void)state;
	assert_int_equal(slices_fifo_rate(&slices), 0);
	slices = host(4, 4, 3, 3000);
	assert_int_equal(slices_fifo_rate(&slices), 0);
	slices = (struct slices){0}; /* no steal-time page */
	assert_int_equal(slices_fifo_rate(&slices), 0);
	slices = host(4, 2, 3, 3000);
	slices.steal_ns = slices.elapsed_ns; /* clocks that differ */
	assert_int_equal(slices_fifo_rate(&slices), 0);
}

static void rates_agree_within_a_factor(void **state)
{
	(void)state;
	assert_true(slices_fifo_agrees(300, 300) && slices_fifo_agrees(300, 100) &&
		    slices_fifo_agrees(300, 900));
	assert_false(slices_fifo_agrees(300, 99) || slices_fifo_agrees(300, 901));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_phases_have_too_few_slices),
		cmocka_unit_test(the_fifo_law),
		cmocka_unit_test(the_fifo_law_needs_overcommit_and_slices),
		cmocka_unit_test(rates_agree_within_a_factor),
	};

	return cmocka_run_group_tests_name("slices", tests, NULL, NULL);
}
