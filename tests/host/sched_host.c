/* SPDX-License-Identifier: MIT */
#include "tests/host/sched_host.h"
#include "tests/host/test.h"

#include <stdlib.h>

const enum sched_kind sched_kinds[2] = {SCHED_CFS, SCHED_EEVDF};

static void resched(void *engine, uint32_t cpu, uint64_t now)
{
	struct host *host = engine;

	(void)now;
	host->cpu[cpu].resched = true;
}

static void queued(void *engine, uint32_t cpu, uint64_t now)
{
	struct host *host = engine;

	(void)cpu;
	(void)now;
	host->queued_calls++;
}

struct host *host_new(const struct sched_config *config)
{
	static const struct sched_callbacks callbacks = {.resched = resched, .queued = queued};
	struct host *host = calloc(1, sizeof(*host));

	if (!host)
		abort();
	host->config = *config;
	host->sched = sched_new(config, &callbacks, host);
	if (!host->sched)
		abort();
	host->next_tick = 1000 * MS / config->hz;
	return host;
}

struct host *host_begin(enum sched_kind kind, uint32_t cpus, uint32_t sockets, uint32_t groups)
{
	struct sched_config config;

	sched_config_default(&config, kind, cpus, sockets);
	config.groups = groups;
	assert_null(sched_config_error(&config));
	return host_new(&config);
}

void host_free(struct host *host)
{
	sched_free(host->sched);
	free(host);
}

/* Counts the CPU time of the running task up to now. */
static void advance(struct host *host, struct host_cpu *cpu)
{
	uint64_t ran = host->now - cpu->since;

	cpu->since = host->now;
	if (!cpu->running)
		return;
	cpu->running->ran_ns += ran;
	if (cpu->running->burst_ns)
		cpu->running->left_ns -= ran;
}

static void pick(struct host *host, uint32_t number)
{
	struct host_cpu *cpu = &host->cpu[number];
	struct host_task *before = cpu->running, *next;

	advance(host, cpu);
	cpu->resched = false;
	next = (struct host_task *)sched_pick(host->sched, number, host->now);
	if (next == before)
		return;
	if (before && before->task.state == SCHED_RUNNABLE)
		before->runnable_since = host->now;
	if (next) {
		uint64_t waited = host->now - next->runnable_since;

		if (waited > next->longest_wait_ns)
			next->longest_wait_ns = waited;
		next->slices++;
		host->digest = (host->digest ^ (host->now * 31 + next->task.id * 7 + number)) *
			       UINT64_C(0x100000001b3);
	}
	host->switches++;
	cpu->running = next;
}

static void settle(struct host *host)
{
	for (uint32_t i = 0; i < host->config.cpus; i++)
		if (host->cpu[i].resched)
			pick(host, i);
	if (host->check)
		host->check(host);
}

void host_start(struct host *host, struct host_task *task)
{
	task->left_ns = task->burst_ns;
	task->runnable_since = host->now;
	task->wake_at = UINT64_MAX;
	sched_add(host->sched, &task->task, host->now);
	settle(host);
}

static struct host_task *make(struct host *host, uint64_t burst_ns, uint64_t sleep_ns)
{
	struct host_task *task = &host->task[host->tasks];

	if (host->tasks == HOST_TASKS)
		abort();
	task->task.id = host->tasks++;
	task->task.group = SCHED_NO_GROUP;
	task->task.weight = SCHED_NICE_0;
	task->burst_ns = burst_ns;
	task->sleep_ns = sleep_ns;
	return task;
}

struct host_task *host_task(struct host *host, uint64_t burst_ns, uint64_t sleep_ns)
{
	struct host_task *task = make(host, burst_ns, sleep_ns);

	for (uint32_t i = 0; i < host->config.cpus; i++)
		sched_cpus_add(&task->task.allowed, i);
	host_start(host, task);
	return task;
}

struct host_task *host_task_on(struct host *host, uint32_t cpu, uint64_t burst_ns,
			       uint64_t sleep_ns)
{
	struct host_task *task = make(host, burst_ns, sleep_ns);

	sched_cpus_add(&task->task.allowed, cpu);
	host_start(host, task);
	return task;
}

static void block(struct host *host, uint32_t number, uint64_t wake_at)
{
	struct host_cpu *cpu = &host->cpu[number];

	advance(host, cpu);
	cpu->running->wake_at = wake_at;
	sched_block(host->sched, number, host->now);
	pick(host, number);
}

void host_block(struct host *host, uint32_t cpu)
{
	block(host, cpu, UINT64_MAX);
	settle(host);
}

void host_wake(struct host *host, struct host_task *task, uint32_t waker_cpu)
{
	task->wake_at = UINT64_MAX;
	task->left_ns = task->burst_ns;
	task->runnable_since = host->now;
	sched_wake(host->sched, &task->task, waker_cpu, host->now);
	settle(host);
}

void host_yield(struct host *host, uint32_t cpu)
{
	sched_yield_current(host->sched, cpu, host->now);
	pick(host, cpu);
	settle(host);
}

enum sched_yield_result host_yield_to(struct host *host, uint32_t cpu, struct host_task *task)
{
	enum sched_yield_result result = sched_yield_to(host->sched, cpu, &task->task, host->now);

	if (result == SCHED_YIELDED)
		pick(host, cpu);
	settle(host);
	return result;
}

struct host_task *host_running(struct host *host, uint32_t cpu)
{
	return host->cpu[cpu].running;
}

static uint64_t next_event(const struct host *host, uint64_t end)
{
	uint64_t next = host->next_tick < end ? host->next_tick : end;

	for (uint32_t i = 0; i < host->config.cpus; i++) {
		const struct host_cpu *cpu = &host->cpu[i];

		if (cpu->running && cpu->running->burst_ns &&
		    cpu->since + cpu->running->left_ns < next)
			next = cpu->since + cpu->running->left_ns;
	}
	for (uint32_t i = 0; i < host->tasks; i++)
		if (host->task[i].task.state == SCHED_BLOCKED && host->task[i].wake_at < next)
			next = host->task[i].wake_at;
	return next;
}

static void step(struct host *host)
{
	for (uint32_t i = 0; i < host->config.cpus; i++)
		advance(host, &host->cpu[i]);
	for (uint32_t i = 0; i < host->config.cpus; i++) {
		struct host_task *task = host->cpu[i].running;

		if (task && task->burst_ns && !task->left_ns)
			block(host, i, host->now + task->sleep_ns);
	}
	for (uint32_t i = 0; i < host->tasks; i++) {
		struct host_task *task = &host->task[i];

		if (task->task.state == SCHED_BLOCKED && task->wake_at <= host->now)
			host_wake(host, task, task->task.cpu);
	}
	if (host->now == host->next_tick) {
		for (uint32_t i = 0; i < host->config.cpus; i++)
			sched_tick(host->sched, i, host->now);
		host->next_tick += 1000 * MS / host->config.hz;
	}
	settle(host);
}

void host_run(struct host *host, uint64_t ns)
{
	uint64_t end = host->now + ns;

	while (host->now < end) {
		host->now = next_event(host, end);
		step(host);
	}
}

void host_assert_share(const struct host_task *task, uint64_t whole, double share, double tolerance)
{
	double got = (double)task->ran_ns / (double)whole;

	if (got < share - tolerance || got > share + tolerance)
		fail_msg("task %u got %.4f of the time, not %.4f", task->task.id, got, share);
}
