/* SPDX-License-Identifier: MIT */
/* sim/sched, what holds for CFS and EEVDF alike: shares, balance, pinning, cgroups, and the run
 * queues' invariants under random load. */
#include "tests/host/test.h"

#include "sim/sched_queue.h"
#include "tests/host/sched_host.h"

#include <stdlib.h>

static const enum sched_kind kinds[] = {SCHED_CFS, SCHED_EEVDF};

static struct host *begin(enum sched_kind kind, uint32_t cpus, uint32_t sockets, uint32_t groups)
{
	struct sched_config config;

	sched_config_default(&config, kind, cpus, sockets);
	config.groups = groups;
	assert_null(sched_config_error(&config));
	return host_new(&config);
}

static void assert_share(const struct host_task *task, uint64_t whole, double share,
			 double tolerance)
{
	double got = (double)task->ran_ns / (double)whole;

	if (got < share - tolerance || got > share + tolerance)
		fail_msg("task %u got %.4f of the time, not %.4f", task->task.id, got, share);
}

static void one_cpu_is_shared_evenly(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		for (uint32_t n = 1; n <= 20; n++) {
			struct host *host = begin(kinds[k], 1, 1, 0);

			for (uint32_t i = 0; i < n; i++)
				host_task(host, 0, 0);
			host_run(host, 20000 * MS);
			for (uint32_t i = 0; i < n; i++)
				assert_share(&host->task[i], 20000 * MS, 1.0 / n, 0.002);
			host_free(host);
		}
	}
}

static void weights_are_shares(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = begin(kinds[k], 1, 1, 0);
		struct host_task *light = host_task(host, 0, 0),
				 *heavy = &host->task[host->tasks++];

		heavy->task.id = 1;
		heavy->task.group = SCHED_NO_GROUP;
		heavy->task.weight = 3 * SCHED_NICE_0;
		sched_cpus_add(&heavy->task.allowed, 0);
		host_start(host, heavy);
		host_run(host, 20000 * MS);
		assert_share(light, 20000 * MS, 0.25, 0.002);
		assert_share(heavy, 20000 * MS, 0.75, 0.002);
		host_free(host);
	}
}

/* What fork's placement has made even stays so. */
static void even_load_is_left_alone(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = begin(kinds[k], 28, 2, 0);

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

/* Evenly within a socket; sockets may differ by what Linux tolerates (17 or 25 %). */
static void a_heap_of_tasks_is_spread(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = begin(kinds[k], 28, 2, 0);
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

/* Three tasks on two CPUs: only moving them now and then is fair. Daemons keep the balancing from
 * finding the same one waiting each time. */
static void an_odd_task_is_passed_around(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = begin(kinds[k], 2, 1, 0);

		for (uint32_t i = 0; i < 3; i++)
			host_task(host, 0, 0);
		for (uint32_t i = 0; i < 2; i++)
			host_task_on(host, i, 150 * US, 7919 * US + 1741 * US * i);
		host_run(host, 100000 * MS);
		for (uint32_t i = 0; i < 3; i++)
			assert_share(&host->task[i], 100000 * MS, 0.65, 0.06);
		host_free(host);
	}
}

static void without_balance_nobody_moves(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct sched_config config;
		struct host *host;

		sched_config_default(&config, kinds[k], 2, 1);
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

static void a_cpu_out_of_work_pulls(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = begin(kinds[k], 2, 1, 0);

		host_task(host, 0, 0);
		host_task(host, 10 * MS, 1000 * MS); /* alone on the other one, and then asleep */
		host_task(host, 0, 0);
		host_run(host, 9 * MS);
		assert_int_equal(sched_load(host->sched, 0) + sched_load(host->sched, 1), 3);
		host_run(host, 90 * MS);
		assert_int_equal(sched_load(host->sched, 0), 1);
		assert_int_equal(sched_load(host->sched, 1), 1);
		host_free(host);
	}
}

/* Groups share evenly whatever their number of tasks; without groups it is by task. */
static void groups_share_evenly(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = begin(kinds[k], 1, 1, 2);

		for (uint32_t i = 0; i < 5; i++) {
			struct host_task *task = &host->task[host->tasks++];

			task->task.id = i;
			task->task.group = i == 0 ? 0 : 1;
			task->task.weight = SCHED_NICE_0;
			sched_cpus_add(&task->task.allowed, 0);
			host_start(host, task);
		}
		host_run(host, 40000 * MS);
		assert_share(&host->task[0], 40000 * MS, 0.5, 0.005);
		for (uint32_t i = 1; i < 5; i++)
			assert_share(&host->task[i], 40000 * MS, 0.125, 0.005);
		host_free(host);
	}
}

static void yield_to_says_when_nothing_comes_of_it(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = begin(kinds[k], 2, 1, 0);
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
		struct host *host = begin(kinds[k], 1, 1, 0);

		host_task(host, 0, 0);
		assert_int_equal(host->queued_calls, 0);
		host_task(host, 0, 0);
		assert_int_equal(host->queued_calls, 1);
		host_free(host);
	}
}

/* Wake-up: the CPU it was on if that is idle, else an idle one of the socket, else where it was. */
static void a_wake_up_finds_an_idle_cpu(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = begin(kinds[k], 4, 2, 0);
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
		assert_int_equal(sleeper->task.cpu, 1); /* not on the other socket's idle ones */
		host_free(host);
	}
}

/* ---- random load ---- */

struct seen {
	uint32_t running, waiting;
};

static void count_list(struct host *host, const struct sched_queue *queue, struct seen *seen,
		       uint32_t cpu)
{
	const struct sched_entity *before = NULL;
	uint32_t waiting = 0;
	uint64_t weight = 0;

	for (struct sched_entity *e = queue->head; e; before = e, e = e->behind) {
		assert_ptr_equal(e->before, before);
		assert_ptr_equal(e->queue, queue);
		assert_true(e->queued && e != queue->current);
		if (before)
			assert_true(before->vruntime <= e->vruntime);
		waiting++;
		weight += e->weight;
		if (e->own) {
			assert_ptr_equal(e->own->current, NULL);
			assert_true(e->own->queued);
			continue;
		}
		assert_int_equal(sched_task_of(e)->cpu, cpu);
		assert_true(sched_cpus_has(&sched_task_of(e)->allowed, cpu));
		seen[sched_task_of(e)->id].waiting++;
	}
	assert_ptr_equal(queue->tail, before);
	if (queue->current && queue->current->queued) {
		waiting++;
		weight += queue->current->weight;
	}
	assert_int_equal(queue->queued, waiting);
	assert_true(queue->weight == weight);
	(void)host;
}

static void check_cpu(struct host *host, uint32_t i, struct seen *seen)
{
	struct sched_cpu *cpu = &host->sched->cpus[i];

	count_list(host, &cpu->root, seen, i);
	for (uint32_t g = 0; g < host->config.groups; g++)
		count_list(host, &cpu->group_queues[g], seen, i);
	if (cpu->current)
		seen[cpu->current->id].running++;
	assert_ptr_equal(cpu->current, host->cpu[i].running);
	assert_int_equal(sched_cpus_has(&host->sched->idle, i), !cpu->current);
	assert_int_equal(sched_cpus_has(&host->sched->overloaded, i), cpu->load > 1);
	assert_false(cpu->resched);
}

/* Every task is in exactly one place, and its state says which. */
static void check(struct host *host)
{
	struct seen seen[HOST_TASKS] = {{0}};
	uint32_t load = 0, queued = 0;

	for (uint32_t i = 0; i < host->config.cpus; i++) {
		check_cpu(host, i, seen);
		load += sched_load(host->sched, i);
	}
	for (uint32_t i = 0; i < host->tasks; i++) {
		const struct sched_task *task = &host->task[i].task;

		queued += task->entity.queued;
		assert_int_equal(seen[i].running, task->state == SCHED_RUNNING);
		assert_int_equal(seen[i].waiting,
				 task->state == SCHED_RUNNABLE || task->entity.delayed);
		if (task->entity.delayed)
			assert_int_equal(task->state, SCHED_BLOCKED);
	}
	assert_int_equal(load, queued);
}

static void random_tasks(struct host *host, uint64_t *seed, uint32_t tasks)
{
	for (uint32_t i = 0; i < tasks; i++) {
		struct host_task *task = &host->task[host->tasks++];

		task->task.id = i;
		task->task.group = host->config.groups && next_random(seed) % 4
					   ? next_random(seed) % host->config.groups
					   : SCHED_NO_GROUP;
		task->task.weight = next_random(seed) % 4 ? SCHED_NICE_0 : 335; /* nice 5 */
		do
			for (uint32_t cpu = 0; cpu < host->config.cpus; cpu++)
				if (i % 3 || next_random(seed) % 2)
					sched_cpus_add(&task->task.allowed, cpu);
		while (!task->task.allowed.word[0]);
		if (next_random(seed) % 2) {
			task->burst_ns = 1 + next_random(seed) % (5 * MS);
			task->sleep_ns = 1 + next_random(seed) % (10 * MS);
		}
		host_start(host, task);
		host_run(host, next_random(seed) % MS);
	}
}

static void random_yields(struct host *host, uint64_t *seed, int count)
{
	for (int i = 0; i < count; i++) {
		uint32_t cpu = next_random(seed) % host->config.cpus;
		struct host_task *other = &host->task[next_random(seed) % host->tasks];

		host_run(host, next_random(seed) % MS);
		if (!host_running(host, cpu) || host_running(host, cpu)->left_ns == 1)
			continue;
		if (next_random(seed) % 2)
			host_yield(host, cpu);
		else
			host_yield_to(host, cpu, other);
	}
}

static uint64_t random_host(uint64_t seed, bool checked)
{
	uint32_t sockets = 1 + seed % 2, cpus = sockets * (1 + seed % 5);
	struct host *host = begin(kinds[seed % 2], cpus, sockets, seed % 3);
	uint64_t state = seed * 77 + 1, digest;

	host->check = checked ? check : NULL;
	random_tasks(host, &state, 1 + next_random(&state) % 40);
	random_yields(host, &state, 300);
	host_run(host, 300 * MS);
	digest = host->digest + host->switches;
	host_free(host);
	return digest;
}

static void each_task_is_in_one_place(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 120; seed++)
		random_host(seed, true);
}

static void same_calls_same_schedule(void **state)
{
	uint64_t digests[20];
	uint32_t equal = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		digests[seed] = random_host(seed + 1, false);
		assert_true(digests[seed] == random_host(seed + 1, true));
		for (uint64_t i = 0; i < seed; i++)
			equal += digests[i] == digests[seed];
	}
	assert_int_equal(equal, 0);
}

/* No CPU idles for long while a task waits that may use it. */
static void no_work_waits_beside_an_idle_cpu(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		for (uint64_t seed = 1; seed <= 20; seed++) {
			struct host *host = begin(kinds[k], 8, 2, 0);
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

static void pinned_tasks_never_move(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = begin(kinds[k], 4, 2, 0);
		uint64_t seed = 5;

		for (uint32_t i = 0; i < 16; i++)
			host_task_on(host, i % 3, i % 2 ? 0 : 300 * US + i, 500 * US);
		random_yields(host, &seed, 500);
		host_run(host, 1000 * MS);
		for (uint32_t i = 0; i < 16; i++) {
			assert_int_equal(host->task[i].task.cpu, i % 3);
			assert_int_equal(host->task[i].task.migrations, 0);
		}
		assert_null(host_running(host, 3));
		host_free(host);
	}
}

static void impossible_hosts_are_refused(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_cpu_is_shared_evenly),
		cmocka_unit_test(weights_are_shares),
		cmocka_unit_test(even_load_is_left_alone),
		cmocka_unit_test(a_heap_of_tasks_is_spread),
		cmocka_unit_test(an_odd_task_is_passed_around),
		cmocka_unit_test(without_balance_nobody_moves),
		cmocka_unit_test(a_cpu_out_of_work_pulls),
		cmocka_unit_test(groups_share_evenly),
		cmocka_unit_test(yield_to_says_when_nothing_comes_of_it),
		cmocka_unit_test(a_second_task_ends_halt_polling),
		cmocka_unit_test(a_wake_up_finds_an_idle_cpu),
		cmocka_unit_test(each_task_is_in_one_place),
		cmocka_unit_test(same_calls_same_schedule),
		cmocka_unit_test(no_work_waits_beside_an_idle_cpu),
		cmocka_unit_test(pinned_tasks_never_move),
		cmocka_unit_test(impossible_hosts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
