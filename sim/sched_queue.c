/* SPDX-License-Identifier: MIT */
/* Run queues: lists, accounting, entering and leaving on both levels, shares of groups. */
#include "sim/sched_queue.h"

/* Linux: MIN_SHARES, tg->shares = NICE_0_LOAD (kernel/sched/fair.c, calc_cfs_shares()) */
#define GROUP_MIN_WEIGHT 2
#define GROUP_SHARES     SCHED_NICE_0

void sched_queue_insert(struct sched_queue *queue, struct sched_entity *entity)
{
	struct sched_entity *before = queue->tail;

	while (before && entity->vruntime < before->vruntime)
		before = before->before;
	entity->before = before;
	entity->behind = before ? before->behind : queue->head;
	if (before)
		before->behind = entity;
	else
		queue->head = entity;
	if (entity->behind)
		entity->behind->before = entity;
	else
		queue->tail = entity;
	queue->waiting_sum += (int64_t)entity->weight * entity->vruntime;
}

void sched_queue_remove(struct sched_queue *queue, struct sched_entity *entity)
{
	if (entity->before)
		entity->before->behind = entity->behind;
	else
		queue->head = entity->behind;
	if (entity->behind)
		entity->behind->before = entity->before;
	else
		queue->tail = entity->before;
	entity->before = entity->behind = NULL;
	queue->waiting_sum -= (int64_t)entity->weight * entity->vruntime;
}

void sched_drop_buddies(struct sched_entity *entity)
{
	for (struct sched_entity *e = entity; e && e->queue->next == e; e = e->queue->group)
		e->queue->next = NULL;
	for (struct sched_entity *e = entity; e && e->queue->last == e; e = e->queue->group)
		e->queue->last = NULL;
	for (struct sched_entity *e = entity; e && e->queue->skip == e; e = e->queue->group)
		e->queue->skip = NULL;
}

void sched_account(struct sched *sched, struct sched_cpu *cpu, uint64_t now)
{
	bool ended = false;

	if (now > cpu->clock)
		cpu->clock = now;
	for (struct sched_queue *queue = &cpu->root; queue && queue->current;
	     queue = queue->current->own) {
		struct sched_entity *entity = queue->current;
		uint64_t ran = cpu->clock - entity->exec_start;

		if (!ran)
			continue;
		entity->exec_start = cpu->clock;
		entity->sum_exec += ran;
		entity->vruntime += sched_virtual(ran, entity);
		ended |= sched->class->ran(sched, queue);
	}
	if (ended)
		sched_resched(sched, cpu);
}

static void set_weight(const struct sched *sched, struct sched_entity *entity, uint64_t weight)
{
	struct sched_queue *queue = entity->queue;
	bool waiting = entity->queued && queue->current != entity;
	int64_t time = sched->class->virtual_time(queue);

	if (weight == entity->weight)
		return;
	if (waiting)
		sched_queue_remove(queue, entity);
	sched->class->reweight(entity, weight, time);
	if (entity->queued)
		queue->weight += weight - entity->weight;
	entity->weight = weight;
	if (waiting)
		sched_queue_insert(queue, entity);
}

void sched_reshare(struct sched *sched, struct sched_entity *group)
{
	uint32_t number = (uint32_t)(group - sched->cpus[group->own->cpu].group_entities);
	uint64_t total = sched->group_weights[number];
	uint64_t weight = total ? GROUP_SHARES * group->own->weight / total : 0;

	set_weight(sched, group, weight > GROUP_MIN_WEIGHT ? weight : GROUP_MIN_WEIGHT);
}

/* Updates the sums of the CPU, its socket and the task's group: `task` comes or goes. */
static void count_task(struct sched *sched, struct sched_cpu *cpu, const struct sched_task *task,
		       bool comes)
{
	struct sched_socket *socket = &sched->sockets[cpu->socket];
	uint32_t one = comes ? 1 : UINT32_MAX;
	uint64_t weight = comes ? task->weight : -task->weight;
	uint64_t bit = UINT64_C(1) << cpu->id % 64;

	cpu->load += one;
	cpu->weight += weight;
	socket->load += one;
	socket->weight += weight;
	if (task->group != SCHED_NO_GROUP)
		sched->group_weights[task->group] += weight;
	if (cpu->load > 1)
		sched->overloaded.word[cpu->id / 64] |= bit;
	else
		sched->overloaded.word[cpu->id / 64] &= ~bit;
}

/* Ends the CPU's idle time, if it was idle, and updates the mean (rq->avg_idle in core.c,
 * ttwu_do_wakeup() of 4.12). */
static void end_idle(struct sched *sched, struct sched_cpu *cpu)
{
	uint64_t most = 2 * sched->config.migration_cost_ns;
	uint64_t idle = cpu->clock - cpu->idle_since;

	if (!sched_cpus_has(&sched->idle, cpu->id))
		return;
	sched->idle.word[cpu->id / 64] &= ~(UINT64_C(1) << cpu->id % 64);
	sched->sockets[cpu->socket].idle--;
	if (idle > most)
		idle = most;
	cpu->mean_idle_ns = cpu->mean_idle_ns - cpu->mean_idle_ns / 8 + idle / 8;
}

void sched_enter(struct sched *sched, struct sched_cpu *cpu, struct sched_task *task,
		 enum sched_reason reason)
{
	struct sched_entity *entity = &task->entity;
	struct sched_queue *queue =
		task->group == SCHED_NO_GROUP ? &cpu->root : &cpu->group_queues[task->group];

	end_idle(sched, cpu);
	count_task(sched, cpu, task, true);
	task->cpu = cpu->id;
	for (;;) {
		struct sched_entity *group = queue->group;

		sched->class->enter(sched, queue, entity, reason);
		entity->queue = queue;
		entity->queued = true;
		queue->queued++;
		queue->weight += entity->weight;
		sched_queue_insert(queue, entity);
		if (!group)
			break;
		sched_reshare(sched, group);
		if (group->queued)
			break;
		entity = group;
		queue = group->queue;
		reason = SCHED_SLEEP;
	}
}

bool sched_leave(struct sched *sched, struct sched_cpu *cpu, struct sched_task *task,
		 enum sched_reason reason)
{
	for (struct sched_entity *entity = &task->entity; entity;) {
		struct sched_queue *queue = entity->queue;

		sched_drop_buddies(entity);
		if (!sched->class->leave(sched, queue, entity, reason)) {
			entity->delayed = true;
			if (queue->current == entity) {
				queue->current = NULL;
				sched_queue_insert(queue, entity);
			}
			return false;
		}
		if (queue->current == entity)
			queue->current = NULL;
		else
			sched_queue_remove(queue, entity);
		entity->queued = false;
		entity->delayed = false;
		queue->queued--;
		queue->weight -= entity->weight;
		entity = queue->queued ? NULL : queue->group;
		reason = SCHED_SLEEP;
	}
	count_task(sched, cpu, task, false);
	if (task->group != SCHED_NO_GROUP)
		sched_reshare(sched, &cpu->group_entities[task->group]);
	return true;
}

/* Puts the current entities of the queue, and of the queues below it, back into their lists. */
static void put_back(struct sched_queue *queue)
{
	while (queue && queue->current) {
		struct sched_entity *entity = queue->current;

		queue->current = NULL;
		if (entity->queued)
			sched_queue_insert(queue, entity);
		queue = entity->own;
	}
}

static void set_current(const struct sched_cpu *cpu, struct sched_entity *entity)
{
	sched_queue_remove(entity->queue, entity);
	entity->queue->current = entity;
	entity->exec_start = cpu->clock;
	entity->picked_sum_exec = entity->sum_exec;
	entity->parity = entity->deadline;
	sched_drop_buddies(entity);
}

void sched_switch(struct sched_cpu *cpu, struct sched_task *next)
{
	struct sched_entity *entity = next ? &next->entity : NULL;
	struct sched_entity *group = entity ? entity->queue->group : NULL;
	struct sched_entity *top = group ? group : entity;

	if (cpu->root.current != top) {
		put_back(&cpu->root);
		if (group)
			set_current(cpu, group);
	} else if (group && group->own->current != entity) {
		put_back(group->own);
	}
	if (entity && entity->queue->current != entity)
		set_current(cpu, entity);
}

void sched_resched(struct sched *sched, struct sched_cpu *cpu)
{
	if (cpu->resched)
		return;
	cpu->resched = true;
	sched->callbacks.resched(sched->engine, cpu->id, cpu->clock);
}
