/* SPDX-License-Identifier: MIT */
/* task.h in the guest: the local APIC's periodic timer, HLT and an interrupt. */
#include "port/task.h"

#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/layout.h"
#include "kernel/paging.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/timer.h"
#include "kernel/traps.h"

void *port_stack_alloc(void)
{
	return (void *)stack_alloc(STACK_BYTES);
}

static void (*called)(void); /* the same for all */

static void call_interrupt(struct trap_frame *frame)
{
	(void)frame;
	called();
	apic_eoi();
}

void port_tick_start(uint64_t ns, void (*tick)(void), void (*call)(void))
{
	called = call;
	traps_handle(VECTOR_CALL, call_interrupt);
	timer_tick_start(ns, tick);
	irq_enable();
}

/* Otherwise only CPU 0 has interrupts enabled: port_run_on(). */
void port_tick_stop(void)
{
	irq_disable();
	timer_tick_stop();
	if (this_cpu()->index == 0)
		irq_enable();
}

void port_call(uint32_t cpu)
{
	apic_send(smp_apic_id(cpu), VECTOR_CALL);
}

bool port_irq_disable(void)
{
	bool enabled = read_flags() & RFLAGS_IF;

	irq_disable();
	return enabled;
}

void port_irq_enable(void)
{
	irq_enable();
}

/* Interrupts are masked during the look, so that no wake-up is lost between it and the HLT. */
void port_sleep(const _Atomic uint32_t *word, uint32_t seen)
{
	irq_disable();
	/* acquire: pairs with the waker's change of the word */
	if (atomic_load_explicit(word, memory_order_acquire) == seen) {
		this_cpu()->halts++;
		irq_enable_and_halt();
	}
	irq_enable();
}

void port_wake(uint32_t cpu, const _Atomic uint32_t *word)
{
	(void)word;
	apic_send(smp_apic_id(cpu), VECTOR_WAKE);
}
