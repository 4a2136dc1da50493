/* SPDX-License-Identifier: MIT */
/*
 * What the parts of workload=kbuild share: the locks, the tasks, the vCPUs with their run queues.
 * A task runs on one vCPU at a time and moves between them; all that is in struct vcpu is touched
 * by that vCPU alone, but for what is atomic and the run queue, which its lock protects.
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

/* Locks held at once: a wait queue's, pi, rq; page_table, pcp, zone. */
#define KBUILD_DEPTH 3

/* A lock's data: two lines that its owner writes, as the data of a kernel's lock. The lock itself
 * is apart (klock_state): waiters must not read the owner's lines. */
struct klock {
	struct section section;
	uint32_t last_cpu __attribute__((aligned(CACHE_LINE))); /* owner before, + 1; 0: none */
	uint64_t touched;
};

/* A stretch of this vCPU's time: begun here, and at its end the cycles that were not stolen. */
struct stretch {
	uint64_t start, steal_ns;
};

/* A section under way. */
struct held {
	struct klock *lock;
	enum kbuild_class class;
	void *node;
	struct stretch since; /* the grant */
	uint64_t second;      /* as in section_body, bench/loop.h */
	uint64_t steal_ns;    /* the vCPU's steal-time page at the grant */
	uint32_t version;
	uint64_t cycles; /* the hold, once it is being released */
};

enum task_state { TASK_RUNNABLE, TASK_RUNNING, TASK_BLOCKED, TASK_GONE };

struct task {
	void *stack, *sp;
	uint32_t id;
	_Atomic uint32_t vcpu; /* where it runs, ran last or is queued */
	struct task *next;     /* in a run queue, by its lock */
	enum task_state state; /* by the pi lock while it is not running */
	bool wake_pending;     /* woken before it was off its stack; by the pi lock */
	bool sleeping, left;   /* by the pair's wait queue lock */
	uint64_t jobs_done;    /* its own */
	struct random random;  /* of the job it does */
} __attribute__((aligned(2 * CACHE_LINE)));

/* What a task that leaves its stack wants of the scheduler. */
enum request { REQUEST_NONE, REQUEST_REQUEUE, REQUEST_BLOCK, REQUEST_EXIT };

struct run_queue {
	struct task *head, *tail;
	_Atomic uint32_t queued; /* written under the lock, read by all as a hint */
} __attribute__((aligned(2 * CACHE_LINE)));

/* What others write or read often is two lines apart from what is not theirs. */
#define KBUILD_APART __attribute__((aligned(2 * CACHE_LINE)))

struct vcpu {
	struct worker worker; /* counters of the locks, results */
	/* the locks' */
	struct held held[KBUILD_DEPTH];
	struct class_count count[CLASS_COUNT];
	struct kbuild_times
		times; /* `spinning`, `halted`, `idle`: less what was stolen meanwhile */
	struct kbuild_events events;
	/* the scheduler's */
	void *sp; /* its own stack's, while a task runs */
	struct task *current;
	uint64_t since;       /* TSC at which `current` came */
	struct random random; /* for the scheduler's own holds */
	enum request request;
	uint32_t scheduler_locks;  /* pi and rq locks that it took, not yet made up for (job.c) */
	uint32_t depth;            /* of `held` */
	_Atomic bool need_resched; /* by its tick */
	uint64_t looked_ns;        /* stolen time at the last look: observe.c alone */

	struct run_queue queue;
	struct {
		_Atomic uint32_t calls;  /* to work, while idle */
		_Atomic bool idle, busy; /* waits for work; has a task */
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
	uint64_t slice; /* cycles: a task that ran for less is not preempted */
	uint32_t vcpus, tasks;
	struct class_table table;

	struct {
		_Atomic uint64_t next_job;
	} KBUILD_APART;
	struct {
		_Atomic uint32_t alive; /* tasks */
	} KBUILD_APART;
	struct {
		_Atomic bool finished; /* all tasks are gone, at: */
		uint64_t end;          /* TSC */
		_Atomic bool stop;     /* time is up: no more work */
		_Atomic bool running;
	} KBUILD_APART;
};

extern struct world world;

/* By the last task that goes: marks the end of the run. (kbuild.c) */
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
