/* SPDX-License-Identifier: MIT */
/*
 * Simulated CPUs under chosen schedules, for tests. There is no model of a host, and no time worth
 * measuring. Each access to memory, PAUSE, HLT, kick and hypercall of a vCPU is a step. Before each
 * step the schedule decides which vCPU takes it, and whether a store buffer gives its oldest store
 * to memory. A schedule is a function of its seed alone, so a failure is repeated by its seed.
 *
 *	schedule.c  who is next: random walks, and PCT
 *	search.c    who is next: all short schedules, one after the other
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
#define EXPLORE_STEP_NS 10000 /* each step moves the clock on by this */

#define EXPLORE_LOOKS   8
#define EXPLORE_SKIPS   64 /* polls at once of a vCPU that waits while others do not */
#define EXPLORE_FOREVER (UINT64_C(1) << 20) /* so many polls have no end */

enum explore_end {
	EXPLORE_ENDED,    /* the run returned */
	EXPLORE_DEADLOCK, /* no vCPU will ever do anything again */
	EXPLORE_ENDLESS,  /* more steps than any run should need */
	EXPLORE_TRAPPED,  /* SIGILL and the like */
};

/* What a vCPU has done since its last PAUSE. If the poll is like the one before and nobody has
 * changed its words since, the next ones would see the same: the vCPU waits for a change. */
struct poll {
	const volatile void *look[EXPLORE_LOOKS];
	uint32_t looks;
	bool acted;      /* changed something, or looked at too much */
	bool touched;    /* somebody changed what it looked at */
	bool timed;      /* read the clock */
	uint64_t mark;   /* a hash of addresses and values */
	uint64_t before; /* the mark of the poll before; 0: it acted */
	uint64_t alike;  /* how many polls in a row were alike */
};

struct vcpu {
	uint32_t index;
	void *sp;
	char *stack;
	bool working; /* has work from run_on() */
	bool begun;
	/* why it does not go on */
	bool halted, opened;   /* in HLT; with interrupts enabled */
	bool off;              /* the host has taken its CPU away ... */
	uint64_t off_until;    /* ... until this step */
	uint64_t off_since;    /* ns */
	uint64_t sleeps_until; /* ns; 0: it does not sleep */
	bool waits;            /* it polls, and nobody has changed what it looks at */
	uint64_t polls;        /* how many polls until it does something else */
	uint64_t skips;        /* how many of these it may make at once */
	/* interrupts */
	bool latch; /* a kick came (KVM: pv_unhalted) */
	bool open, pending, handling;
	struct poll poll;
	struct store_buffer stores;
	struct steal_area *steal;
	/* search */
	bool yields;      /* others go first, if they can */
	uint64_t left_at; /* the step at which it last stopped running */
	/* PCT */
	uint64_t priority, store_priority;
};

/* What the seed decides for all of a run. */
struct schedule {
	bool pct;            /* false: a random walk */
	bool lazy;           /* stores stay in their buffers as long as they may */
	bool flags_halts;    /* HLT sets `preempted`, as KVM did before 5.19 */
	uint32_t stay;       /* random walk: one step in so many may be another vCPU's */
	uint32_t drain;      /* random walk: a store goes to memory at one step in so many */
	uint32_t deschedule; /* the host takes the CPU away at one step in so many; 0: never */
	uint32_t window;     /* PCT: length of a window, steps */
	uint64_t window_end;
	uint64_t lower_at[2]; /* PCT, d = 3: the d - 1 steps that put the running vCPU last */
};

#define SEARCH_CHOICES 4096
#define SEARCH_QUIET   10000 /* steps of nothing but polls: no change will come */

/* See search.c. */
struct search {
	bool on;
	bool flags;            /* who is preempted or halts is marked so in the steal-time page */
	uint32_t bound, spent; /* deviations */
	uint32_t pauses;       /* of the running vCPU in a row */
	uint32_t depth, known; /* choices of this run so far; of the run before, to be repeated */
	struct {
		uint8_t chosen, count;
	} choice[SEARCH_CHOICES];
};

/* All that changes in a run, except the guest's memory. It is not among the program's variables,
 * because explore_run() resets those. */
struct explore {
	struct vcpu vcpu[EXPLORE_VCPUS];
	struct vcpu *running; /* NULL: explore_run()'s caller */
	void *caller;         /* that caller's stack pointer */
	void (*run)(void *arg);
	void *run_arg;
	void (*work)(void *arg);
	void *work_arg;
	uint32_t count, busy; /* vCPUs at work() */
	struct schedule schedule;
	struct search search;
	uint64_t random;    /* the generator's state */
	uint64_t step, now; /* steps so far; the clock, ns */
	uint64_t quiet;     /* how many steps in a row waiting vCPUs made without a change */
	uint64_t steps_most;
	void (*interrupt)(void);
	enum explore_end end;
	size_t arena_used;
	uint64_t deschedules, drained; /* over all runs */
	uint64_t history_count;
};

extern struct explore *const explore;

/* ---- for the driver ---- */

/* Call it once, before anything of the guest's half runs. */
void explore_init(void);
/* Keeps the guest's memory as it is now: each run begins with it. */
void explore_snapshot(void);
/* Calls run(arg) on vCPU 0 under the schedule of `seed`. Returns how the run ended. */
enum explore_end explore_run(void (*run)(void *arg), void *arg, uint64_t seed);
/* Between begin and end, explore_run() makes the next one of all schedules with at most `bound`
 * deviations, in place of a seed's. search_next() returns false if that was the last one. */
void search_begin(uint32_t bound, bool flags);
bool search_next(void);
void search_end(void);
/* Gives a step as text; i = 0 is the last one. Returns false if there is none. */
bool explore_history(uint32_t i, char *text, size_t size);
/* Says in words what the vCPU does or waits for. */
const char *explore_state(const struct vcpu *vcpu);
/* Says in words what the schedule of the current run is. */
const char *explore_describe(char *text, size_t size);
/* In the history, the `bytes` bytes at `at` are called `name number + offset`. */
void explore_name(const volatile void *at, size_t bytes, const char *name, uint32_t number);

/* ---- for the guest's half, beyond seam.h ---- */

void explore_interrupt(uint32_t cpu); /* calls explore->interrupt there */
void explore_sleep(uint64_t ns);
void explore_yield(void);

/* ---- between the parts ---- */

uint64_t explore_random(uint64_t bound);
void explore_finish(enum explore_end end) __attribute__((noreturn));

/* Call it before the running vCPU does something: lets others go first, returns at its turn. */
void explore_step(void);
/* Returns the vCPU that takes the next step. Ends the run if there is none: a deadlock. */
struct vcpu *schedule_choose(void);
void schedule_begin(uint64_t seed);
struct vcpu *search_choose(void); /* schedule_choose() of a search */
/* PCT: gives the vCPU another random place in the order. */
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
/* Put all of the vCPU's stores, or the oldest one, into memory. */
void memory_drain(struct vcpu *vcpu);
void memory_drain_one(struct vcpu *vcpu);
/* Accesses by the host: no steps. */
void memory_put(volatile void *at, uint32_t size, uint64_t value);
uint64_t memory_get(const volatile void *at, uint32_t size);
uint64_t memory_pause(uint64_t most);

void history_add(const struct vcpu *vcpu, const char *what, const volatile void *at,
		 uint64_t value);

#endif
