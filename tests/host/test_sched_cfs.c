/* SPDX-License-Identifier: MIT */
/* Tests sim/sched_cfs.c: slices that end at ticks, wake-up preemption, buddies. On 8 CPUs or more a
 * period is 24 ms, a slice at least 3 ms, and a wake-up preempts a task that is 4 ms ahead. */
#include "tests/host/test.h"

#include "tests/host/sched_host.h"

#define CPUS 8

static struct host *host;

static void begin_with(const struct sched_config *config)
{
	assert_null(sched_config_error(config));
	host = host_new(config);
}

static void begin_hz(uint64_t hz)
{
	struct sched_config config;

	sched_config_default(&config, SCHED_CFS, CPUS, 1);
	config.hz = hz;
	begin_with(&config);
}

static int end(void **state)
{
	(void)state;
	if (host)
		host_free(host);
	host = NULL;
	return 0;
}

static void times_grow_with_the_number_of_cpus(void **state)
{
	const struct {
		uint32_t cpus;
		uint64_t factor;
	} expected[] = {{1, 1}, {2, 2}, {3, 2}, {4, 3}, {7, 3}, {8, 4}, {28, 4}, {288, 4}};
	struct sched_config config;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		sched_config_default(&config, SCHED_CFS, expected[i].cpus, 1);
		assert_int_equal(config.latency_ns, expected[i].factor * 6 * MS);
		assert_int_equal(config.granularity_ns, expected[i].factor * 750 * US);
		assert_int_equal(config.wakeup_granularity_ns, expected[i].factor * MS);
		assert_int_equal(config.base_slice_ns, expected[i].factor * 700 * US);
	}
}

/* A slice ends at the first tick after its time: 24 ms / n, or 3 ms. */
static void slices_end_at_ticks(void **state)
{
	const struct {
		uint64_t hz, tasks, slice_ms;
	} expected[] = {{250, 2, 16}, {250, 3, 12}, {250, 4, 8},   {250, 16, 4}, {1000, 2, 13},
			{1000, 4, 7}, {1000, 8, 4}, {1000, 16, 4}, {100, 2, 20}};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		begin_hz(expected[i].hz);
		for (uint64_t n = 0; n < expected[i].tasks; n++)
			host_task_on(host, 0, 0, 0);
		host_run(host, 20000 * MS);
		for (uint64_t n = 0; n < expected[i].tasks; n++) {
			const struct host_task *task = &host->task[n];
			uint64_t mean_us = task->ran_ns / task->slices / US;

			assert_in_range(mean_us, expected[i].slice_ms * 990,
					expected[i].slice_ms * 1010);
		}
		end(NULL);
	}
}

/* A task sleeps for `sleep_ns` while another computes. Returns whether it preempts when it wakes,
 * and how far behind it was. */
static bool preempts_after(uint64_t sleep_ns, int64_t *behind_ns)
{
	struct host_task *hog = host_task_on(host, 0, 0, 0), *sleeper = host_task_on(host, 0, 0, 0);

	while (host_running(host, 0) != sleeper)
		host_run(host, MS);
	host_run(host, MS / 2);
	host_block(host, 0);
	*behind_ns = hog->task.entity.vruntime - sleeper->task.entity.vruntime + (int64_t)sleep_ns;
	host_run(host, sleep_ns);
	host_wake(host, sleeper, 0);
	return host_running(host, 0) == sleeper;
}

static void a_sleeper_preempts_a_task_far_ahead(void **state)
{
	bool both[2] = {false, false};

	(void)state;
	for (uint64_t sleep_ns = MS / 4; sleep_ns < 40 * MS; sleep_ns += MS / 4) {
		int64_t behind_ns;
		bool preempts;

		begin_hz(250);
		preempts = preempts_after(sleep_ns, &behind_ns);
		assert_int_equal(preempts, behind_ns > (int64_t)(4 * MS));
		both[preempts] = true;
		end(NULL);
	}
	assert_true(both[0] && both[1]);
}

/* A task that slept long is at most half a period (gentle) or a period behind. */
static void credit_for_sleep_is_bounded(void **state)
{
	for (int gentle = 0; gentle < 2; gentle++) {
		struct sched_config config;
		struct host_task *hog, *sleeper;

		(void)state;
		sched_config_default(&config, SCHED_CFS, CPUS, 1);
		config.gentle_sleepers = gentle;
		begin_with(&config);
		sleeper = host_task_on(host, 0, 0, 0);
		host_block(host, 0);
		hog = host_task_on(host, 0, 0, 0);
		host_run(host, 1000 * MS);
		host_wake(host, sleeper, 0);
		assert_int_equal(hog->task.entity.vruntime - sleeper->task.entity.vruntime,
				 gentle ? 12 * MS : 24 * MS);
		end(NULL);
	}
}

static void wakeup_preemption_can_be_disabled(void **state)
{
	struct sched_config config;
	int64_t behind_ns;

	(void)state;
	sched_config_default(&config, SCHED_CFS, CPUS, 1);
	config.wakeup_preemption = 0;
	begin_with(&config);
	assert_false(preempts_after(30 * MS, &behind_ns));
}

static void a_new_task_waits_for_a_slice(void **state)
{
	struct host_task *old, *new;

	(void)state;
	begin_hz(250);
	old = host_task_on(host, 0, 0, 0);
	host_run(host, 10 * MS);
	new = host_task_on(host, 0, 0, 0);
	assert_ptr_equal(host_running(host, 0), old);
	assert_int_equal(new->task.entity.vruntime - old->task.entity.vruntime, 12 * MS);
}

/* Starts three tasks on CPU 0 and runs until the nearest waiting task is ahead of the running one
 * by 0 to 4 ms, or by more. Returns the running one. */
static struct host_task *three_with_lead(bool more)
{
	int64_t lead;

	begin_hz(250);
	for (int i = 0; i < 3; i++)
		host_task_on(host, 0, 0, 0);
	host_run(host, 100 * MS);
	do {
		host_run(host, MS);
		lead = INT64_MAX;
		for (int i = 0; i < 3; i++) {
			int64_t ahead = host->task[i].task.entity.vruntime -
					host_running(host, 0)->task.entity.vruntime;

			if (&host->task[i] != host_running(host, 0) && ahead < lead)
				lead = ahead;
		}
	} while (lead < 0 || (lead > (int64_t)(4 * MS)) != more);
	return host_running(host, 0);
}

/* The yielder runs again only if all others are more than 4 ms ahead. */
static void a_yield_passes_the_turn(void **state)
{
	struct host_task *runs;

	(void)state;
	runs = three_with_lead(false);
	host_yield(host, 0);
	assert_ptr_not_equal(host_running(host, 0), runs);
	host_run(host, 300 * MS);
	assert_in_range(runs->ran_ns, 120 * MS, 150 * MS);
	end(NULL);
	runs = three_with_lead(true);
	host_yield(host, 0);
	assert_ptr_equal(host_running(host, 0), runs);
}

static void yield_to_works_in_the_own_queue(void **state)
{
	(void)state;
	for (int target = 0; target < 3; target++) {
		struct host_task *runs = three_with_lead(false), *other = &host->task[target];
		int64_t ahead = other->task.entity.vruntime - runs->task.entity.vruntime;

		if (runs != other && ahead <= (int64_t)(4 * MS)) {
			assert_int_equal(host_yield_to(host, 0, other), SCHED_YIELDED);
			assert_ptr_equal(host_running(host, 0), other);
		}
		end(NULL);
	}
}

/* The other CPU picks again, and takes the nominated task even if its slice has just ended. */
static void yield_to_works_in_another_queue(void **state)
{
	struct host_task *other;

	(void)state;
	begin_hz(250);
	host_task_on(host, 0, 0, 0);
	other = host_task_on(host, 1, 0, 0);
	host_task_on(host, 1, 0, 0);
	host_run(host, 100 * MS);
	while (host_running(host, 1) != other)
		host_run(host, MS);
	while (host_running(host, 1) == other)
		host_run(host, MS);
	assert_int_equal(host_yield_to(host, 0, other), SCHED_YIELDED);
	assert_ptr_equal(host_running(host, 1), other);
}

/* The nominated task does not run if it is ahead by more than the granularity. */
static void yield_to_is_a_hint(void **state)
{
	struct host_task *a, *b, *c;

	(void)state;
	begin_hz(250);
	a = host_task_on(host, 0, 0, 0);
	b = host_task_on(host, 0, 0, 0);
	host_run(host, 50 * MS);
	c = host_task_on(host, 0, 0, 0); /* starts a slice, 8 ms, behind */
	assert_int_equal(host_yield_to(host, 0, c), SCHED_YIELDED);
	assert_ptr_not_equal(host_running(host, 0), c);
	assert_true(host_running(host, 0) == a || host_running(host, 0) == b);
}

/* With a full queue, a task that was preempted by a wake-up runs again afterwards. */
static void a_preempted_task_runs_again(void **state)
{
	(void)state;
	for (int last = 0; last < 2; last++) {
		struct sched_config config;
		struct host_task *preempted, *sleeper;

		sched_config_default(&config, SCHED_CFS, CPUS, 1);
		config.last_buddy = last;
		begin_with(&config);
		sleeper = host_task_on(host, 0, 0, 0);
		host_block(host, 0);
		for (int i = 0; i < 8; i++)
			host_task_on(host, 0, 0, 0);
		host_run(host, 201 * MS);
		preempted = host_running(host, 0);
		host_wake(host, sleeper, 0);
		assert_ptr_equal(host_running(host, 0), sleeper);
		host_run(host, 100 * US);
		host_block(host, 0);
		assert_int_equal(host_running(host, 0) == preempted, last);
		end(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_grow_with_the_number_of_cpus),
		cmocka_unit_test_teardown(slices_end_at_ticks, end),
		cmocka_unit_test_teardown(a_sleeper_preempts_a_task_far_ahead, end),
		cmocka_unit_test_teardown(credit_for_sleep_is_bounded, end),
		cmocka_unit_test_teardown(wakeup_preemption_can_be_disabled, end),
		cmocka_unit_test_teardown(a_new_task_waits_for_a_slice, end),
		cmocka_unit_test_teardown(a_yield_passes_the_turn, end),
		cmocka_unit_test_teardown(yield_to_works_in_the_own_queue, end),
		cmocka_unit_test_teardown(yield_to_works_in_another_queue, end),
		cmocka_unit_test_teardown(yield_to_is_a_hint, end),
		cmocka_unit_test_teardown(a_preempted_task_runs_again, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
