/* SPDX-License-Identifier: MIT */
/* Tests what CFS and EEVDF of sim/sched* share: shares, cgroups, wake-up placement, yield_to. */
#include "tests/host/test.h"

#include "tests/host/sched_host.h"

static void one_cpu_is_shared_evenly(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		for (uint32_t n = 1; n <= 20; n++) {
			struct host *host = host_begin(sched_kinds[k], 1, 1, 0);

			for (uint32_t i = 0; i < n; i++)
				host_task(host, 0, 0);
			host_run(host, 20000 * MS);
			for (uint32_t i = 0; i < n; i++)
				host_assert_share(&host->task[i], 20000 * MS, 1.0 / n, 0.002);
			host_free(host);
		}
	}
}

static void weights_are_shares(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = host_begin(sched_kinds[k], 1, 1, 0);
		struct host_task *light = host_task(host, 0, 0),
				 *heavy = &host->task[host->tasks++];

		heavy->task.id = 1;
		heavy->task.group = SCHED_NO_GROUP;
		heavy->task.weight = 3 * SCHED_NICE_0;
		sched_cpus_add(&heavy->task.allowed, 0);
		host_start(host, heavy);
		host_run(host, 20000 * MS);
		host_assert_share(light, 20000 * MS, 0.25, 0.002);
		host_assert_share(heavy, 20000 * MS, 0.75, 0.002);
		host_free(host);
	}
}

/* Groups share evenly, whatever their numbers of tasks. */
static void groups_share_evenly(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = host_begin(sched_kinds[k], 1, 1, 2);

		for (uint32_t i = 0; i < 5; i++) {
			struct host_task *task = &host->task[host->tasks++];

			task->task.id = i;
			task->task.group = i == 0 ? 0 : 1;
			task->task.weight = SCHED_NICE_0;
			sched_cpus_add(&task->task.allowed, 0);
			host_start(host, task);
		}
		host_run(host, 40000 * MS);
		host_assert_share(&host->task[0], 40000 * MS, 0.5, 0.005);
		for (uint32_t i = 1; i < 5; i++)
			host_assert_share(&host->task[i], 40000 * MS, 0.125, 0.005);
		host_free(host);
	}
}

/* A group's weight is divided among the CPUs by the numbers of its tasks there. */
static void a_group_on_two_cpus_has_half_its_weight_on_each(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = host_begin(sched_kinds[k], 2, 1, 1);

		for (uint32_t i = 0; i < 2; i++) {
			struct host_task *task = &host->task[host->tasks++];

			task->task.id = i;
			task->task.group = 0;
			task->task.weight = SCHED_NICE_0;
			sched_cpus_add(&task->task.allowed, i);
			host_start(host, task);
		}
		host_task_on(host, 0, 0, 0);
		host_run(host, 40000 * MS);
		host_assert_share(&host->task[0], 40000 * MS, 1.0 / 3, 0.005);
		host_assert_share(&host->task[1], 40000 * MS, 1, 0.005);
		host_free(host);
	}
}

static void yield_to_returns_why_it_fails(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = host_begin(sched_kinds[k], 2, 1, 0);
		struct host_task *a = host_task_on(host, 0, 0, 0), *b = host_task_on(host, 1, 0, 0);
		struct host_task *c;

		assert_int_equal(host_yield_to(host, 0, b), SCHED_YIELD_ALONE);
		c = host_task_on(host, 1, 0, 0);
		assert_int_equal(host_yield_to(host, 0, b), SCHED_YIELD_REFUSED); /* runs */
		host_block(host, 1);
		assert_ptr_equal(host_running(host, 1), c);
		host_task_on(host, 1, 0, 0);
		assert_int_equal(host_yield_to(host, 0, b), SCHED_YIELD_REFUSED); /* sleeps */
		assert_int_equal(host_yield_to(host, 1, a), SCHED_YIELD_REFUSED); /* runs */
		assert_int_equal(host_yield_to(host, 0, &host->task[3]), SCHED_YIELDED);
		host_free(host);
	}
}

static void a_second_task_ends_halt_polling(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = host_begin(sched_kinds[k], 1, 1, 0);

		host_task(host, 0, 0);
		assert_int_equal(host->queued_calls, 0);
		host_task(host, 0, 0);
		assert_int_equal(host->queued_calls, 1);
		host_free(host);
	}
}

/* A wake-up chooses the task's last CPU if that is idle, else an idle CPU of its socket, else its
 * last CPU. */
static void a_wake_up_finds_an_idle_cpu(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = host_begin(sched_kinds[k], 4, 2, 0);
		struct host_task *sleeper = host_task(host, 0, 0), *second;

		assert_int_equal(sleeper->task.cpu, 0);
		host_block(host, 0);
		host_wake(host, sleeper, 0);
		assert_int_equal(sleeper->task.cpu, 0);
		host_block(host, 0);
		second = host_task_on(host, 0, 0, 0);
		assert_ptr_equal(host_running(host, 0), second);
		host_wake(host, sleeper, 0);
		assert_int_equal(sleeper->task.cpu, 1);
		host_block(host, 1);
		host_task_on(host, 1, 0, 0);
		host_wake(host, sleeper, 1);
		assert_int_equal(sleeper->task.cpu, 1); /* not an idle CPU of the other socket */
		host_free(host);
	}
}

static void impossible_hosts_are_rejected(void **state)
{
	struct sched_config config;

	(void)state;
	sched_config_default(&config, SCHED_CFS, 28, 2);
	assert_null(sched_config_error(&config));
	config.cpus = 0;
	assert_non_null(sched_config_error(&config));
	config.cpus = SCHED_MAX_CPUS + 1;
	assert_non_null(sched_config_error(&config));
	config.cpus = 28;
	config.sockets = 3;
	assert_non_null(sched_config_error(&config));
	for (size_t i = 0; i < sched_key_count; i++) {
		sched_config_default(&config, SCHED_EEVDF, 28, 2);
		*(uint64_t *)((char *)&config + sched_keys[i].offset) = sched_keys[i].most + 1;
		assert_string_equal(sched_config_error(&config), sched_keys[i].name);
	}
}

/* If no CPU is idle, the task goes to the waker's CPU if that has less load even with the task. */
static void a_wake_up_goes_to_a_less_loaded_waker(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		for (uint32_t others = 1; others < 4; others++) {
			struct host *host = host_begin(sched_kinds[k], 2, 1, 0);
			struct host_task *sleeper = host_task(host, 0, 0);

			assert_int_equal(sleeper->task.cpu, 0);
			host_block(host, 0);
			for (uint32_t i = 0; i < others; i++)
				host_task_on(host, 0, 0, 0);
			host_task_on(host, 1, 0, 0);
			host_wake(host, sleeper, 1);
			assert_int_equal(sleeper->task.cpu, others > 1);
			host_free(host);
		}
	}
}

/* A task that moves keeps its distance from the others' virtual time, not its virtual time. */
static void virtual_time_is_each_cpus_own(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		for (int asleep = 0; asleep < 2; asleep++) {
			struct sched_config config;
			struct host_task *mover, *young;
			struct host *host;
			uint64_t before;

			sched_config_default(&config, sched_kinds[k], 2, 1);
			config.hz = 1000; /* at 250 the mover would run whenever CPU 1 balances */
			host = host_new(&config);
			mover = host_task_on(host, 0, 0, 0);
			host_task_on(host, 0, 0, 0);
			host_run(host, 5000 * MS);
			young = host_task_on(host, 1, 0, 0);
			while (host_running(host, 0) != mover)
				host_run(host, MS);
			mover->task.allowed = (struct sched_cpus){{2}};
			if (asleep) {
				host_block(host, 0);
				host_task_on(host, 0, 0, 0); /* the waker's CPU is the better one */
				host_run(host, 20 * MS);
				host_wake(host, mover, 1);
			} else { /* CPU 1 balances and takes it while it waits */
				host_run(host, 500 * MS);
			}
			assert_int_equal(mover->task.cpu, 1);
			before = mover->ran_ns;
			host_run(host, 400 * MS);
			assert_in_range(mover->ran_ns - before, 180 * MS, 220 * MS);
			assert_true(young->ran_ns >= 180 * MS);
			host_free(host);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_cpu_is_shared_evenly),
		cmocka_unit_test(weights_are_shares),
		cmocka_unit_test(groups_share_evenly),
		cmocka_unit_test(a_group_on_two_cpus_has_half_its_weight_on_each),
		cmocka_unit_test(yield_to_returns_why_it_fails),
		cmocka_unit_test(a_second_task_ends_halt_polling),
		cmocka_unit_test(a_wake_up_finds_an_idle_cpu),
		cmocka_unit_test(a_wake_up_goes_to_a_less_loaded_waker),
		cmocka_unit_test(virtual_time_is_each_cpus_own),
		cmocka_unit_test(impossible_hosts_are_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
