/* SPDX-License-Identifier: MIT */
/* Tests sim/sched_balance.c: where and when tasks are moved. */
#include "tests/host/test.h"

#include "tests/host/sched_host.h"

/* The placement of new tasks is even, and stays so. */
static void even_load_is_left_alone(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = host_begin(sched_kinds[k], 28, 2, 0);

		for (uint32_t i = 0; i < 56; i++)
			host_task(host, 0, 0);
		for (uint32_t cpu = 0; cpu < 28; cpu++)
			assert_int_equal(sched_load(host->sched, cpu), 2);
		host_run(host, 10000 * MS);
		for (uint32_t cpu = 0; cpu < 28; cpu++)
			assert_int_equal(sched_load(host->sched, cpu), 2);
		assert_int_equal(sched_counts(host->sched)->balance_pulls, 0);
		host_free(host);
	}
}

/* The load becomes even within a socket; sockets may differ by as much as Linux tolerates (17 or 25
 * %). */
static void a_heap_of_tasks_is_spread(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = host_begin(sched_kinds[k], 28, 2, 0);
		uint32_t socket[2] = {0, 0};

		/* all start on CPU 0 and may then go anywhere */
		for (uint32_t i = 0; i < 56; i++)
			host_task_on(host, 0, 0, 0);
		for (uint32_t i = 0; i < 56; i++)
			for (uint32_t cpu = 1; cpu < 28; cpu++)
				sched_cpus_add(&host->task[i].task.allowed, cpu);
		assert_int_equal(sched_load(host->sched, 0), 56);
		host_run(host, 5000 * MS);
		for (uint32_t cpu = 0; cpu < 28; cpu++)
			socket[cpu / 14] += sched_load(host->sched, cpu);
		assert_in_range(socket[0], 25, 31);
		assert_int_equal(socket[0] + socket[1], 56);
		for (uint32_t cpu = 0; cpu < 28; cpu++)
			assert_in_range(sched_load(host->sched, cpu), socket[cpu / 14] / 14,
					(socket[cpu / 14] + 13) / 14);
		host_free(host);
	}
}

/* Three tasks on two CPUs get equal shares only if they are moved now and then. Daemons prevent
 * that the same task waits each time that a CPU balances. */
static void an_odd_task_is_passed_around(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = host_begin(sched_kinds[k], 2, 1, 0);

		for (uint32_t i = 0; i < 3; i++)
			host_task(host, 0, 0);
		for (uint32_t i = 0; i < 2; i++)
			host_task_on(host, i, 150 * US, 7919 * US + 1741 * US * i);
		host_run(host, 100000 * MS);
		for (uint32_t i = 0; i < 3; i++)
			host_assert_share(&host->task[i], 100000 * MS, 0.65, 0.06);
		host_free(host);
	}
}

static void without_balance_no_task_moves(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct sched_config config;
		struct host *host;

		sched_config_default(&config, sched_kinds[k], 2, 1);
		config.balance = 0;
		host = host_new(&config);
		for (uint32_t i = 0; i < 3; i++)
			host_task(host, 0, 0);
		host_run(host, 5000 * MS);
		for (uint32_t i = 0; i < 3; i++)
			assert_int_equal(host->task[i].task.migrations, 0);
		host_free(host);
	}
}

/* A CPU without work pulls a task at once, unless the task ran just now (hot). */
static void a_cpu_out_of_work_pulls(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		for (uint32_t hot = 0; hot < 2; hot++) {
			struct sched_config config;
			struct host *host;

			sched_config_default(&config, sched_kinds[k], 2, 1);
			config.balance_interval_ns = 1000 * MS; /* not at ticks */
			host = host_new(&config);
			host_task_on(host, 0, 0, 0);
			host_task_on(host, 0, 0, 0);
			host_task_on(host, 1, 0, 0);
			host->task[0].task.allowed = host->task[1].task.allowed =
				(struct sched_cpus){{3}};
			do
				host_run(host, hot ? US : 10 * MS + US);
			while (hot && host->task[0].slices + host->task[1].slices < 4);
			host_block(host, 1);
			assert_int_equal(sched_counts(host->sched)->newidle_pulls, !hot);
			assert_int_equal(sched_load(host->sched, 1), !hot);
			host_free(host);
		}
	}
}

static void a_cpu_that_is_never_idle_for_long_pulls_nothing(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = host_begin(sched_kinds[k], 2, 1, 0);

		/* a task comes and goes on CPU 1, with 15 us between */
		host_task_on(host, 1, 5 * US, 15 * US);
		host_run(host, 50 * MS);
		host_task_on(host, 0, 0, 0);
		host_task_on(host, 0, 0, 0);
		host->task[1].task.allowed = host->task[2].task.allowed = (struct sched_cpus){{3}};
		host_run(host, MS);
		assert_int_equal(sched_counts(host->sched)->newidle_pulls, 0);
		host_free(host);
	}
}

/* A task that is cache-hot whenever it waits is moved after some failed attempts. */
static void heat_is_overcome(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct sched_config config;
		struct host *host;

		sched_config_default(&config, sched_kinds[k], 2, 1);
		config.migration_cost_ns = 1000 * MS;
		config.newidle_cost_ns = 1000 * MS; /* ticks only */
		host = host_new(&config);
		host_task_on(host, 0, 0, 0);
		host_task_on(host, 0, 0, 0);
		host->task[0].task.allowed = host->task[1].task.allowed = (struct sched_cpus){{3}};
		host_run(host, 4 * MS);
		assert_int_equal(sched_load(host->sched, 1), 0);
		host_run(host, 40 * MS);
		assert_int_equal(sched_load(host->sched, 1), 1);
		host_free(host);
	}
}

/* Up to 17 % is tolerated: 7 and 6 tasks count as even, 6 and 5 do not. */
static void small_differences_are_tolerated(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		for (uint32_t few = 5; few < 7; few++) {
			struct host *host = host_begin(sched_kinds[k], 2, 1, 0);
			bool moves;

			for (uint32_t i = 0; i < 2 * few + 1; i++)
				host_task(host, 0, 0);
			host_run(host, 3000 * MS);
			moves = sched_counts(host->sched)->balance_pulls > 0;
			assert_int_equal(moves, few == 5);
			host_free(host);
		}
	}
}

/* No CPU idles for long while a task that may use it waits. */
static void no_work_waits_beside_an_idle_cpu(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		for (uint64_t seed = 1; seed <= 20; seed++) {
			struct host *host = host_begin(sched_kinds[k], 8, 2, 0);
			uint64_t state_of_seed = seed, bound;

			/* fewer computing tasks than CPUs, and short ones that disturb them */
			for (uint32_t i = 0; i < 6; i++)
				host_task(host, 0, 0);
			for (uint32_t i = 0; i < 6; i++)
				host_task(host, 1 + next_random(&state_of_seed) % (200 * US),
					  1 + next_random(&state_of_seed) % (2 * MS));
			host_run(host, 2000 * MS);
			/* twice the machine's interval, three failures, a tick */
			bound = 4 * 2 * 8 * MS + 1000 * MS / host->config.hz;
			for (uint32_t i = 0; i < 6; i++) {
				assert_in_range(host->task[i].longest_wait_ns, 0, bound);
				assert_true(host->task[i].ran_ns > 2000 * MS * 8 / 10);
			}
			host_free(host);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(even_load_is_left_alone),
		cmocka_unit_test(a_heap_of_tasks_is_spread),
		cmocka_unit_test(an_odd_task_is_passed_around),
		cmocka_unit_test(without_balance_no_task_moves),
		cmocka_unit_test(a_cpu_out_of_work_pulls),
		cmocka_unit_test(a_cpu_that_is_never_idle_for_long_pulls_nothing),
		cmocka_unit_test(heat_is_overcome),
		cmocka_unit_test(small_differences_are_tolerated),
		cmocka_unit_test(no_work_waits_beside_an_idle_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
