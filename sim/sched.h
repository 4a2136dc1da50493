/* SPDX-License-Identifier: MIT */
/*
 * The host's scheduler in the simulated port: which thread runs on which CPU, and when it has to
 * give way. Models the fair class of Linux 4.12 (CFS) and 6.12 (EEVDF): run queues per CPU, wake-up
 * placement and preemption, ticks, directed yield, balancing, one cgroup per VM. It knows threads
 * and CPUs; the engine knows what a thread does (vCPU, daemon, kernel thread) and what a switch
 * costs.
 *
 * The engine owns time and calls in; the scheduler answers and asks for switches by callbacks. A
 * CPU switches only in sched_pick(). The usual orders of calls:
 *
 *	wake-up     sched_wake(task) ... callback resched(cpu) ... sched_pick(cpu)
 *	tick        sched_tick(cpu) ... callback resched(cpu) ... sched_pick(cpu)
 *	block       sched_block(cpu), sched_pick(cpu)
 *	yield       sched_yield_current(cpu), sched_pick(cpu)
 *	yield_to    sched_yield_to(cpu, task) == SCHED_YIELDED, then sched_pick(cpu)
 *
 * Between callback and sched_pick() the engine models an IPI, an exit, or a section that is not
 * preempted. All times are nanoseconds. Clocks of different CPUs may differ: a run queue takes the
 * greatest time it has been told. The same calls give the same answers: there is no random number
 * and no global variable. Nothing is allocated after sched_new().
 */
#ifndef PVSPIN_SIM_SCHED_H
#define PVSPIN_SIM_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHED_MAX_CPUS 512
#define SCHED_NO_GROUP UINT32_MAX
#define SCHED_NICE_0   1024 /* weight of a task of nice 0 (Linux, sched_prio_to_weight[]) */

struct sched;

/* Which CPUs a task may use. */
struct sched_cpus {
	uint64_t word[SCHED_MAX_CPUS / 64];
};

static inline void sched_cpus_add(struct sched_cpus *set, uint32_t cpu)
{
	set->word[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

static inline bool sched_cpus_has(const struct sched_cpus *set, uint32_t cpu)
{
	return set->word[cpu / 64] >> cpu % 64 & 1;
}

enum sched_kind {
	SCHED_CFS,   /* Linux 4.12 */
	SCHED_EEVDF, /* Linux 6.12 with its stable fixes */
};

/* sched_config_default() gives the kernel's own values for that many CPUs; sched_keys[] lists name,
 * range and meaning of each field that a user may set. */
struct sched_config {
	enum sched_kind kind;
	uint32_t cpus;
	uint32_t sockets; /* CPUs of one socket share the last-level cache; divides `cpus` */
	uint32_t groups;  /* cgroups in use: sched_task.group is below it */
	uint64_t hz;
	/* CFS */
	uint64_t latency_ns;
	uint64_t granularity_ns;
	uint64_t wakeup_granularity_ns;
	/* EEVDF */
	uint64_t base_slice_ns;
	/* balancing */
	uint64_t balance;             /* 0: a task leaves its CPU only by wake-up placement */
	uint64_t balance_interval_ns; /* of an idle CPU in its socket; 0: 1 ms per CPU of it */
	uint64_t balance_busy_factor; /* a busy CPU's interval is so many times as long */
	uint64_t migration_cost_ns;   /* a task that ran more recently is cache-hot: stays */
	uint64_t newidle_cost_ns; /* mean idle time below which a CPU out of work pulls nothing */
	/* features of both: 0 or 1 */
	uint64_t wakeup_preemption;
	uint64_t next_buddy; /* prefer the task woken last */
	/* of CFS */
	uint64_t last_buddy;      /* prefer the task that a wake-up preempted */
	uint64_t gentle_sleepers; /* half the sleeper credit */
	/* of EEVDF */
	uint64_t run_to_parity;  /* no preemption before the slice ends or the lag is used up */
	uint64_t place_lag;      /* a task keeps its lag over a sleep */
	uint64_t delay_dequeue;  /* a sleeper with negative lag stays queued until it is eligible */
	uint64_t pick_buddy;     /* yield_to's nominee is preferred while eligible */
	uint64_t yield_forfeits; /* an eligible yielder gives up the rest of its slice */
};

struct sched_key {
	const char *name;
	size_t offset; /* of an uint64_t in struct sched_config */
	uint64_t least, most;
	const char *meaning;
};

extern const struct sched_key sched_keys[];
extern const size_t sched_key_count;

void sched_config_default(struct sched_config *config, enum sched_kind kind, uint32_t cpus,
			  uint32_t sockets);

/* Returns what is wrong with it, or NULL. */
const char *sched_config_error(const struct sched_config *config);

/* The callbacks note what is to be done and return: they must not call the scheduler. */
struct sched_callbacks {
	/* `cpu` should call sched_pick() soon: its task is to give way, or it is idle and has got
	 * work. Not repeated until it has done so. */
	void (*resched)(void *engine, uint32_t cpu, uint64_t now);
	/* A task was queued on `cpu`, which is running another one: sched_load() has grown above 1.
	 * Ends KVM's halt polling. May be NULL. */
	void (*queued)(void *engine, uint32_t cpu, uint64_t now);
};

enum sched_state {
	SCHED_BLOCKED,
	SCHED_RUNNABLE, /* waits in a run queue */
	SCHED_RUNNING,  /* sched_pick() gave it a CPU */
};

/* What is scheduled: a task, or a group's part on one CPU. Private to the scheduler. */
struct sched_entity {
	struct sched_queue *queue;            /* where it is, or was last */
	struct sched_queue *own;              /* a group's own queue of tasks; NULL: a task */
	struct sched_entity *before, *behind; /* its neighbours while it waits in `queue` */
	uint64_t weight;
	int64_t vruntime;
	int64_t deadline;         /* EEVDF: in virtual time; see relative_deadline */
	int64_t lag;              /* behind the queue's virtual time; kept while out of a queue */
	int64_t parity;           /* EEVDF: `deadline` when it was picked */
	uint64_t exec_start;      /* accounted up to here */
	uint64_t sum_exec;        /* time on a CPU */
	uint64_t picked_sum_exec; /* sum_exec when it was picked */
	bool queued;              /* counts in `queue`, running or waiting */
	bool delayed;             /* EEVDF: asleep, but still queued */
	bool relative_deadline;   /* on the move: `deadline` counts from vruntime */
};

/* One host thread: a member of the engine's own structure. Zero it, fill in the first part, then
 * call sched_add(). */
struct sched_task {
	uint32_t id; /* the engine's own; the scheduler does not look at it */
	uint32_t group;
	uint64_t weight; /* SCHED_NICE_0 unless it is niced */
	struct sched_cpus allowed;
	/* read-only for the engine */
	enum sched_state state;
	uint32_t cpu; /* where it is, or was last */
	uint64_t migrations;
	/* private */
	struct sched_entity entity;
};

struct sched *sched_new(const struct sched_config *config, const struct sched_callbacks *callbacks,
			void *engine);
void sched_free(struct sched *sched);

/* Makes a new task runnable, on the allowed CPU with the least to do (as fork does). A task that
 * ends just blocks for good. */
void sched_add(struct sched *sched, struct sched_task *task, uint64_t now);

/* Wakes a blocked task from code on `waker_cpu` (of an interrupt: the CPU that takes it) and
 * chooses its CPU; task->cpu says which. Has no effect on a task that is not blocked. */
void sched_wake(struct sched *sched, struct sched_task *task, uint32_t waker_cpu, uint64_t now);

/* `cpu`'s current task blocks. sched_pick() must follow before anything else on that CPU. */
void sched_block(struct sched *sched, uint32_t cpu, uint64_t now);

/* Accounts for the current task, if it did not block, and chooses who runs on `cpu` now: the same
 * task, another one, one pulled from another CPU, or NULL: the CPU is idle. */
struct sched_task *sched_pick(struct sched *sched, uint32_t cpu, uint64_t now);

/* The timer interrupt: to be called on every CPU, idle ones too, `hz` times a second. */
void sched_tick(struct sched *sched, uint32_t cpu, uint64_t now);

/* sched_yield(2) of `cpu`'s current task (libc has the shorter name). sched_pick() must follow. */
void sched_yield_current(struct sched *sched, uint32_t cpu, uint64_t now);

enum sched_yield_result {
	SCHED_YIELD_ALONE = -1, /* neither CPU has a second task (Linux: -ESRCH) */
	SCHED_YIELD_REFUSED = 0,
	SCHED_YIELDED = 1, /* sched_pick(cpu) must follow */
};

/* Linux's yield_to(): `cpu`'s current task gives way in favour of `task`, which may wait in
 * another CPU's queue; that CPU is then told to pick again. */
enum sched_yield_result sched_yield_to(struct sched *sched, uint32_t cpu, struct sched_task *task,
				       uint64_t now);

/* Returns the task that `cpu` has run since its last sched_pick(). NULL: none, or it has blocked.
 */
struct sched_task *sched_current(const struct sched *sched, uint32_t cpu);

/* How many tasks are runnable or running on `cpu` (Linux: nr_running; 1: single_task_running()).
 * With delay_dequeue sleepers that are still queued count, as in Linux 6.12. */
uint32_t sched_load(const struct sched *sched, uint32_t cpu);

/* True if resched() was called for `cpu`, and `cpu` has not called sched_pick() since. */
bool sched_need_resched(const struct sched *sched, uint32_t cpu);

/* What the scheduler has done so far, over all CPUs. */
struct sched_counts {
	uint64_t wakeups;
	uint64_t wakeups_moved;      /* of these to another CPU than the task's last */
	uint64_t wakeup_preemptions; /* asked for */
	uint64_t tick_preemptions;   /* asked for */
	uint64_t yields;             /* sched_yield_current(), and yield_to() that succeeded */
	uint64_t newidle_pulls;      /* tasks moved */
	uint64_t balance_pulls;      /* tasks moved */
};

const struct sched_counts *sched_counts(const struct sched *sched);

#endif
