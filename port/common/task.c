/* SPDX-License-Identifier: MIT */
/* Builds a task's first stack frame, which port_switch() (switch.asm) pops. For both ports. */
#include "port/task.h"

#include <stddef.h>

struct first_frame { /* in the order of the pops */
	uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

void port_task_entry(void); /* switch.asm */

void *port_task_begin(void *stack_top, void (*fn)(void *arg), void *arg)
{
	struct first_frame *frame = (struct first_frame *)stack_top - 1;

	*frame = (struct first_frame){
		.r12 = (uint64_t)arg,
		.rbx = (uint64_t)fn,
		.rip = (uint64_t)port_task_entry,
	};
	return frame;
}
