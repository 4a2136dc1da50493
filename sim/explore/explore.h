/* SPDX-License-Identifier: MIT */
/*
 * The simulated CPUs under chosen schedules, for tests: no model of a host, no time that anybody
 * measures. Each access to memory, PAUSE, HLT, kick and hypercall of a vCPU is a step. Before each,
 * the schedule decides who takes the next one, and which store buffer gives its oldest store to
 * memory. A schedule is a function of its seed alone, so a failure is played again by its seed.
 *
 *	schedule.c  who is next: random walks, and PCT
 *	vcpu.c      the vCPUs: work, HLT and kicks, interrupts, the host taking their CPU away
 *	memory.c    memory under TSO: store buffers; which polls see nothing new
 *	history.c   the last steps, for a report
 *	seam.c      what the guest's half calls (port/sim/seam.h)
 *
 * The guest's half is one VM, linked into the program. One run at a time.
 */
#ifndef PVSPIN_SIM_EXPLORE_H
#define PVSPIN_SIM_EXPLORE_H

#include "lib/steal.h"
#include "port/sim/seam.h"
#include "sim/tso.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_VCPUS   16
#define EXPLORE_STEP_NS 10000 /* by which the clock goes on with each step */

#define EXPLORE_LOOKS   8
#define EXPLORE_SKIPS   64 /* polls at once, of a vCPU that waits while others do not */
#define EXPLORE_FOREVER (UINT64_C(1) << 20) /* so many polls have no end */

enum explore_end {
	EXPLORE_ENDED,    /* the run returned */
	EXPLORE_DEADLOCK, /* no vCPU will ever do anything again */
	EXPLORE_ENDLESS,  /* more steps than any run should need */
	EXPLORE_TRAPPED,  /* SIGILL and the like */
};

/* What a vCPU has done since its last PAUSE. A poll that is like the one before, and whose words
 * nobody has changed since, would see the same for ever: the vCPU waits for a change. */
struct poll {
	const volatile void *look[EXPLORE_LOOKS];
	uint32_t looks;
	bool acted;      /* changed something, or looked at too much */
	bool touched;    /* somebody changed what it looked at */
	bool timed;      /* read the clock */
	uint64_t mark;   /* of addresses and values */
	uint64_t before; /* the mark of the poll before; 0: it acted */
	uint64_t alike;  /* polls in a row */
};

struct vcpu {
	uint32_t index;
	void *sp;
	char *stack;
	bool working; /* has work from run_on() */
	bool begun;
	/* why it does not go on */
	bool halted, opened;   /* HLT; with interrupts enabled */
	bool off;              /* the host has taken its CPU away ... */
	uint64_t off_until;    /* ... up to this step */
	uint64_t off_since;    /* ns */
	uint64_t sleeps_until; /* ns; 0: it does not */
	bool waits;            /* polls, and nobody has changed what it looks at */
	uint64_t polls;        /* ... so many of them, until it does something else */
	uint64_t skips;        /* ... of which it may make so many at once */
	/* interrupts */
	bool latch; /* a kick came (KVM: pv_unhalted) */
	bool open, pending, handling;
	struct poll poll;
	struct store_buffer stores;
	struct steal_area *steal;
	/* PCT */
	uint64_t priority, store_priority;
};

/* What the seed decides for all of a run. */
struct schedule {
	bool pct;            /* else a random walk */
	bool lazy;           /* stores stay in their buffers as long as they may */
	bool flags_halts;    /* HLT sets `preempted`, as KVM did before 5.19 */
	uint32_t stay;       /* random walk: one step in so many may be another vCPU's */
	uint32_t drain;      /* random walk: one step in so many a store goes to memory */
	uint32_t deschedule; /* one step in so many the host takes the CPU away; 0: never */
	uint32_t window;     /* PCT: steps */
	uint64_t window_end;
	uint64_t lower_at[2]; /* PCT, d = 3: d - 1 steps at which who runs is put last */
};

/* All that changes in a run but the guest's memory; outside the program's variables, which
 * explore_run() puts back. */
struct explore {
	struct vcpu vcpu[EXPLORE_VCPUS];
	struct vcpu *running; /* NULL: explore_run()'s caller */
	void *caller;         /* its stack */
	void (*run)(void *arg);
	void *run_arg;
	void (*work)(void *arg);
	void *work_arg;
	uint32_t count, busy; /* vCPUs at work() */
	struct schedule schedule;
	uint64_t random, step, now; /* ns */
	uint64_t quiet;             /* steps of waiting vCPUs in a row that changed nothing */
	uint64_t steps_most;
	void (*interrupt)(void);
	enum explore_end end;
	size_t arena_used;
	uint64_t deschedules, drained; /* over all runs */
	uint64_t history_count;
};

extern struct explore *const explore;

/* ---- for the driver ---- */

/* Once, before anything of the guest's half runs. */
void explore_init(void);
/* The guest's memory as it is now is what each run begins with. */
void explore_snapshot(void);
/* run(arg) on vCPU 0 under the schedule of `seed`. */
enum explore_end explore_run(void (*run)(void *arg), void *arg, uint64_t seed);
/* The i-th step from the last one back, as text. False: there is none. */
bool explore_history(uint32_t i, char *text, size_t size);
/* What the vCPU waits for, in words. */
const char *explore_state(const struct vcpu *vcpu);
const char *explore_describe(char *text, size_t size); /* the schedule */
/* Addresses from here on are called `name`+offset in the history. */
void explore_name(const volatile void *at, size_t bytes, const char *name, uint32_t number);

/* ---- for the guest's half, beyond seam.h ---- */

void explore_interrupt(uint32_t cpu); /* calls explore->interrupt there */
void explore_sleep(uint64_t ns);
void explore_yield(void);

/* ---- between the parts ---- */

uint64_t explore_random(uint64_t bound);
void explore_finish(enum explore_end end) __attribute__((noreturn));

/* Before the running vCPU does something: others may come first. Returns when it is its turn. */
void explore_step(void);
/* Who takes the next step. NULL: all work is done. */
struct vcpu *schedule_choose(void);
void schedule_begin(uint64_t seed);
/* It has work from here on; or it is to be somewhere else in the order. */
void schedule_shuffle(struct vcpu *vcpu);

bool vcpu_can_go_on(const struct vcpu *vcpu);
void vcpu_deschedule(struct vcpu *vcpu);
void vcpu_resume(struct vcpu *vcpu);
void vcpu_run_on(uint32_t count, void (*fn)(void *arg), void *arg);
void vcpu_halt(bool open);
void vcpu_kick(uint32_t cpu);
void vcpu_yield_to(uint32_t cpu);
bool vcpu_interrupts(bool enable);

void memory_init(void);
void *memory_alloc(size_t bytes, size_t align);
void memory_reset(void);
uint64_t memory_load(const volatile void *at, uint32_t size);
void memory_store(volatile void *at, uint32_t size, uint64_t value);
uint64_t memory_rmw(volatile void *at, uint32_t size, enum sim_rmw operation, uint64_t operand);
bool memory_compare_exchange(volatile void *at, uint32_t size, uint64_t *expected,
			     uint64_t desired);
/* All of the vCPU's stores, or the oldest one, become visible. */
void memory_drain(struct vcpu *vcpu);
void memory_drain_one(struct vcpu *vcpu);
/* By the host. */
void memory_put(volatile void *at, uint32_t size, uint64_t value);
uint64_t memory_get(const volatile void *at, uint32_t size);
uint64_t memory_pause(uint64_t most);

void history_add(const struct vcpu *vcpu, const char *what, const volatile void *at,
		 uint64_t value);

#endif
