/* SPDX-License-Identifier: MIT */
/*
 * The state shared by the parts of workload=kbuild: the locks, the tasks, the vCPUs with their run
 * queues. A task runs on one vCPU at a time and moves between them. Only the vCPU itself touches
 * its struct vcpu, except atomic fields and the run queue, which its lock protects.
 */
#ifndef PVSPIN_BENCH_KBUILD_WORLD_H
#define PVSPIN_BENCH_KBUILD_WORLD_H

#include "bench/kbuild/kbuild.h"
#include "bench/kbuild/profile.h"
#include "bench/kbuild/sample.h"
#include "bench/plan.h"
#include "bench/worker.h"
#include "lib/steal.h"
#include "locks/core/lock.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most locks held at once: a wait queue's, pi, rq; or page_table, pcp, zone. */
#define KBUILD_DEPTH 3

/* A lock's data: two cache lines that its owner writes, like the data of a kernel's lock. The lock
 * itself is elsewhere (klock_state), because waiters must not read the owner's lines. */
struct klock {
	struct section section;
	uint32_t last_cpu __attribute__((aligned(CACHE_LINE))); /* previous owner + 1; 0: none */
	uint64_t touched;
};

/* A stretch of this vCPU's time. Set at its begin; at its end it gives the cycles that were not
 * stolen. */
struct stretch {
	uint64_t start, steal_ns;
};

/* A current section. */
struct held {
	struct klock *lock;
	enum kbuild_class class;
	void *node;
	struct stretch since; /* the grant */
	uint64_t second;      /* as in section_body, bench/loop.h */
	uint64_t steal_ns;    /* the vCPU's steal-time page at the grant */
	uint32_t version;
	uint64_t cycles;   /* length of the hold, set at the release */
	bool enables_irqs; /* at its release; else they stay as they are */
};

enum task_state { TASK_RUNNABLE, TASK_RUNNING, TASK_BLOCKED, TASK_GONE };

struct task {
	void *stack, *sp;
	uint32_t id;
	_Atomic uint32_t vcpu; /* where it runs, ran last or is queued */
	struct task *next;     /* in a run queue, under the queue's lock */
	enum task_state state; /* under the pi lock while it is not running */
	bool wake_pending;     /* woken before it was off its stack; under the pi lock */
	bool sleeping, left;   /* under the pair's wait queue lock */
	uint64_t jobs_done;    /* its own */
	struct random random;  /* of its current job */
} __attribute__((aligned(2 * CACHE_LINE)));

/* The request of a task that leaves its stack to the scheduler. */
enum request { REQUEST_NONE, REQUEST_REQUEUE, REQUEST_BLOCK, REQUEST_EXIT };

struct run_queue {
	struct task *head, *tail;
	_Atomic uint32_t queued; /* written under the lock, read by all as a hint */
} __attribute__((aligned(2 * CACHE_LINE)));

/* Keeps fields that other vCPUs access often two cache lines apart from the vCPU's own. */
#define KBUILD_APART __attribute__((aligned(2 * CACHE_LINE)))

struct vcpu {
	struct worker worker; /* counters of the locks, results */
	/* for the locks */
	struct held held[KBUILD_DEPTH];
	struct class_count count[CLASS_COUNT];
	struct kbuild_times
		times; /* `spinning`, `halted`, `idle` without the time stolen meanwhile */
	struct kbuild_events events;
	/* for the scheduler */
	void *sp; /* of its own stack, while a task runs */
	struct task *current;
	uint64_t since;       /* TSC at which `current` came */
	struct random random; /* for the scheduler's own holds */
	enum request request;
	uint32_t scheduler_locks;  /* pi and rq locks taken, not yet made up for (job.c) */
	uint32_t depth;            /* of `held` */
	_Atomic bool need_resched; /* by its tick */
	uint64_t looked_ns;        /* stolen time at the last look; only for observe.c */

	struct run_queue queue;
	struct {
		_Atomic uint32_t calls;  /* to work, while idle */
		_Atomic bool idle, busy; /* waits for work; has a task */
	} KBUILD_APART;
	struct { /* orders from other vCPUs (shootdown.c) */
		_Atomic uint32_t asked, answered;
		_Atomic bool takes; /* it answers */
	} KBUILD_APART;
	struct {                                  /* for the watch (watch.c) */
		const struct klock *_Atomic asks; /* the lock it waits for */
		_Atomic uint64_t progress;        /* acquisitions */
	} KBUILD_APART;
};

struct world {
	const struct plan *plan;
	const struct lock_ops *ops;
	struct vcpu *vcpu;
	struct task *task;
	/* locks of a class: [first[class], first[class + 1]) */
	struct klock *klock;
	char *states, *nodes;
	size_t state_stride, node_stride;
	size_t first[CLASS_COUNT + 1];
	uint64_t slice; /* cycles; a task that ran for less is not preempted */
	uint32_t vcpus, tasks;
	struct class_table table;

	struct {
		_Atomic uint64_t next_job;
	} KBUILD_APART;
	struct {
		_Atomic uint32_t alive; /* tasks */
	} KBUILD_APART;
	struct {
		_Atomic bool finished; /* all tasks are gone */
		uint64_t end;          /* TSC when the last task was gone */
		_Atomic bool stop;     /* time is up: no more work */
		_Atomic bool running;
	} KBUILD_APART;
};

extern struct world world;

/* Called by the last task that ends: marks the end of the run. (kbuild.c) */
void kbuild_end(void);

/* The calling vCPU. A task must ask again after each sched_*() call that may move it. */
static inline struct vcpu *this_vcpu(void)
{
	return &world.vcpu[port_cpu()];
}

static inline uint64_t own_steal_ns(const struct vcpu *me)
{
	return atomic_load_explicit(&me->worker.stats->steal->steal, memory_order_relaxed);
}

static inline struct stretch stretch_begin(const struct vcpu *me)
{
	return (struct stretch){.start = port_cycles(), .steal_ns = own_steal_ns(me)};
}

static inline uint64_t stretch_until(const struct vcpu *me, const struct stretch *stretch,
				     uint64_t end)
{
	uint64_t cycles = end > stretch->start ? end - stretch->start : 0;
	uint64_t steal_ns = own_steal_ns(me) - stretch->steal_ns;
	uint64_t stolen = steal_ns ? port_ns_to_cycles(steal_ns) : 0;

	return cycles > stolen ? cycles - stolen : 0;
}

static inline uint64_t stretch_end(const struct vcpu *me, const struct stretch *stretch)
{
	return stretch_until(me, stretch, port_cycles());
}

#endif
