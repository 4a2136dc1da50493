/* SPDX-License-Identifier: MIT */
/* See fiber.h. What the System V ABI lets a function change is the caller's to save. Not
 * port/common/switch.asm: the simulated host is built with a C compiler alone. */
#include "sim/fiber.h"

#include <stdint.h>

__asm__(".text\n"
	".globl fiber_switch\n"
	".type fiber_switch, @function\n"
	"fiber_switch:\n\t"
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
	".size fiber_switch, . - fiber_switch\n"
	".type fiber_entry, @function\n"
	"fiber_entry:\n\t"
	"mov %r12, %rdi\n\t"
	"call *%rbx\n\t"
	"ud2\n"
	".size fiber_entry, . - fiber_entry\n");

void fiber_entry(void);

struct first_frame { /* in the order of the pops; the stack is aligned at the call */
	uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

void *fiber_begin(void *top, void (*fn)(void *arg), void *arg)
{
	struct first_frame *frame = (struct first_frame *)top - 1;

	*frame = (struct first_frame){
		.r12 = (uint64_t)arg,
		.rbx = (uint64_t)fn,
		.rip = (uint64_t)fiber_entry,
	};
	return frame;
}
