/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine: host CPUs with a clock each, threads that run on them, and one order of
 * all that happens. What the modules of sim/ share; who may call what:
 *
 *	main.c    command line, exit codes     host.c    the modelled host's parameters
 *	vm.c      a VM: its guest half, log    calls.c   what the guest half calls (seam.h)
 *	kvm.c     halts, kicks, yields, PLE    poll.c    polls, taken many at once
 *	memory.c  cache lines, store buffers   cpu.c     who runs on a CPU: interrupts
 *	engine.c  time: the next event         sched.c   the host's scheduler: decisions
 *	schedule.c  who ran where, for timelines
 *
 * Time is in cycles of the host's TSC. A CPU's clock is the time up to which its thread has been
 * followed. The CPU with the smallest clock goes on, up to `horizon`: the next CPU's clock or the
 * next event. So every access to memory is made in the order of time, ties by the CPU's number. All
 * of it is one thread of the process; each vCPU is a fiber of its own, and what a vCPU asks of the
 * engine is computed on its stack.
 */
#ifndef PVSPIN_SIM_ENGINE_H
#define PVSPIN_SIM_ENGINE_H

#include "lib/steal.h"
#include "sim/heap.h"
#include "sim/host.h"
#include "sim/memory.h"
#include "sim/poll.h"
#include "sim/sched.h"
#include <stdbool.h>
#include <stdint.h>

struct vm;
struct cpu;

/* What the host schedules: a vCPU, or a task of the host's own. */
struct thread {
	struct sched_task task; /* its id is the place in engine.threads */
	struct vcpu *vcpu;      /* NULL: a daemon */
	uint64_t ready_since;   /* runnable, without a CPU */
	uint64_t left;          /* a daemon: what is left of its work */
};

enum vcpu_state {
	VCPU_IDLE,      /* has no work from port_run_on() */
	VCPU_READY,     /* runnable, waits for a CPU */
	VCPU_GUEST,     /* runs guest code */
	VCPU_HOST,      /* runs KVM's code: its exit is being handled */
	VCPU_HALT_POLL, /* halted; KVM polls for a wake-up before it sleeps */
	VCPU_BLOCKED,   /* halted, asleep */
};

/* Interrupts that wait for a vCPU, as bits. */
enum irq {
	IRQ_TIMER = 1,
	IRQ_TICK = 2,
	IRQ_WAKE = 4, /* ends a HLT, does nothing */
	IRQ_DEADLOCK = 8,
};

/* KVM's and the CPU's account of a vCPU's spinning. */
struct spin_watch {
	uint64_t first, last; /* PAUSE of this loop; 0: none */
	uint64_t window;      /* PLE */
	uint64_t left;        /* pause filter: PAUSEs until the exit */
	bool in_spin_loop, eligible;
};

struct vcpu {
	struct thread thread;
	struct vm *vm;
	uint32_t index; /* in its VM */
	enum vcpu_state state;
	struct cpu *cpu; /* where it runs; NULL */
	void *sp;        /* its fiber's */
	char *stack;
	bool host;     /* in an exit that its own fiber handles */
	bool timed;    /* works on port_run_on()'s order; else what it does takes no time */
	uint64_t owed; /* cycles of its last step that were left when it was interrupted */
	struct store_buffer stores;
	uint64_t store_done;   /* when the first of them is in memory */
	uint64_t store_number; /* of the event that does it */
	struct poll poll;
	/* interrupts */
	uint32_t pending;  /* enum irq */
	bool open;         /* interrupts are enabled */
	bool handling;     /* in a handler */
	uint32_t sections; /* port_preempt_disable() without its port_preempt_enable() */
	void (*tick)(void);
	uint64_t tick_cycles, tick_number;
	/* KVM's */
	bool latch;           /* a kick came (pv_unhalted) */
	bool ready;           /* runnable without a CPU: a target of directed yields */
	bool woken;           /* what it halts for has come */
	bool stuck;           /* goes on only if another one does something */
	uint64_t seen, quiet; /* vm->changes at its last step; its steps since that changed */
	uint64_t halt_poll;   /* how long KVM polls at the next halt */
	struct spin_watch spin;
	struct steal_area *steal;
	uint64_t run_delay; /* cycles it waited for a CPU, in all */
	/* what happened, for the manifest */
	uint64_t halts, halt_polls, kicks, ple_exits, yields_tried, yields_done, preemptions, exits;
};

struct cpu {
	uint32_t id, socket, cache; /* cache: which last-level cache */
	uint64_t clock;
	uint64_t key;   /* when it acts next: its clock; NEVER: idle */
	uint32_t place; /* in engine.order */
	struct thread *current;
	bool resched_posted;
	uint64_t tick_due; /* when the next tick but one expires */
	uint64_t idle_since;
};

struct engine {
	struct host host;
	struct sched *sched;
	struct cpu *cpus;
	struct cpu **order; /* a heap by key, then id */
	struct heap events;
	uint64_t now; /* of what happens */
	uint64_t horizon;
	struct vcpu *running; /* whose fiber is on the processor; NULL: main() */
	struct vm *vms;
	uint32_t vm_count;
	struct thread **threads;
	uint32_t thread_count;
	void *main_sp;
	uint64_t seed, random;
	uint64_t accesses, switches; /* of memory; of fibers */
	struct cpu *local;           /* who calls the scheduler */
	bool in_event;               /* what happens is an event, not a step of a vCPU */
	bool finished;
	bool follow; /* each poll for itself: the same, and slower */
};

extern struct engine engine;

/* ---- time: engine.c ---- */

/* When simulated time begins, in nanoseconds since 1970: 0 would mean that there is no clock. */
#define EPOCH_NS UINT64_C(1000000000)

/* Before anything else. */
void engine_init(const struct host *host, uint64_t seed);
/* To the end of all VMs. */
void engine_run(void);

static inline uint64_t to_ns(uint64_t cycles)
{
	return (uint64_t)((unsigned __int128)cycles * 1000000 / engine.host.khz);
}

static inline uint64_t from_ns(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * engine.host.khz / 1000000);
}

/* Sets when the CPU acts next. */
void engine_set_key(struct cpu *cpu, uint64_t key);

/* Something will happen at `time`: who runs must not pass it. */
void engine_post(uint64_t time, bool (*fire)(void *subject, uint64_t detail, uint64_t time),
		 void *subject, uint64_t detail);

/* Ends the process: the engine is wrong, or what it needs is not there. */
void engine_die(int status, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* On a vCPU's fiber: others go on; returns when it is this vCPU's turn, and it has a CPU. */
void engine_yield(struct vcpu *vcpu);

/* On a vCPU's fiber that has no CPU and works outside of time: others go on. */
void engine_leave(struct vcpu *vcpu);
/* A daemon has done its work (cpu.c). */
void engine_daemon_done(struct cpu *cpu);

/* On a vCPU's fiber, before it does anything that others may see: is it its turn? */
static inline void engine_sync(struct vcpu *vcpu)
{
	if (__builtin_expect(vcpu->cpu->clock >= engine.horizon, 0))
		engine_yield(vcpu);
}

/* A number below `bound`, from the seed. */
uint64_t engine_random(uint64_t bound);

/* The cost with this run's jitter. */
uint64_t engine_jitter(uint64_t cycles);

/* cpu.h has what happens on a host CPU, kvm.h what KVM does. */

/* ---- VMs: vm.c ---- */

#define HISTORY_EVENTS 64

struct timer {
	uint64_t number; /* of the one that is armed; others are over */
	bool armed;
	void (*fn)(void *arg);
	void *arg;
};

struct vm {
	uint32_t index;
	bool host; /* no VM: each of its vCPUs is a kernel thread bound to a CPU of the host */
	struct vcpu *vcpus;
	uint32_t vcpu_count;
	struct memory memory;
	void *image; /* of dlopen() */
	void *base;  /* where it is */
	void (*main)(void);
	void (*panic)(const char *reason, uint64_t rip);
	const char *cmdline;
	struct sim_facts facts;
	int log;                 /* file */
	bool ended, controlling; /* CPU 0 is to work outside of time */
	bool waits_for_line;
	int status;
	/* port_run_on() */
	void (*work)(void *arg);
	void *work_arg;
	uint32_t busy;    /* vCPUs at it */
	uint32_t alive;   /* of these, those that are not stuck */
	uint64_t changes; /* what vCPUs did that others may see, or that takes them time */
	struct timer timer;
	void (*report)(void);
	bool deadlocked, trapped;
	uint32_t last_boosted; /* kvm_vcpu_on_spin() */
	/* the last run's measured phase, for the peers */
	uint64_t run_start, run_end;
	char lines[4096]; /* of the launcher, to be read */
	/* what the scheduler did, the last ones */
	struct {
		uint64_t time;
		const char *what;
		uint32_t vcpu, cpu;
	} history[HISTORY_EVENTS];
	uint64_t history_count;
};

/* An exit or entry takes a kernel thread of the host no time. */
static inline uint64_t vcpu_cost(const struct vcpu *vcpu, uint64_t cycles)
{
	return vcpu->vm->host ? 0 : cycles;
}

void vm_history(const struct vcpu *vcpu, const char *what, uint64_t time);

/* The vCPU can go on only if another one does something; or it can again. */
void vm_stuck(struct vcpu *vcpu);
void vm_check_deadlock(struct vm *vm);

static inline void vm_unstuck(struct vcpu *vcpu)
{
	if (vcpu->stuck) {
		vcpu->stuck = false;
		vcpu->vm->alive++;
	}
}

/* The vCPU does something that others may see. */
static inline void vm_changes(struct vcpu *vcpu)
{
	vcpu->seen = ++vcpu->vm->changes;
	vcpu->quiet = 0;
	vm_unstuck(vcpu);
}

/* The vCPU makes a step that changes nothing. After so many of them, in which nobody else changed
 * anything, it is stuck: more than any lock polls before it does something else. */
#define QUIET_MOST 1000000

static inline void vm_quiet(struct vcpu *vcpu)
{
	if (vcpu->seen != vcpu->vm->changes) {
		vcpu->seen = vcpu->vm->changes;
		vcpu->quiet = 0;
		vm_unstuck(vcpu);
	} else if (++vcpu->quiet == QUIET_MOST) {
		vm_stuck(vcpu);
	}
}

/* A VM whose CPU 0 has something to do outside of time; NULL. */
struct vm *vm_to_control(void);

#endif
