/* SPDX-License-Identifier: MIT */
/*
 * Deliberate failures of a vCPU that owns the lock being measured, while the others wait for it: it
 * crashes, or loops with interrupts masked. The plan's first lock gets a release that does so.
 */
#include "kernel/cpu.h"
#include "kernel/machine.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/provoke.h"
#include "port/port.h"
#include "pvspin/string.h"
#include <stdatomic.h>

#define RELEASES 100 /* of the CPU that fails, before it does */

static const struct lock_ops *real;
static struct lock_ops failing;
static struct lock_entry entry;

/* It is in its section still, as far as anybody can see (bench/worker.h). */
static void stay_inside(void)
{
	_Atomic uint32_t *holder = (_Atomic uint32_t *)port_my_stats()->holder; /* const to locks */

	atomic_store_explicit(holder, this_cpu()->index + 1, memory_order_relaxed);
}

static bool due(uint32_t cpu)
{
	static uint32_t releases; /* of one CPU, under the lock */

	return this_cpu()->index == cpu && ++releases == RELEASES;
}

static void __attribute__((noinline)) provoke_owner_loop(void)
{
	stay_inside();
	irq_disable();
	for (;;)
		cpu_relax();
}

static void owner_crashes(void *lock, void *node)
{
	if (due(1)) {
		stay_inside();
		__asm__ volatile("ud2");
	}
	real->release(lock, node);
}

static void owner_loops(void *lock, void *node)
{
	if (due(1))
		provoke_owner_loop();
	real->release(lock, node);
}

static void owner_loops_on_0(void *lock, void *node)
{
	if (due(0))
		provoke_owner_loop();
	real->release(lock, node);
}

static const struct {
	const char *name;
	void (*release)(void *lock, void *node);
} failures[] = {
	{"owner-ud", owner_crashes},
	{"owner-loop", owner_loops},
	{"owner-loop-0", owner_loops_on_0},
};

void provoke_in_lock(struct plan *plan)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (strcmp(plan->provoke, failures[i].name) != 0)
			continue;
		if (machine.online < 2 || plan->lock_count == 0)
			panic("provoke=%s needs two vCPUs and a lock", plan->provoke);
		real = plan->locks[0]->ops;
		failing = *real;
		failing.release = failures[i].release;
		entry = *plan->locks[0];
		entry.ops = &failing;
		plan->locks[0] = &entry;
		plan->dispatch = DISPATCH_INDIRECT;
	}
}
