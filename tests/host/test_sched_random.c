/* SPDX-License-Identifier: MIT */
/* Tests sim/sched* under random load: the invariants of the run queues, pinning, determinism. */
#include "tests/host/test.h"

#include "sim/sched_queue.h"
#include "tests/host/sched_host.h"

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
	struct host *host = host_begin(sched_kinds[seed % 2], cpus, sockets, seed % 3);
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

static void pinned_tasks_never_move(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct host *host = host_begin(sched_kinds[k], 4, 2, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_task_is_in_one_place),
		cmocka_unit_test(same_calls_same_schedule),
		cmocka_unit_test(pinned_tasks_never_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
