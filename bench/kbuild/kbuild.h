/* SPDX-License-Identifier: MIT */
/*
 * workload=kbuild: the lock behaviour of a kernel compile (profile.h) by tasks that a small
 * scheduler multiplexes on the vCPUs. The locks of its run queues are under test, too. The work is
 * fixed by jobs=; the result is how long it takes. docs/kbuild.md.
 */
#ifndef PVSPIN_BENCH_KBUILD_KBUILD_H
#define PVSPIN_BENCH_KBUILD_KBUILD_H

#include "bench/kbuild/profile.h"
#include "bench/plan.h"
#include <stdbool.h>
#include <stdint.h>

struct run_result;

struct class_count {
	uint64_t acquisitions;
	uint64_t contended;                    /* the lock was held, or it took a slow path */
	uint64_t other_cpu;                    /* the previous owner was on another vCPU */
	uint64_t wait_cycles, wait_max_cycles; /* of the contended ones */
	uint64_t hold_cycles;
	uint64_t lhp_events; /* sections in which the vCPU lost its CPU */
};

/* The parts of the vCPUs' time, in ns in a result, in cycles while counting. */
struct kbuild_times {
	uint64_t running, spinning, halted, idle, stolen; /* all of it */
	uint64_t kernel; /* part of running: kernel phases and sections */
	uint64_t locked; /* part of kernel: sections, nested ones once */
};

struct kbuild_events {
	uint64_t switches, preemptions, migrations, wakeups, sleeps;
	uint64_t shootdowns;           /* calls that a vCPU made */
	uint64_t shootdown_cycles;     /* its waits for their answers, summed */
	uint64_t shootdown_max_cycles; /* the longest of these waits */
};

/* governor=1: how often it gave a vCPU up, and the fewest it had; zeros without it. */
struct governor_counts {
	uint64_t parks;
	uint32_t least;
};

/* Over all vCPUs. */
struct kbuild_result {
	uint32_t tasks;
	struct kbuild_times times;
	struct kbuild_events events;
	struct governor_counts governor;
	struct class_count count[CLASS_COUNT];
};

/* Allocates the memory for all runs of the plan, once, on CPU 0. */
void kbuild_prepare(const struct plan *plan);

/* As run_once() (bench/run.h). Also fills result->kbuild, which is valid until the next run. */
bool kbuild_once(struct run_result *result);

/* As run_current(). */
bool kbuild_current(const char **lock, uint32_t *holder);

#endif
