/* SPDX-License-Identifier: MIT */
/*
 * See shootdown.h. As Linux's smp_call_function_many_cond() (kernel/smp.c): the caller leaves an
 * order with each target, interrupts it, and polls until all have answered, without giving its CPU
 * to another task. Linux forbids the call with interrupts off, so two callers answer each other.
 */
#include "bench/kbuild/shootdown.h"

#include "locks/core/tunables.h"
#include "port/task.h"

#define WHOLE 1000000

/*
 * Page-table sections in a million that are followed by a call. Source: `make -j4` of 16 and `make
 * -j8` of 24 of pvspin's C files by gcc 12 in a Linux 6.12.117 with 4 CPUs (L1 of nested), trace
 * events csd_queue_cpu, ipi_send_cpumask and tlb_flush. Calls that wait were 4 and 10: half of them
 * flush_tlb_func for one CPU, half tlb_remove_table_smp_sync for all; that is 10 and 17 in a
 * million at 83 k acquisitions, 24.6 k of them of page tables, for each file (docs/kbuild.md).
 * Wake-ups by IPI are 100 times as many, but their sender goes on. Before 4.14 a lazy (idle) CPU
 * was interrupted, too: of flushes that concern other CPUs there were 25 in the second compile, so
 * about 50 in a million.
 */
TUNABLE(shootdowns, "kbuild", 15, 0, WHOLE);
/* Calls in a million that concern all vCPUs; the others concern one. */
#define OF_ALL 500000

static void ask(const struct vcpu *me, struct vcpu *target)
{
	/* acquire: pairs with the store in vcpu_main(); before it no handler is there */
	if (target == me || !atomic_load_explicit(&target->takes, memory_order_acquire))
		return;
	/* release: pairs with the load in shootdown_answer() */
	atomic_fetch_add_explicit(&target->asked, 1, memory_order_release);
	port_call(target->worker.cpu);
}

/* Orders that came meanwhile may be waited for, too. */
static void wait_for(struct vcpu *target)
{
	uint32_t asked = atomic_load_explicit(&target->asked, memory_order_relaxed);

	/* acquire: pairs with the store in shootdown_answer() */
	while ((int32_t)(atomic_load_explicit(&target->answered, memory_order_acquire) - asked) < 0)
		port_poll(UINT64_MAX);
}

static void call(struct vcpu *me, uint32_t first, uint32_t count)
{
	struct stretch stretch = stretch_begin(me);
	uint64_t start = stretch.start, cycles;

	for (uint32_t i = first; i < first + count; i++)
		ask(me, &world.vcpu[i % world.vcpus]);
	for (uint32_t i = first; i < first + count; i++) {
		if (&world.vcpu[i % world.vcpus] != me)
			wait_for(&world.vcpu[i % world.vcpus]);
	}
	me->times.spinning += stretch_end(me, &stretch);
	cycles = port_cycles() - start;
	me->events.shootdowns++;
	me->events.shootdown_cycles += cycles;
	if (cycles > me->events.shootdown_max_cycles)
		me->events.shootdown_max_cycles = cycles;
}

void shootdown_maybe(struct vcpu *me, struct random *random)
{
	bool wanted = random_below(random, WHOLE) < shootdowns;
	bool all = random_below(random, WHOLE) < OF_ALL;
	uint32_t other = random_below(random, world.vcpus > 1 ? world.vcpus - 1 : 1);

	if (!wanted || world.vcpus == 1)
		return;
	if (all)
		call(me, 0, world.vcpus);
	else
		call(me, me->worker.cpu + 1 + other, 1);
}

void shootdown_answer(struct vcpu *me)
{
	uint32_t asked = atomic_load_explicit(&me->asked, memory_order_acquire);

	atomic_store_explicit(&me->answered, asked, memory_order_release);
}
