/* SPDX-License-Identifier: MIT */
/*
 * The parts of build/linux/init, the only program of a stock Linux guest: it is the guest's init,
 * and the programs that its load starts. The log is the guest's own (docs/serial-log.md).
 */
#ifndef PVSPIN_LINUX_LINUX_H
#define PVSPIN_LINUX_LINUX_H

#include "lib/histogram.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- plan.c: the kernel's command line ---- */

struct linux_plan {
	char line[2048];  /* as given */
	uint64_t jobs;    /* the fixed work: so many compiles */
	uint64_t tasks;   /* processes that do them */
	uint64_t seed;    /* another sequence of work */
	uint64_t limit_s; /* then no further job is begun */
	bool held;        /* start=serial-each: each start waits for the launcher */
	bool stay;        /* end=wait: the launcher says when to end */
	char accel[16];
};

/*
 * Reads the kernel's command line. `environment` is init's: the words KEY=VALUE that the kernel did
 * not take. So a wrong key is found without a list of the kernel's own. Returns false with a
 * message in `error`.
 */
bool plan_parse(struct linux_plan *plan, const char *line, uint64_t cpus, char *const *environment,
		char error[256]);

/* ---- serial.c: COM1, by the kernel's driver; the other side of lib/log.h ---- */

bool serial_open(void);

/* Reads a line, without its end, that comes within so many ms. Returns false if none does. */
bool serial_read_line(char *line, size_t size, int ms);

/* ---- observe.c: what the kernel tells about itself ---- */

/* Which spinlock the kernel took, by its own message ("PV spinlocks ..."), and that message. False
 * if it wrote none: there is no KVM below, or one vCPU. */
bool observe_lock(const char **lock, char message[128]);

/* Sums over all CPUs since boot. */
struct observed {
	uint64_t steal_ns, idle_ns, user_ns,
		kernel_ns;            /* /proc/stat, exact to 10 ms for each CPU */
	uint64_t switches, processes; /* the same file */
	uint64_t halts, kicks;        /* calls of kvm_wait() and kvm_kick_cpu(), by kprobes */
	bool probed;                  /* whether the kernel lets them be counted */
};

/* Puts the probes into the kernel and starts to trace waits for spinlocks. Before the run. */
void observe_begin(void);
void observe_read(struct observed *observed);

/* Waits in spinlocks' queues, by the trace points lock:contention_begin and _end, in TSC cycles.
 * test-and-set has none. */
struct waits {
	bool known; /* there are such trace points, and no event was lost */
	uint64_t count, sum, max;
};
void observe_waits(struct waits *waits, uint64_t cpus);

/* ---- text.c: what observe.c reads ---- */

/* As observe_lock(), of the kernel's log. */
bool text_lock(const char *log, const char **lock, char message[128]);

/* Takes what a line of /proc/stat says. */
void text_stat(const char *line, struct observed *observed);

#define MOST_NESTED 8 /* a wait, and those of interrupts in it */

/* Waits that have begun on a CPU. */
struct open_waits {
	uint64_t lock[MOST_NESTED], since[MOST_NESTED];
	size_t depth;
};

/* Takes a line of a CPU's trace. A waiter keeps its CPU, so its two events are one CPU's, and what
 * comes between them is nested. Ends of other locks (mutexes) find no begin. */
void text_wait(const char *line, struct open_waits *open, struct waits *waits);

/* ---- load.c: the compile ---- */

struct load {
	uint64_t done, least, most; /* jobs; least, most: of one process */
	struct histogram job;       /* how long a job took, TSC cycles */
	bool failed;                /* a process could not be started, or failed */
};

/* Does plan->jobs jobs by plan->tasks processes. */
void load_run(const struct linux_plan *plan, struct load *load);

/* main() of the programs that load_run() starts, by their names. False if it is none. */
bool load_main(int count, char **word, int *status);

uint64_t clock_ns(void); /* CLOCK_MONOTONIC */

#endif
