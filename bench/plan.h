/* SPDX-License-Identifier: MIT */
/*
 * The plan: the work that the command line asks for. Parsed once, checked completely before
 * anything starts, and printable as the canonical command line that repeats it.
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

enum dispatch { DISPATCH_INLINE, DISPATCH_PATCHED, DISPATCH_INDIRECT };

enum start_mode {
	START_NOW,
	START_SERIAL,      /* one line "go" on serial releases the whole plan */
	START_SERIAL_EACH, /* a line "go" before each run (run.sh --instances) */
};

enum workload_id {
	WORKLOAD_CONTENDED,   /* all threads use one lock */
	WORKLOAD_UNCONTENDED, /* each thread has a lock of its own */
	WORKLOAD_KBUILD,      /* tasks with a kernel compile's locks: bench/kbuild/ */
	WORKLOAD_COUNT
};
extern const char *const workload_names[WORKLOAD_COUNT]; /* the one list, in plan.c */

enum irqchip { IRQCHIP_UNKNOWN, IRQCHIP_ON, IRQCHIP_SPLIT, IRQCHIP_OFF };

/* The hypervisor's configuration, as far as the launcher knows it. The guest cannot see these
 * facts, but results of the ABI tests depend on them. */
struct vmm_facts {
	uint64_t features; /* expected feature mask of KVM; 0: not known */
	bool enforce;      /* kvm-pv-enforce-cpuid=on */
	bool hlt_native;   /* cpu-pm=on: HLT does not exit */
	enum irqchip irqchip;
	uint32_t kernel;      /* of the host, major * 1000 + minor (6.12 is 6012); 0: not known */
	uint64_t cpu_percent; /* each VM's share of the host's CPUs, 100 for one; 0: not known */
};

struct plan {
	const struct lock_entry *locks[PLAN_MAX_LOCKS];
	size_t lock_count;
	enum workload_id workload;
	uint32_t threads[PLAN_MAX_THREADS]; /* each 1..cpus */
	size_t thread_counts;
	uint64_t ms;      /* length of the measured phase (plan_workload.c); 0 when ops is given */
	uint64_t ops;     /* acquisitions per thread; 0 when ms is given */
	uint64_t tasks;   /* tasks=, kbuild only; 0: plan_tasks() */
	uint64_t jobs;    /* kbuild: the fixed work; otherwise 0, like tick_hz */
	uint32_t tick_hz; /* kbuild */
	uint32_t nodes;   /* nodes=, 1..cpus; 0: those of the machine */
#define PLAN_NUMBER(key, type, workloads, initial, least, most, role) type key;
#define PLAN_NAMED(key, field, type, workloads, role, ...)            type field;
#include "bench/plan_keys.def"            /* hold, think and so on */
	struct linux_choice linux_choice; /* the meaning of `linux` in locks= here */
	struct vmm_facts vmm;             /* told by the launcher */
	enum start_mode start;
	uint32_t test_ms; /* how long a lock test of random interleavings runs */
	uint32_t hang_ms; /* how long a phase may overrun before it is called hung; 0: as usual */
	bool trace_until_lhp; /* the events around the first preempted holder, not the last */
	bool nopvspin;        /* ignore PV_UNHALT */
	bool hyperv;          /* Hyper-V's hypercalls in place of KVM's */
	bool linux_asked;     /* locks= contains `linux` */
	bool defaulted;       /* no locks= and no tests=: the default plan */
	bool log_virtio;      /* told by the launcher: log=virtio, it has the device for it */
	bool stay;            /* told by the launcher: end=wait, wait for "bye" before exit */
	char tests[PLAN_TESTS_BYTES];     /* tests= as given; empty: measure instead */
	char accel[16];                   /* told by the launcher; "unknown" otherwise */
	char ignored[PLAN_IGNORED_BYTES]; /* words for Linux that the VMM has added, " " before each
					   */
};

/* The machine's properties that a plan depends on. */
struct plan_machine {
	uint32_t cpus;                  /* vCPUs that may take part */
	struct linux_facts linux_facts; /* nopvspin is read from the command line */
	bool vmm;                       /* a VMM may have added words: plan_foreign.c */
};

/*
 * Fills *plan from `cmdline` for a machine. `linux` among the locks is resolved to the lock's own
 * name; if that name is listed, too, the lock counts once. The loader's first word (the kernel's
 * path from GRUB or QEMU: any first word without '=' that is not a known flag) is skipped. Tunables
 * (locks/core/tunables.h) are keys, too, and are set in place. Words that a VMM adds for Linux are
 * ignored and go to plan->ignored.
 *
 * Returns false on the first unknown key, unknown or out-of-range value, key given twice, ms
 * together with ops, or key that the workload does not have. `error` then names the input and lists
 * what is accepted, in one line.
 */
bool plan_parse(const char *cmdline, const struct plan_machine *machine, struct plan *plan,
		char error[PLAN_ERROR_BYTES]);

/* The largest of plan->threads, at least 1. */
uint32_t plan_most_threads(const struct plan *plan);

/* The number of tasks of a run on `threads` vCPUs. */
uint64_t plan_tasks(const struct plan *plan, uint32_t threads);

/* Prints the canonical command line: every key with its value, including defaults. It parses to the
 * same plan. Returns the length that it needs, as snprintf does. */
size_t plan_print(const struct plan *plan, char *line, size_t size);

#endif
