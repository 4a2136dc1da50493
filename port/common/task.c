/* SPDX-License-Identifier: MIT */
/*
 * The switch between two stacks of one CPU, for all ports and for the simulated host's vCPUs. It
 * pushes the registers that the System V ABI makes the callee's to save; the caller saves the
 * others. (x87 and SSE control words never change in pvspin.) In C, because the simulated host is
 * built with a C compiler alone.
 */
#include "port/task.h"

#include <stddef.h>

struct first_frame { /* in the order of the pops */
	uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

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
	".size port_switch, . - port_switch\n"
	/* the first switch to a task returns here; rbp is 0, so backtraces end here */
	".type task_entry, @function\n"
	"task_entry:\n\t"
	"mov %r12, %rdi\n\t"
	"call *%rbx\n\t"
	"ud2\n" /* a task's function does not return */
	".size task_entry, . - task_entry\n");

void task_entry(void);

void *port_task_begin(void *stack_top, void (*fn)(void *arg), void *arg)
{
	struct first_frame *frame = (struct first_frame *)stack_top - 1;

	*frame = (struct first_frame){
		.r12 = (uint64_t)arg,
		.rbx = (uint64_t)fn,
		.rip = (uint64_t)task_entry,
	};
	return frame;
}
