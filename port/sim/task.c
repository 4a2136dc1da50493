/* SPDX-License-Identifier: MIT */
/* task.h on the simulated host. The switch is that of port/common/switch.asm, for a C compiler
 * alone. */
#include "port/task.h"

#include "port/port.h"
#include "port/sim/seam.h"

#define STACK_BYTES 65536
#define STACK_ALIGN 16 /* System V ABI */

__asm__(".text\n"
	".globl port_switch\n"
	".hidden port_switch\n"
	".type port_switch, @function\n"
	"port_switch:\n\t"
	"push %rbp\n\t"
	"push %rbx\n\t"
	"push %r12\n\t"
	"push %r13\n\t"
	"push %r14\n\t"
	"push %r15\n\t"
	"mov %rsp, (%rdi)\n\t"
	"mov %rsi, %rsp\n\t"
	"pop %r15\n\t"
	"pop %r14\n\t"
	"pop %r13\n\t"
	"pop %r12\n\t"
	"pop %rbx\n\t"
	"pop %rbp\n\t"
	"ret\n"
	".globl port_task_entry\n"
	".hidden port_task_entry\n"
	".type port_task_entry, @function\n"
	"port_task_entry:\n\t"
	"mov %r12, %rdi\n\t"
	"call *%rbx\n\t"
	"ud2\n");

void *port_stack_alloc(void)
{
	return (char *)port_alloc(STACK_BYTES, STACK_ALIGN) + STACK_BYTES;
}

void port_tick_start(uint64_t ns, void (*fn)(void))
{
	sim_tick(ns, fn);
}

void port_tick_stop(void)
{
	sim_tick(0, NULL);
}

/* Masked over the look, so that no wake-up falls between it and the HLT. */
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
