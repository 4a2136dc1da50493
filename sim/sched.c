/* SPDX-License-Identifier: MIT */
/* See sched.h: what the engine calls. Wake-ups, blocking, picking, ticks, yields. */
#include "sim/sched.h"
#include "sim/sched_queue.h"

#include <stdlib.h>

static void init_cpu(struct sched *sched, struct sched_cpu *cpu, uint32_t id)
{
	uint32_t groups = sched->config.groups;

	cpu->id = id;
	cpu->socket = id / sched->socket_cpus;
	cpu->root.cpu = id;
	cpu->mean_idle_ns = 2 * sched->config.migration_cost_ns; /* core.c, sched_init() */
	for (uint32_t i = 0; i < groups; i++) {
		struct sched_entity *group = &cpu->group_entities[i];

		cpu->group_queues[i].cpu = id;
		cpu->group_queues[i].group = group;
		group->own = &cpu->group_queues[i];
		group->queue = &cpu->root;
		group->weight = SCHED_NICE_0;
	}
	sched_cpus_add(&sched->idle, id);
	sched->sockets[cpu->socket].idle++;
}

/* One allocation for each kind of object, for all CPUs. */
static bool allocate(struct sched *sched)
{
	size_t cpus = sched->config.cpus, groups = sched->config.groups;
	struct sched_queue *queues = calloc(cpus * groups + 1, sizeof(*queues));
	struct sched_entity *entities = calloc(cpus * groups + 1, sizeof(*entities));

	sched->cpus = calloc(cpus, sizeof(*sched->cpus));
	sched->sockets = calloc(sched->config.sockets, sizeof(*sched->sockets));
	sched->group_weights = calloc(groups + 1, sizeof(*sched->group_weights));
	if (!queues || !entities || !sched->cpus || !sched->sockets || !sched->group_weights) {
		free(queues);
		free(entities);
		return false;
	}
	for (size_t i = 0; i < cpus; i++) {
		sched->cpus[i].group_queues = queues + i * groups;
		sched->cpus[i].group_entities = entities + i * groups;
	}
	return true;
}

struct sched *sched_new(const struct sched_config *config, const struct sched_callbacks *callbacks,
			void *engine)
{
	struct sched *sched = calloc(1, sizeof(*sched));

	if (!sched)
		return NULL;
	sched->config = *config;
	sched->class = config->kind == SCHED_CFS ? &sched_class_cfs : &sched_class_eevdf;
	sched->callbacks = *callbacks;
	sched->engine = engine;
	sched->socket_cpus = config->cpus / config->sockets;
	if (!allocate(sched)) {
		sched_free(sched);
		return NULL;
	}
	for (uint32_t i = 0; i < config->cpus; i++)
		init_cpu(sched, &sched->cpus[i], i);
	sched_balance_init(sched);
	return sched;
}

void sched_free(struct sched *sched)
{
	if (!sched)
		return;
	if (sched->cpus) {
		free(sched->cpus[0].group_queues);
		free(sched->cpus[0].group_entities);
	}
	free(sched->cpus);
	free(sched->sockets);
	free(sched->group_weights);
	free(sched);
}

/* Compares `task` with the current task by their entities in the deepest queue that both are in. */
void sched_check_preempt(struct sched *sched, struct sched_cpu *cpu, struct sched_task *task)
{
	struct sched_entity *entity = &task->entity;
	struct sched_queue *queue = entity->queue;

	if (!cpu->current) {
		sched_resched(sched, cpu);
		return;
	}
	if (cpu->load > 1 && sched->callbacks.queued)
		sched->callbacks.queued(sched->engine, cpu->id, cpu->clock);
	if (queue->group && queue != cpu->current->entity.queue) {
		entity = queue->group;
		queue = &cpu->root;
	}
	if (cpu->resched || !sched->config.wakeup_preemption || entity == queue->current)
		return;
	if (sched->class->preempts(sched, queue, entity)) {
		sched->counts.wakeup_preemptions++;
		sched_resched(sched, cpu);
	}
}

/* Makes the task, and its group, the one that its queue prefers. */
static void nominate_next(struct sched_task *task)
{
	for (struct sched_entity *e = &task->entity; e; e = e->queue->group)
		e->queue->next = e;
}

/* Queues a new or woken task on the CPU. */
static void start(struct sched *sched, struct sched_cpu *cpu, struct sched_task *task,
		  enum sched_reason reason, uint64_t now)
{
	sched_account(sched, cpu, now);
	task->state = SCHED_RUNNABLE;
	sched_enter(sched, cpu, task, reason);
	if (sched->config.next_buddy && reason == SCHED_SLEEP && cpu->current)
		nominate_next(task);
	sched_check_preempt(sched, cpu, task);
}

void sched_add(struct sched *sched, struct sched_task *task, uint64_t now)
{
	task->entity = (struct sched_entity){.weight = task->weight};
	task->migrations = 0;
	start(sched, &sched->cpus[sched_place_new(sched, task)], task, SCHED_NEW, now);
}

/* Wakes a task that sleeps but is still queued: it stays where it is (ttwu_runnable()). */
static void revive(struct sched *sched, struct sched_task *task, uint64_t now)
{
	struct sched_cpu *cpu = &sched->cpus[task->cpu];
	struct sched_entity *entity = &task->entity;

	sched_account(sched, cpu, now);
	sched_queue_remove(entity->queue, entity);
	sched->class->revive(sched, entity->queue, entity);
	sched_queue_insert(entity->queue, entity);
	entity->delayed = false;
	task->state = SCHED_RUNNABLE;
	sched_check_preempt(sched, cpu, task);
}

void sched_wake(struct sched *sched, struct sched_task *task, uint32_t waker_cpu, uint64_t now)
{
	uint32_t cpu = task->cpu;

	if (task->state != SCHED_BLOCKED)
		return;
	sched->counts.wakeups++;
	if (task->entity.delayed) {
		revive(sched, task, now);
		return;
	}
	cpu = sched_place_woken(sched, task, waker_cpu);
	if (cpu != task->cpu) {
		sched->counts.wakeups_moved++;
		task->migrations++;
	}
	start(sched, &sched->cpus[cpu], task, SCHED_SLEEP, now);
}

void sched_block(struct sched *sched, uint32_t number, uint64_t now)
{
	struct sched_cpu *cpu = &sched->cpus[number];
	struct sched_task *task = cpu->current;

	sched_account(sched, cpu, now);
	task->state = SCHED_BLOCKED;
	cpu->current = NULL;
	sched_leave(sched, cpu, task, SCHED_SLEEP);
}

/* Returns who should run; NULL: nobody. A sleeper that is still queued leaves at its turn. */
static struct sched_task *choose(struct sched *sched, struct sched_cpu *cpu)
{
	for (;;) {
		struct sched_queue *queue = &cpu->root;
		struct sched_entity *entity = NULL;

		while (queue) {
			entity = sched->class->pick(sched, queue);
			if (!entity)
				return NULL;
			queue = entity->own;
		}
		if (!entity->delayed)
			return sched_task_of(entity);
		sched_leave(sched, cpu, sched_task_of(entity), SCHED_SLEEP);
	}
}

static void go_idle(struct sched *sched, struct sched_cpu *cpu)
{
	if (sched_cpus_has(&sched->idle, cpu->id))
		return;
	sched_cpus_add(&sched->idle, cpu->id);
	sched->sockets[cpu->socket].idle++;
	cpu->idle_since = cpu->clock;
}

struct sched_task *sched_pick(struct sched *sched, uint32_t number, uint64_t now)
{
	struct sched_cpu *cpu = &sched->cpus[number];
	struct sched_task *before = cpu->current;
	struct sched_task *next;

	cpu->resched = true; /* whatever is found now needs no callback */
	sched_account(sched, cpu, now);
	next = choose(sched, cpu);
	if (!next && sched_balance_newidle(sched, cpu))
		next = choose(sched, cpu);
	sched_switch(cpu, next);
	if (before && before != next)
		before->state = SCHED_RUNNABLE;
	if (next)
		next->state = SCHED_RUNNING;
	else
		go_idle(sched, cpu);
	cpu->current = next;
	cpu->resched = false;
	return next;
}

void sched_tick(struct sched *sched, uint32_t number, uint64_t now)
{
	struct sched_cpu *cpu = &sched->cpus[number];
	bool ended = false;

	sched_account(sched, cpu, now);
	for (struct sched_queue *queue = &cpu->root; queue && queue->current;
	     queue = queue->current->own) {
		if (queue->current->own)
			sched_reshare(sched, queue->current);
		ended |= sched->class->tick(sched, queue);
	}
	if (ended) {
		sched->counts.tick_preemptions += !cpu->resched;
		sched_resched(sched, cpu);
	}
	sched_balance_tick(sched, cpu);
}

static void yield(struct sched *sched, struct sched_cpu *cpu, uint64_t now)
{
	sched->counts.yields++;
	if (cpu->load == 1)
		return;
	sched_account(sched, cpu, now);
	sched->class->yield(sched, cpu->current->entity.queue);
}

void sched_yield_current(struct sched *sched, uint32_t cpu, uint64_t now)
{
	yield(sched, &sched->cpus[cpu], now);
}

/* core.c, yield_to(); fair.c, yield_to_task_fair() */
enum sched_yield_result sched_yield_to(struct sched *sched, uint32_t number,
				       struct sched_task *task, uint64_t now)
{
	struct sched_cpu *cpu = &sched->cpus[number];
	struct sched_cpu *other = &sched->cpus[task->cpu];

	if (cpu->load == 1 && other->load == 1)
		return SCHED_YIELD_ALONE;
	if (task->state != SCHED_RUNNABLE)
		return SCHED_YIELD_REFUSED;
	nominate_next(task);
	yield(sched, cpu, now);
	if (other != cpu) {
		sched_account(sched, other, now);
		sched_resched(sched, other);
	}
	return SCHED_YIELDED;
}

struct sched_task *sched_current(const struct sched *sched, uint32_t cpu)
{
	return sched->cpus[cpu].current;
}

uint32_t sched_load(const struct sched *sched, uint32_t cpu)
{
	return sched->cpus[cpu].load;
}

bool sched_need_resched(const struct sched *sched, uint32_t cpu)
{
	return sched->cpus[cpu].resched;
}

const struct sched_counts *sched_counts(const struct sched *sched)
{
	return &sched->counts;
}
