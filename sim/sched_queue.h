/* SPDX-License-Identifier: MIT */
/*
 * Inside the scheduler: run queues, and what CFS and EEVDF do differently (struct sched_class).
 *
 * A CPU has a root queue. Tasks without a group are in it; a group has one entity for each CPU,
 * which is in that CPU's root queue while its own queue has tasks. So there are one or two levels.
 * `queued` and `weight` of a queue count its running entity, but its list does not have it. The
 * list is sorted by vruntime, equals in the order of their arrival: CFS runs its head, EEVDF's
 * eligible entities are a prefix of it. A list rather than a tree, because queues are short: with P
 * CPUs and 600 tasks, 600/P long.
 */
#ifndef PVSPIN_SIM_SCHED_QUEUE_H
#define PVSPIN_SIM_SCHED_QUEUE_H

#include "sim/sched.h"

#include <stdbool.h>
#include <stdint.h>

struct sched_queue {
	struct sched_entity *head, *tail; /* waiting */
	struct sched_entity *current;
	/* buddies: `next` and `last` are to be preferred, `skip` is to be passed over */
	struct sched_entity *next, *last, *skip;
	struct sched_entity *group; /* the entity of the group whose tasks these are; NULL: root */
	uint32_t cpu;
	uint32_t queued;      /* entities, with `current` */
	uint64_t weight;      /* of these entities */
	int64_t waiting_sum;  /* weight * vruntime, summed over the list */
	int64_t min_vruntime; /* CFS: virtual time, never goes back; EEVDF: of an empty queue */
};

enum sched_level {
	SCHED_SOCKET,
	SCHED_MACHINE,
	SCHED_LEVELS,
};

/* A CPU's balancing of one level. */
struct sched_balancer {
	uint64_t due_ns;
	uint64_t interval_ns;
	uint32_t failed; /* times in a row that there was an imbalance but no task could move */
};

struct sched_cpu {
	uint32_t id, socket;
	struct sched_queue root;
	struct sched_queue *group_queues;    /* [config.groups] */
	struct sched_entity *group_entities; /* [config.groups] */
	struct sched_task *current;
	uint64_t clock;
	uint32_t load;   /* tasks, delayed ones too (Linux: nr_running) */
	uint64_t weight; /* of these tasks */
	bool resched;
	uint64_t idle_since;
	uint64_t mean_idle_ns;
	struct sched_balancer balancer[SCHED_LEVELS];
};

struct sched_socket {
	uint32_t load;
	uint64_t weight;
	uint32_t idle; /* CPUs */
};

enum sched_reason { /* of entering or leaving a queue */
		    SCHED_NEW,
		    SCHED_SLEEP,
		    SCHED_MOVE, /* to another CPU, while runnable */
};

struct sched_class {
	/* Gives an entity that enters `queue` its vruntime. SCHED_SLEEP here means a wake-up. */
	void (*enter)(const struct sched *sched, struct sched_queue *queue,
		      struct sched_entity *entity, enum sched_reason reason);
	/* Before an entity leaves. False: it stays queued for now (struct sched_entity, `delayed`).
	 */
	bool (*leave)(const struct sched *sched, struct sched_queue *queue,
		      struct sched_entity *entity, enum sched_reason reason);
	/* Who should run: a waiting entity, or `queue`'s current one; NULL if there is none. */
	struct sched_entity *(*pick)(const struct sched *sched, struct sched_queue *queue);
	/* After accounting: has the slice of `queue`'s current entity ended? */
	bool (*ran)(const struct sched *sched, struct sched_queue *queue);
	/* A tick: should `queue`'s current entity give way? */
	bool (*tick)(const struct sched *sched, struct sched_queue *queue);
	/* Should `woken` preempt `queue`'s current entity? */
	bool (*preempts)(const struct sched *sched, struct sched_queue *queue,
			 struct sched_entity *woken);
	/* `queue`'s current entity yields. */
	void (*yield)(const struct sched *sched, struct sched_queue *queue);
	int64_t (*virtual_time)(const struct sched_queue *queue);
	/* Prepares `entity` for another weight. It is in no list; `time` is its queue's virtual
	 * time so far. */
	void (*reweight)(struct sched_entity *entity, uint64_t weight, int64_t time);
	/* A delayed entity, in no list, wakes up. NULL: this class delays none. */
	void (*revive)(const struct sched *sched, struct sched_queue *queue,
		       struct sched_entity *entity);
};

extern const struct sched_class sched_class_cfs, sched_class_eevdf;

struct sched {
	struct sched_config config;
	const struct sched_class *class;
	struct sched_callbacks callbacks;
	void *engine;
	struct sched_cpu *cpus;
	struct sched_socket *sockets;
	uint32_t socket_cpus;
	uint64_t *group_weights; /* of a group's queued tasks, on all CPUs */
	struct sched_cpus idle;
	struct sched_cpus overloaded; /* more than one task */
	struct sched_counts counts;
};

static inline struct sched_task *sched_task_of(struct sched_entity *entity)
{
	return (struct sched_task *)((char *)entity - offsetof(struct sched_task, entity));
}

/* `ns` in `entity`'s virtual time, which passes more slowly for a heavier entity. */
static inline int64_t sched_virtual(uint64_t ns, const struct sched_entity *entity)
{
	if (entity->weight == SCHED_NICE_0)
		return (int64_t)ns;
	return (int64_t)(ns * SCHED_NICE_0 / entity->weight);
}

/* Put an entity into the queue's list of waiting entities, and take it out. */
void sched_queue_insert(struct sched_queue *queue, struct sched_entity *entity);
void sched_queue_remove(struct sched_queue *queue, struct sched_entity *entity);

/* Ends `entity`'s role as a buddy, and its group's where the group has it because of `entity`. */
void sched_drop_buddies(struct sched_entity *entity);

/* Advances the CPU's clock to `now` and accounts for what its current task has run. */
void sched_account(struct sched *sched, struct sched_cpu *cpu, uint64_t now);

/* Queue `task` on `cpu`, and take it away. Call sched_account() before. sched_leave() returns false
 * if the task stays queued although it sleeps. */
void sched_enter(struct sched *sched, struct sched_cpu *cpu, struct sched_task *task,
		 enum sched_reason reason);
bool sched_leave(struct sched *sched, struct sched_cpu *cpu, struct sched_task *task,
		 enum sched_reason reason);

/* Sets the weight of a group's entity on a CPU: the group's shares, times the weight of its tasks
 * on this CPU, by the weight of all its tasks. */
void sched_reshare(struct sched *sched, struct sched_entity *group);

/* Makes `next` (NULL: none) current on all levels, and puts those it replaces back into lists. */
void sched_switch(struct sched_cpu *cpu, struct sched_task *next);

/* Asks the engine for a switch, once. */
void sched_resched(struct sched *sched, struct sched_cpu *cpu);

/* `task` has just been queued on `cpu`: asks for a switch if it should preempt or `cpu` is idle. */
void sched_check_preempt(struct sched *sched, struct sched_cpu *cpu, struct sched_task *task);

/* sched_place.c: the CPU for a new task, and for one that wakes up. */
uint32_t sched_place_new(const struct sched *sched, const struct sched_task *task);
uint32_t sched_place_woken(const struct sched *sched, const struct sched_task *task,
			   uint32_t waker_cpu);

/* sched_balance.c: pulls a task to a CPU that is out of work; returns whether there was one. */
bool sched_balance_newidle(struct sched *sched, struct sched_cpu *cpu);
/* Balances at a tick of `cpu`, if it is due. */
void sched_balance_tick(struct sched *sched, struct sched_cpu *cpu);
void sched_balance_init(struct sched *sched);

#endif
