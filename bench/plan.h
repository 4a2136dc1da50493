/* SPDX-License-Identifier: MIT */
/*
 * The plan: what the command line asks to be run. Parsed once, checked whole before anything
 * starts, and printable as the canonical command line that repeats it.
 */
#ifndef PVSPIN_BENCH_PLAN_H
#define PVSPIN_BENCH_PLAN_H

#include "bench/linux_choice.h"
#include "locks/core/registry.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_MAX_LOCKS     64
#define PLAN_MAX_THREADS   64 /* points of a threads= sweep */
#define PLAN_TESTS_BYTES   256
#define PLAN_ERROR_BYTES   2048
#define PLAN_IGNORED_BYTES 256
#define PLAN_MAX_TRACE     262144 /* events over all vCPUs: 4 MiB of memory, 25 MB of log */
#define PLAN_LINE_BYTES    4096   /* holds any plan printed */

enum dispatch { DISPATCH_INLINE, DISPATCH_PATCHED, DISPATCH_INDIRECT, DISPATCH_COUNT };
extern const char *const dispatch_names[DISPATCH_COUNT];

enum start_mode {
	START_NOW,
	START_SERIAL,      /* one line "go" on serial releases the whole plan */
	START_SERIAL_EACH, /* one before each run (run.sh --instances) */
};

enum workload_id {
	WORKLOAD_CONTENDED,   /* all threads, one lock */
	WORKLOAD_UNCONTENDED, /* each thread a lock of its own */
	WORKLOAD_KBUILD,      /* tasks with a kernel compile's locks: bench/kbuild/ */
	WORKLOAD_COUNT
};
extern const char *const workload_names[WORKLOAD_COUNT]; /* the one list, in plan.c */

enum irqchip { IRQCHIP_UNKNOWN, IRQCHIP_ON, IRQCHIP_SPLIT, IRQCHIP_OFF };

/* How the hypervisor was configured, as far as the launcher knows: what the guest cannot see but
 * the ABI tests expect results by. */
struct vmm_facts {
	uint64_t features; /* KVM's feature mask this configuration should have; 0: not known */
	bool enforce;      /* kvm-pv-enforce-cpuid=on */
	bool hlt_native;   /* cpu-pm=on: HLT does not exit */
	enum irqchip irqchip;
	uint32_t kernel; /* of the host, major * 1000 + minor (6.12 is 6012); 0: not known */
};

struct plan {
	const struct lock_entry *locks[PLAN_MAX_LOCKS];
	size_t lock_count;
	enum workload_id workload;
	uint32_t threads[PLAN_MAX_THREADS]; /* each 1..cpus */
	size_t thread_counts;
	uint32_t hold;  /* iterations of the work loop inside the section */
	uint32_t think; /* and outside */
	uint32_t nodes; /* nodes=, 1..cpus; 0: as the machine says */
	uint64_t ms;    /* length of the measured phase; 0 when ops is given */
	uint64_t ops;   /* acquisitions per thread; 0 when ms is given */
	uint64_t tasks; /* tasks=, kbuild only; 0: plan_tasks() */
	uint64_t jobs;  /* kbuild: the fixed work; else 0, as tick_hz */
	uint32_t tick_hz;
	uint32_t reps;
	uint32_t warmup_ms;
	uint32_t trace; /* lock events to keep of each vCPU; 0: none */
	bool latency;
	bool trace_until_lhp; /* those around the first preempted holder, not the last ones */
	enum dispatch dispatch;
	enum start_mode start;
	uint64_t seed;
	struct linux_choice linux_choice; /* what `linux` in locks= stands for here */
	bool nopvspin;
	bool linux_asked;             /* locks= has it */
	bool defaulted;               /* no locks= and no tests=: the default plan */
	char tests[PLAN_TESTS_BYTES]; /* tests= as given; empty: measure instead */
	uint32_t test_ms;             /* how long a lock test of random interleavings runs */
	uint32_t hang_ms; /* how long a phase may overrun before it is called hung; 0: as usual */
	char accel[16];   /* told by the launcher; "unknown" otherwise */
	struct vmm_facts vmm; /* told by the launcher */
	bool stay;            /* told by the launcher: end=wait, wait for "bye" before exit */
	char ignored[PLAN_IGNORED_BYTES]; /* words for Linux that the VMM has added, " " before each
					   */
};

/* What a plan depends on besides the command line. */
struct plan_machine {
	uint32_t cpus;                  /* vCPUs that may take part */
	struct linux_facts linux_facts; /* nopvspin is read from the command line */
	bool vmm;                       /* a VMM may have added words: plan_foreign.c */
};

/*
 * Fills *plan from `cmdline` for a machine. `linux` among the locks is resolved to the lock's own
 * name; it may stand beside that name, which then counts once. The loader's own first word (the
 * kernel's path, as GRUB and QEMU give it: any first word without '=' that is no known flag) is
 * skipped. False on the first unknown key, unknown or out-of-range value, key given twice, or ms
 * together with ops, key that the workload does not have: `error` then names the input and lists
 * what is accepted, in one line. Tunables (locks/core/tunables.h) are keys too and are set in
 * place. Words that a VMM adds for Linux are ignored and go to plan->ignored.
 */
bool plan_parse(const char *cmdline, const struct plan_machine *machine, struct plan *plan,
		char error[PLAN_ERROR_BYTES]);

/* The largest of plan->threads, at least 1. */
uint32_t plan_most_threads(const struct plan *plan);

/* Tasks that a run on `threads` vCPUs has. */
uint64_t plan_tasks(const struct plan *plan, uint32_t threads);

/* The canonical command line: every key with its value, defaults included; parses to the same
 * plan. Returns the length it needs, as snprintf. */
size_t plan_print(const struct plan *plan, char *line, size_t size);

#endif
