/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine: host CPUs with a clock each, the threads that run on them, and one order
 * of all events. This header is what the modules of sim/ share:
 *
 *	main.c    command line, exit codes     host.c    the modelled host's parameters
 *	vm.c      a VM: its guest half, log    calls.c   what the guest half calls (seam.h)
 *	kvm.c     halts, kicks, yields, PLE    poll.c    polls, taken many at once
 *	memory.c  loads, stores, their buffers line.c    who has a cache line
 *	cpu.c     switches, interrupts, ticks  sched*.c  the host's scheduler: decisions
 *	engine.c  time: what happens next      heap.c    the events, by time
 *	log.c     logs, news for run.sh        daemon.c  the host's own tasks
 *	schedule.c  who ran where, for timelines
 *
 * Time is in cycles of the host's TSC. A CPU's clock is the time up to which its thread has been
 * simulated. The CPU with the smallest clock goes on, up to `horizon`: the next CPU's clock or the
 * next event. So accesses to memory are made in the order of time, at equal times in the order of
 * the CPUs' numbers. The process has one thread; each vCPU is a fiber with its own stack, and the
 * engine's functions that a vCPU calls run on that stack.
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
	struct sched_task task; /* its id is the index in engine.threads */
	struct vcpu *vcpu;      /* NULL: a daemon */
	uint64_t ready_since;   /* when it last became runnable without a CPU */
	uint64_t left;          /* a daemon's remaining work, cycles */
};

enum vcpu_state {
	VCPU_IDLE,      /* has no work from port_run_on() */
	VCPU_READY,     /* runnable, waits for a CPU */
	VCPU_GUEST,     /* runs guest code */
	VCPU_HOST,      /* runs KVM's code: it handles an exit */
	VCPU_HALT_POLL, /* halted; KVM polls for a wake-up before it sleeps */
	VCPU_BLOCKED,   /* halted, asleep */
};

/* Pending interrupts of a vCPU, as bits. */
enum irq {
	IRQ_TIMER = 1,
	IRQ_TICK = 2,
	IRQ_WAKE = 4, /* ends a HLT, does nothing */
	IRQ_DEADLOCK = 8,
	IRQ_CALL = 16,
};

/* What KVM and the CPU know of a vCPU's spinning. */
struct spin_watch {
	uint64_t first, last; /* times of this loop's first and last PAUSE; 0: none */
	uint64_t window;      /* PLE: the longest loop without an exit, cycles */
	uint64_t left;        /* pause filter: PAUSEs until the exit */
	bool in_spin_loop, eligible;
};

/* What nearly every access reads comes first: of hundreds of vCPUs little stays in the processor's
 * caches. */
struct vcpu {
	struct vm *vm;
	struct cpu *cpu; /* where it runs; NULL: nowhere */
	void *sp;        /* its fiber's stack pointer */
	uint64_t owed;   /* cycles of its last step that an interrupt postponed */
	uint64_t seen;   /* vm->changes at its last step */
	uint64_t quiet;  /* its steps since vm->changes last changed */
	enum vcpu_state state;
	uint32_t pending; /* interrupts: enum irq */
	bool timed;       /* does port_run_on()'s work; otherwise its actions take no time */
	bool host;        /* in an exit that its own fiber handles */
	bool open;        /* interrupts are enabled */
	bool handling;    /* in a handler */
	bool latch;       /* a kick came (pv_unhalted) */
	bool woken;       /* the wake-up for its current halt has come */
	bool stuck;       /* can go on only if another vCPU does something */
	struct poll poll;
	struct spin_watch spin;
	uint64_t store_done;   /* when the oldest store reaches memory */
	uint64_t store_number; /* which event that is: earlier ones are void */
	struct store_buffer stores;
	/* what is read less often */
	struct thread thread;
	uint32_t index;    /* in its VM */
	uint32_t sections; /* calls of port_preempt_disable() not yet undone */
	char *stack;
	void (*tick)(void), (*call)(void);
	uint64_t tick_cycles, tick_number;
	uint64_t halt_poll; /* how long KVM polls at the next halt, cycles */
	struct steal_area *steal;
	uint64_t run_delay; /* cycles it waited for a CPU, in all */
	/* counts of what happened, for the manifest */
	uint64_t halts, halt_polls, kicks, ple_exits, yields_tried, yields_done, preemptions, exits;
} __attribute__((aligned(64)));

struct cpu {
	uint64_t clock;
	/* of its thread's last way in: when KVM last looked for other work, when the thread went on
	 */
	uint64_t last_look, resumes;
	struct thread *current;
	uint32_t id, socket, cache; /* cache: which last-level cache */
	bool resched_posted;        /* an interrupt is on its way to make it pick again */
	uint64_t tick_due;          /* when the tick after the posted one expires */
	uint64_t idle_since;
} __attribute__((aligned(64)));

struct engine {
	struct host host;
	struct sched *sched;
	struct cpu *cpus;
	uint64_t *turns; /* a tournament: see engine.c */
	size_t leaves;
	struct heap events;
	uint64_t now; /* time of the current event, or at which a CPU went on or ended its work */
	uint64_t horizon;     /* up to here the running vCPU may go on alone */
	struct vcpu *running; /* whose fiber runs; NULL: main() */
	struct vm *vms;
	uint32_t vm_count;
	struct thread **threads;
	uint32_t thread_count;
	void *main_sp;
	uint64_t seed, random;
	uint64_t accesses, switches; /* of memory; of fibers */
	struct cpu *local;           /* the CPU that calls the scheduler; NULL: none */
	struct cpu *actor;           /* whose turn it is; NULL: an event fires */
	bool finished;               /* all VMs have ended */
	bool follow;                 /* --follow-polls: simulate each poll */
};

extern struct engine engine;

/* ---- time: engine.c ---- */

/* When simulated time begins, in nanoseconds since 1970. Not 0: that would mean "no clock". */
#define EPOCH_NS UINT64_C(1000000000)

/* Call it before any other function of the engine. */
void engine_init(const struct host *host, uint64_t seed);
/* Runs until all VMs have ended. */
void engine_run(void);

static inline uint64_t to_ns(uint64_t cycles)
{
	if (cycles < UINT64_MAX / 1000000) /* the usual case: the wide division is slow */
		return cycles * 1000000 / engine.host.khz;
	return (uint64_t)((unsigned __int128)cycles * 1000000 / engine.host.khz);
}

static inline uint64_t from_ns(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * engine.host.khz / 1000000);
}

/* A turn: the time when a CPU acts next, with the CPU's number in the low bits. */
#define TURN_ID_BITS 9
#define TIME_MOST    (NEVER >> (TURN_ID_BITS + 1)) /* a CPU's clock may come so far */

/* Sets when the CPU acts next (NEVER: it is idle), and says when that is. */
void engine_set_turn(struct cpu *cpu, uint64_t time);
uint64_t engine_turn(const struct cpu *cpu);

/* The time up to which `cpu` goes on before whoever acts now, at `time`. At the same time events
 * come first, then CPUs by number. */
static inline uint64_t engine_before(const struct cpu *cpu, uint64_t time)
{
	return time + (engine.actor && cpu->id < engine.actor->id);
}

/* Calls fire(subject, detail, time) at `time`. The running vCPU does not go on beyond it before. */
void engine_post(uint64_t time, bool (*fire)(void *subject, uint64_t detail, uint64_t time),
		 void *subject, uint64_t detail);

/* Prints a message and ends the process with `status`. */
void engine_die(int status, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* On a vCPU's fiber: lets others go on. Returns when it is this vCPU's turn and it has a CPU. */
void engine_yield(struct vcpu *vcpu);

/* The same on the fiber of a vCPU that has no CPU and works outside of time: returns when the
 * engine chooses it. */
void engine_leave(struct vcpu *vcpu);

/* Call it on a vCPU's fiber before the vCPU does anything that others may see: returns at its
 * turn. */
static inline void engine_sync(struct vcpu *vcpu)
{
	if (__builtin_expect(vcpu->cpu->clock >= engine.horizon, 0))
		engine_yield(vcpu);
}

/* A number below `bound`, the seed's next one. For events only, which come in the order of time. */
uint64_t engine_random(uint64_t bound);

/* The cost, on this CPU at this time, with the seed's jitter. It is no random number in turn: CPUs
 * go on up to a horizon, so what several of them do has no order that all ways to simulate share.
 */
uint64_t engine_jitter(const struct cpu *cpu, uint64_t time, uint64_t cycles);

/* cpu.h: what happens on a host CPU. kvm.h: what KVM does. */

/* ---- VMs: vm.c ---- */

#define HISTORY_EVENTS 64

struct timer {
	uint64_t number; /* which timer is armed: events of earlier ones are void */
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
	void *image; /* dlopen()'s handle */
	void *base;  /* where it was loaded */
	void (*main)(void);
	void (*panic)(const char *reason, uint64_t rip);
	const char *cmdline;
	struct sim_facts facts;
	int log; /* file descriptor */
	bool ended;
	bool controlling;    /* CPU 0 has something to do outside of time */
	bool waits_for_line; /* from the launcher */
	int status;          /* exit code */
	/* port_run_on() */
	void (*work)(void *arg);
	void *work_arg;
	uint32_t busy;    /* vCPUs that do this work */
	uint32_t alive;   /* of these, those that are not stuck */
	uint64_t changes; /* counts vCPUs' actions that others may see or that take time */
	struct timer timer;
	void (*report)(void); /* what a deadlock calls; NULL: ends the process */
	bool deadlocked, trapped;
	uint32_t last_boosted; /* kvm_vcpu_on_spin() */
	uint64_t *ready;       /* vCPUs runnable without a CPU, a bit each: targets of yields */
	/* the last run's measured phase, for the peers */
	uint64_t run_start, run_end;
	char lines[4096]; /* of the launcher, not yet read */
	/* the scheduler's last decisions, a ring */
	struct {
		uint64_t time;
		const char *what;
		uint32_t vcpu, cpu;
	} history[HISTORY_EVENTS];
	uint64_t history_count;
};

/* What an exit or entry costs: nothing where the vCPU is a kernel thread of the host. */
static inline uint64_t vcpu_cost(const struct vcpu *vcpu, uint64_t cycles)
{
	return vcpu->vm->host ? 0 : cycles;
}

void vm_history(const struct vcpu *vcpu, const char *what, uint64_t time);

/* Notes that the vCPU can go on only if another one does something. */
void vm_stuck(struct vcpu *vcpu);
/* Looks a while after `time` whether still all vCPUs are stuck, if they are now: a deadlock. */
void vm_check_deadlock(struct vm *vm, uint64_t time);

/* Notes that the vCPU can go on by itself again. */
static inline void vm_unstuck(struct vcpu *vcpu)
{
	if (vcpu->stuck) {
		vcpu->stuck = false;
		vcpu->vm->alive++;
	}
}

/* Notes that the vCPU does something that others may see, or that takes time. */
static inline void vm_changes(struct vcpu *vcpu)
{
	vcpu->seen = ++vcpu->vm->changes;
	vcpu->quiet = 0;
	vm_unstuck(vcpu);
}

/* A vCPU is stuck after so many steps in which neither it nor any other vCPU changed anything. No
 * lock polls so often before it does something else. */
#define QUIET_MOST 1000000

/* Notes that the vCPU makes a step that changes nothing. */
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

/* Takes a VM whose CPU 0 has something to do outside of time; NULL: there is none. */
struct vm *vm_to_control(void);

#endif
