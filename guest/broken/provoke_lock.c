/* SPDX-License-Identifier: MIT */
/*
 * Deliberate failures of a vCPU that owns the measured lock while the others wait for it: it
 * crashes, or loops with interrupts masked. The plan's first lock gets a release that fails the
 * first time it is called. Every vCPU of a run calls it, even if the host gives the vCPU little
 * time.
 */
#include "guest/broken/provoke_lock.h"

#include "kernel/cpu.h"
#include "kernel/fatal.h"
#include "kernel/machine.h"
#include "kernel/percpu.h"
#include "lib/string.h"
#include "locks/core/stats.h"
#include "port/port.h"
#include <stdatomic.h>

static const struct lock_ops *real;
static struct lock_ops failing;
static struct lock_entry entry;

/* Makes this CPU look as if it were still in its section (bench/worker.h). */
static void stay_inside(void)
{
	/* const for those that only look */
	_Atomic uint32_t *holder = (_Atomic uint32_t *)port_my_stats()->holder;

	atomic_store_explicit(holder, this_cpu()->index + 1, memory_order_relaxed);
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
	if (this_cpu()->index == 1) {
		stay_inside();
		__asm__ volatile("ud2");
	}
	real->release(lock, node);
}

static void owner_loops(void *lock, void *node)
{
	if (this_cpu()->index == 1)
		provoke_owner_loop();
	real->release(lock, node);
}

static void owner_loops_on_0(void *lock, void *node)
{
	if (this_cpu()->index == 0)
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

void provoke_in_lock(struct plan *plan, const char *name)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (strcmp(name, failures[i].name) != 0)
			continue;
		if (machine.online < 2 || plan->lock_count == 0)
			panic("provoke=%s needs two vCPUs and a lock", name);
		real = plan->locks[0]->ops;
		failing = *real;
		failing.release = failures[i].release;
		entry = *plan->locks[0];
		entry.ops = &failing;
		plan->locks[0] = &entry;
		plan->dispatch = DISPATCH_INDIRECT;
	}
}
