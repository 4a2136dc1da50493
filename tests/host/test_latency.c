/* SPDX-License-Identifier: MIT */
/*
 * Tests how latency=on divides time into wait and hold (bench/loop.h). The line of this test's lock
 * is never in the cache, so acquiring it takes an access to memory. That time must count as wait.
 */
#include "bench/loop.h"

#include "bench/worker.h"
#include "tests/host/fake_vcpus.h"
#include "tests/host/test.h"
#include <emmintrin.h>

#define ACQUISITIONS 2001
#define MEDIAN       500 /* permille */

uint64_t port_ns_to_cycles(uint64_t ns)
{
	return ns;
}

static struct {
	_Alignas(APART) _Atomic uint8_t locked;
} cold;

static inline void evict(void)
{
	_mm_clflush(&cold);
	_mm_mfence();
}

static inline void acquire(void *lock, void *node)
{
	(void)lock;
	(void)node;
	atomic_exchange_explicit(&cold.locked, 1, memory_order_acquire);
}

static inline void release(void *lock, void *node)
{
	(void)lock;
	(void)node;
	atomic_store_explicit(&cold.locked, 0, memory_order_release);
	evict();
}

static const struct lock_ops cold_ops = {.name = "cold", .acquire = acquire, .release = release};

static struct histogram wait, hold;

static void measure(void)
{
	static struct steal_area area;
	static struct section section;
	static const _Atomic uint32_t phase = PHASE_MEASURE;
	struct worker worker = {
		.section = &section,
		.phase = &phase,
		.stats = &fake_stats[0],
		.sharers = 1,
		.hold = 100,
		.ops_wanted = ACQUISITIONS,
		.wait = &wait,
		.hold_time = &hold,
	};

	fake_stats[0].steal = &area;
	evict();
	worker_begin(&worker, PHASE_MEASURE);
	measured_loop(&cold_ops, &worker, true, false);
}

/* Measures the exchange alone. */
static uint64_t cost_of_a_miss(void)
{
	static struct histogram miss;

	histogram_reset(&miss);
	for (int i = 0; i < ACQUISITIONS; i++) {
		uint64_t begin, end;

		evict();
		_mm_lfence();
		begin = __builtin_ia32_rdtsc();
		_mm_lfence();
		atomic_exchange_explicit(&cold.locked, 1, memory_order_acquire);
		_mm_mfence();
		_mm_lfence();
		end = __builtin_ia32_rdtsc();
		histogram_add(&miss, end - begin);
	}
	return histogram_quantile(&miss, MEDIAN);
}

static void a_miss_in_acquire_is_wait(void **state)
{
	uint64_t miss = cost_of_a_miss();

	(void)state;
	measure();
	print_message("miss %llu, wait %llu, hold %llu cycles\n", (unsigned long long)miss,
		      (unsigned long long)histogram_quantile(&wait, MEDIAN),
		      (unsigned long long)histogram_quantile(&hold, MEDIAN));
	assert_true(histogram_quantile(&wait, MEDIAN) >= miss / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_miss_in_acquire_is_wait)};

	return cmocka_run_group_tests_name("latency", tests, NULL, NULL);
}
