/* SPDX-License-Identifier: MIT */
/*
 * CFS, the Completely Fair Scheduler, as Linux 4.12 has it (kernel/sched/fair.c; the comment at
 * each function names its model there). It runs the task with the least vruntime. A tick ends a
 * slice, whose length is the latency divided by the number of tasks. A task that wakes up is placed
 * up to half a latency behind the others; it preempts if that is more than the granularity.
 */
#include "sim/sched_queue.h"

/* update_min_vruntime() */
static void advance(struct sched_queue *queue)
{
	const struct sched_entity *least = queue->head;
	const struct sched_entity *current = queue->current;

	if (current && (!least || current->vruntime < least->vruntime))
		least = current;
	if (least && least->vruntime > queue->min_vruntime)
		queue->min_vruntime = least->vruntime;
}

/* sched_slice() for two levels: `entity`'s part of a period in which `queued` entities compete,
 * `weight` being the sum of their weights. */
static uint64_t slice(const struct sched *sched, const struct sched_queue *queue,
		      const struct sched_entity *entity, uint32_t queued, uint64_t weight)
{
	const struct sched_config *config = &sched->config;
	uint64_t fit = config->latency_ns / config->granularity_ns; /* sched_nr_latency */
	uint64_t period = queued > fit ? queued * config->granularity_ns : config->latency_ns;
	uint64_t part = period * entity->weight / weight;

	/* A group's tasks share its slice. */
	if (queue->group && queue->group->queued)
		part = part * queue->group->weight / queue->group->queue->weight;
	return part;
}

/* place_entity(), enqueue_entity(), migrate_task_rq_fair() */
static void enter(const struct sched *sched, struct sched_queue *queue, struct sched_entity *entity,
		  enum sched_reason reason)
{
	int64_t credit = (int64_t)sched->config.latency_ns;
	int64_t placed;

	advance(queue);
	if (reason == SCHED_NEW) {
		uint64_t part = slice(sched, queue, entity, queue->queued + 1,
				      queue->weight + entity->weight);

		entity->vruntime = queue->min_vruntime + sched_virtual(part, entity);
		return;
	}
	if (reason == SCHED_MOVE) {
		entity->vruntime = queue->min_vruntime - entity->lag;
		return;
	}
	if (entity->queue && entity->queue != queue) {
		advance(entity->queue);
		entity->vruntime += queue->min_vruntime - entity->queue->min_vruntime;
	}
	if (sched->config.gentle_sleepers)
		credit /= 2;
	placed = queue->min_vruntime - credit;
	if (entity->vruntime < placed)
		entity->vruntime = placed;
}

/* dequeue_entity() */
static bool leave(const struct sched *sched, struct sched_queue *queue, struct sched_entity *entity,
		  enum sched_reason reason)
{
	(void)sched;
	advance(queue);
	if (reason == SCHED_MOVE)
		entity->lag = queue->min_vruntime - entity->vruntime;
	return true;
}

/* wakeup_preempt_entity() and wakeup_gran(). 1: `entity` is far enough behind `current` to preempt
 * it; 0: it is behind, but not so far; -1: it is not behind. */
static int behind(const struct sched *sched, const struct sched_entity *current,
		  const struct sched_entity *entity)
{
	int64_t lead = current->vruntime - entity->vruntime;

	if (lead <= 0)
		return -1;
	return lead > sched_virtual(sched->config.wakeup_granularity_ns, entity);
}

/* pick_next_entity() */
static struct sched_entity *pick(const struct sched *sched, struct sched_queue *queue)
{
	struct sched_entity *current = queue->current;
	struct sched_entity *least = queue->head;
	struct sched_entity *picked;

	if (!least || (current && current->vruntime < least->vruntime))
		least = current;
	if (!least)
		return NULL;
	picked = least;
	if (queue->skip == least) {
		struct sched_entity *second = queue->head;

		if (least != current) {
			second = least->behind;
			if (!second || (current && current->vruntime < second->vruntime))
				second = current;
		}
		if (second && behind(sched, second, least) < 1)
			picked = second;
	}
	if (queue->last && behind(sched, queue->last, least) < 1)
		picked = queue->last;
	if (queue->next && behind(sched, queue->next, least) < 1)
		picked = queue->next;
	sched_drop_buddies(picked);
	return picked;
}

static bool ran(const struct sched *sched, struct sched_queue *queue)
{
	(void)sched;
	advance(queue);
	return false;
}

/* check_preempt_tick() */
static bool tick(const struct sched *sched, struct sched_queue *queue)
{
	struct sched_entity *current = queue->current;
	uint64_t part = slice(sched, queue, current, queue->queued, queue->weight);
	uint64_t ran_ns = current->sum_exec - current->picked_sum_exec;

	if (queue->queued < 2)
		return false;
	if (ran_ns > part) {
		sched_drop_buddies(current);
		return true;
	}
	if (ran_ns < sched->config.granularity_ns || !queue->head)
		return false;
	return current->vruntime - queue->head->vruntime > (int64_t)part;
}

static void nominate_last(struct sched_entity *entity)
{
	for (; entity; entity = entity->queue->group)
		entity->queue->last = entity;
}

/* check_preempt_wakeup() */
static bool preempts(const struct sched *sched, struct sched_queue *queue,
		     struct sched_entity *woken)
{
	const struct sched_config *config = &sched->config;
	bool full = queue->queued >= config->latency_ns / config->granularity_ns;

	if (behind(sched, queue->current, woken) < 1)
		return false;
	queue->next = woken;
	if (config->last_buddy && full && !queue->current->own)
		nominate_last(queue->current);
	return true;
}

/* yield_task_fair() */
static void yield(const struct sched *sched, struct sched_queue *queue)
{
	(void)sched;
	sched_drop_buddies(queue->current);
	for (struct sched_entity *e = queue->current; e; e = e->queue->group)
		e->queue->skip = e;
}

static int64_t virtual_time(const struct sched_queue *queue)
{
	return queue->min_vruntime;
}

/* reweight_entity(): past time stays as it was counted. */
static void reweight(struct sched_entity *entity, uint64_t weight, int64_t time)
{
	(void)entity;
	(void)weight;
	(void)time;
}

const struct sched_class sched_class_cfs = {
	.enter = enter,
	.leave = leave,
	.pick = pick,
	.ran = ran,
	.tick = tick,
	.preempts = preempts,
	.yield = yield,
	.virtual_time = virtual_time,
	.reweight = reweight,
};
