/* SPDX-License-Identifier: MIT */
/* task.h on the simulated host. */
#include "port/task.h"

#include "port/port.h"
#include "port/sim/seam.h"

#define STACK_BYTES 65536
#define STACK_ALIGN 16 /* System V ABI */

void *port_stack_alloc(void)
{
	return (char *)port_alloc(STACK_BYTES, STACK_ALIGN) + STACK_BYTES;
}

void port_tick_start(uint64_t ns, void (*tick)(void), void (*call)(void))
{
	sim_tick(ns, tick, call);
}

void port_tick_stop(void)
{
	sim_tick(0, NULL, NULL);
}

void port_call(uint32_t cpu)
{
	sim_call(cpu);
}

bool port_irq_disable(void)
{
	return sim_interrupts(false);
}

void port_irq_enable(void)
{
	sim_interrupts(true);
}

/* Interrupts are masked from the look at the word to the HLT: no wake-up is lost between. */
void port_sleep(const _Atomic uint32_t *word, uint32_t seen)
{
	bool enabled = sim_interrupts(false);

	/* acquire: pairs with the waker's change of the word */
	if (atomic_load_explicit(word, memory_order_acquire) == seen)
		sim_halt(true);
	sim_interrupts(enabled);
}

void port_wake(uint32_t cpu, const _Atomic uint32_t *word)
{
	(void)word;
	sim_interrupt(cpu);
}
