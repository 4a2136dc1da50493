/* SPDX-License-Identifier: MIT */
/*
 * EEVDF, earliest eligible virtual deadline first (Stoica and Abdel-Wahab, 1995), as stable Linux
 * 6.12 has it (6.12.117, kernel/sched/fair.c; the comment at each function names its model there).
 * A queue's virtual time V is the weighted mean of its entities' vruntimes; an entity behind it
 * (positive lag) is eligible. Each entity asks for a slice, and its virtual deadline is the end of
 * that slice; the eligible entity with the earliest deadline runs. run_to_parity lets it run until
 * its slice ends or its lag is used up. The end of a slice is noticed when time is accounted for,
 * mostly at ticks.
 *
 * Not modelled: slices of a task's own (PREEMPT_SHORT), delayed group entities.
 */
#include "sim/sched_queue.h"

struct total {
	int64_t sum; /* weight * vruntime */
	int64_t weight;
};

static struct total total_of(const struct sched_queue *queue)
{
	const struct sched_entity *current = queue->current;
	struct total total = {
		.sum = queue->waiting_sum,
		.weight = (int64_t)queue->weight,
	};

	if (current && current->queued)
		total.sum += (int64_t)current->weight * current->vruntime;
	return total;
}

/* avg_vruntime(), rounded down. */
static int64_t virtual_time(const struct sched_queue *queue)
{
	struct total total = total_of(queue);

	if (!total.weight)
		return queue->min_vruntime;
	if (total.sum < 0)
		total.sum -= total.weight - 1;
	return total.sum / total.weight;
}

/* vruntime_eligible() */
static bool eligible(const struct total *total, const struct sched_entity *entity)
{
	return total->sum >= entity->vruntime * total->weight;
}

/* entity_lag(), bounded by two slices or a tick, whichever is longer. */
static int64_t lag_of(const struct sched *sched, const struct sched_queue *queue,
		      const struct sched_entity *entity)
{
	uint64_t tick_ns = UINT64_C(1000000000) / sched->config.hz;
	uint64_t slices = 2 * sched->config.base_slice_ns;
	int64_t limit = sched_virtual(slices > tick_ns ? slices : tick_ns, entity);
	int64_t lag = virtual_time(queue) - entity->vruntime;

	if (lag > limit)
		return limit;
	return lag < -limit ? -limit : lag;
}

/* place_entity(). The entity's entering changes V, so its lag is scaled up first: afterwards it is
 * what it was. */
static void enter(const struct sched *sched, struct sched_queue *queue, struct sched_entity *entity,
		  enum sched_reason reason)
{
	int64_t slice = sched_virtual(sched->config.base_slice_ns, entity);
	int64_t lag = 0;

	if (sched->config.place_lag && queue->queued && reason != SCHED_NEW) {
		int64_t weight = (int64_t)queue->weight;

		lag = entity->lag * (weight + (int64_t)entity->weight) / weight;
	}
	entity->vruntime = virtual_time(queue) - lag;
	if (entity->relative_deadline) {
		entity->deadline += entity->vruntime;
		entity->relative_deadline = false;
		return;
	}
	if (reason == SCHED_NEW)
		slice /= 2;
	entity->deadline = entity->vruntime + slice;
}

/* dequeue_entity() */
static bool leave(const struct sched *sched, struct sched_queue *queue, struct sched_entity *entity,
		  enum sched_reason reason)
{
	struct total total = total_of(queue);

	if (sched->config.delay_dequeue && reason == SCHED_SLEEP && !entity->own &&
	    !entity->delayed && !eligible(&total, entity))
		return false;
	entity->lag = lag_of(sched, queue, entity);
	if (entity->delayed && entity->lag > 0) /* DELAY_ZERO */
		entity->lag = 0;
	if (reason == SCHED_MOVE) { /* PLACE_REL_DEADLINE */
		entity->deadline -= entity->vruntime;
		entity->relative_deadline = true;
	}
	/* V of the queue, should it become empty */
	queue->min_vruntime = virtual_time(queue);
	return true;
}

/* pick_eevdf() */
static struct sched_entity *earliest(const struct sched *sched, const struct sched_queue *queue)
{
	struct sched_entity *current = queue->current;
	struct sched_entity *best = NULL;
	struct total total = total_of(queue);

	if (queue->queued == 1)
		return current ? current : queue->head;
	if (current && !eligible(&total, current))
		current = NULL;
	if (current && sched->config.run_to_parity && current->parity == current->deadline)
		return current;
	for (struct sched_entity *e = queue->head; e && eligible(&total, e); e = e->behind)
		if (!best || e->deadline < best->deadline)
			best = e;
	if (!best || (current && current->deadline < best->deadline))
		best = current;
	/* rounding may leave no entity eligible */
	return best || !queue->head ? best : queue->head;
}

/* pick_next_entity() */
static struct sched_entity *pick(const struct sched *sched, struct sched_queue *queue)
{
	struct total total = total_of(queue);

	if ((sched->config.pick_buddy || sched->config.next_buddy) && queue->next &&
	    eligible(&total, queue->next))
		return queue->next;
	return earliest(sched, queue);
}

/* update_deadline() */
static bool renew(const struct sched *sched, struct sched_entity *entity)
{
	if (entity->vruntime < entity->deadline)
		return false;
	entity->deadline = entity->vruntime + sched_virtual(sched->config.base_slice_ns, entity);
	return true;
}

/* update_curr() */
static bool ran(const struct sched *sched, struct sched_queue *queue)
{
	if (!renew(sched, queue->current) || queue->queued == 1)
		return false;
	sched_drop_buddies(queue->current);
	return true;
}

static bool tick(const struct sched *sched, struct sched_queue *queue)
{
	(void)sched;
	(void)queue;
	return false; /* ran() has noticed the end of the slice already */
}

/* check_preempt_wakeup_fair() */
static bool preempts(const struct sched *sched, struct sched_queue *queue,
		     struct sched_entity *woken)
{
	return earliest(sched, queue) == woken;
}

/* yield_task_fair(). Before 79104becf42b only the deadline moved on by a slice. */
static void yield(const struct sched *sched, struct sched_queue *queue)
{
	struct sched_entity *entity = queue->current;
	struct total total = total_of(queue);

	sched_drop_buddies(entity);
	if (!sched->config.yield_forfeits) {
		entity->deadline += sched_virtual(sched->config.base_slice_ns, entity);
	} else if (eligible(&total, entity)) {
		entity->vruntime = entity->deadline;
		renew(sched, entity);
	}
}

/* reweight_eevdf(): lag times weight stays the same, and so does the rest of the slice. */
static void reweight(struct sched_entity *entity, uint64_t weight, int64_t time)
{
	int64_t before = (int64_t)entity->weight, after = (int64_t)weight;

	if (!entity->queued) {
		entity->lag = entity->lag * before / after;
		return;
	}
	entity->deadline -= entity->vruntime;
	entity->parity -= entity->vruntime;
	entity->vruntime = time - (time - entity->vruntime) * before / after;
	entity->deadline = entity->vruntime + entity->deadline * before / after;
	entity->parity = entity->vruntime + entity->parity * before / after;
}

/* requeue_delayed_entity(): takes away the positive lag that the entity gained while it slept. */
static void revive(const struct sched *sched, struct sched_queue *queue,
		   struct sched_entity *entity)
{
	int64_t time = virtual_time(queue);

	(void)sched;
	if (entity->vruntime >= time)
		return;
	entity->vruntime = time;
	entity->deadline = time + sched_virtual(sched->config.base_slice_ns, entity);
}

const struct sched_class sched_class_eevdf = {
	.enter = enter,
	.leave = leave,
	.pick = pick,
	.ran = ran,
	.tick = tick,
	.preempts = preempts,
	.yield = yield,
	.virtual_time = virtual_time,
	.reweight = reweight,
	.revive = revive,
};
