/* SPDX-License-Identifier: MIT */
/* Counts interrupts by CPU and vector; a fence makes the counts exact. */
#include "tests/suites/abi/interrupts.h"

#include "kernel/cpu.h"
#include "kernel/machine.h"
#include "kernel/memory.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/scene.h"

#define VECTORS      256
#define SHADOW_TRIES 10

static _Atomic uint32_t (*taken)[VECTORS]; /* [CPU][vector] */

static void count(struct trap_frame *frame)
{
	atomic_fetch_add_explicit(&taken[this_cpu()->index][frame->vector], 1,
				  memory_order_release);
	if (frame->vector != VECTOR_NMI)
		apic_eoi();
}

void interrupts_count(uint8_t vector)
{
	if (taken == NULL)
		taken = memory_alloc(machine.cpus.count * sizeof(taken[0]), sizeof(uint64_t));
	for (uint32_t i = 0; i < machine.online; i++)
		scene_put(&taken[i][vector], 0);
	traps_handle(vector, count);
}

uint32_t interrupts_taken(uint32_t cpu, uint8_t vector)
{
	return scene_get(&taken[cpu][vector]);
}

bool interrupts_reach(uint32_t cpu, uint8_t vector, uint32_t count_wanted)
{
	return scene_reaches(&taken[cpu][vector], count_wanted, WAKE_BOUND_MS);
}

bool interrupts_settle(struct test_result *result, uint32_t cpu)
{
	bool passed;

	interrupts_count(VECTOR_FENCE);
	apic_send(smp_cpu(cpu)->apic_id, VECTOR_FENCE);
	passed = interrupts_reach(cpu, VECTOR_FENCE, 1);
	if (!passed)
		test_fail(result, "CPU %u took no interrupt of the APIC's within %u ms", cpu,
			  WAKE_BOUND_MS);
	else
		traps_handle(VECTOR_FENCE, NULL); /* else a late one would be a panic */
	return passed;
}

void interrupts_stop(struct test_result *result, uint8_t vector)
{
	bool settled = true;

	for (uint32_t i = 0; i < machine.online; i++)
		settled &= interrupts_settle(result, i);
	if (settled)
		traps_handle(vector, NULL);
}

static struct {
	uint64_t rip;
	uint32_t taken;
} place;

static void record_place(struct trap_frame *frame)
{
	place.rip = frame->rip;
	place.taken++;
	apic_eoi();
}

void interrupts_pend(void)
{
	irq_disable();
	place.taken = 0;
	traps_handle(VECTOR_TEST, record_place);
	apic_send(this_cpu()->apic_id, VECTOR_TEST);
}

uint64_t interrupts_place(struct test_result *result)
{
	irq_enable();
	traps_handle(VECTOR_TEST, NULL);
	if (place.taken == 1)
		return place.rip;
	test_fail(result, "the pending interrupt was taken %u times", place.taken);
	return 0;
}

int64_t interrupts_behind_sti(struct test_result *result,
			      int64_t (*attempt)(struct test_result *result))
{
	uint32_t tries = abi_is_nested() ? SHADOW_TRIES : 1, lost = 0;
	int64_t behind = attempt(result);

	while (result->verdict == VERDICT_OK && behind == 0 && ++lost < tries)
		behind = attempt(result);
	if (lost != 0)
		test_info(result, "STI had no shadow %u times", lost);
	return behind;
}
