/* SPDX-License-Identifier: MIT */
/* Frame pointers are kept (-fno-omit-frame-pointer): rbp points to the caller's rbp, then the
 * return address. Stops at a null, misaligned or descending pointer, and at one to unmapped memory,
 * so that a CPU with a damaged stack can be reported, too. */
#include "kernel/backtrace.h"

#include "kernel/fixup.h"
#include "kernel/layout.h"
#include "kernel/unwind.h"
#include <stdbool.h>

extern const uint8_t unwind_start[], unwind_end[]; /* linker.ld */

static bool read_word(uint64_t address, uint64_t *word)
{
	uint64_t fault = 0;

	__asm__ volatile("1: movq (%2), %1\n\t"
			 "2:\n\t" FIXUP_1_TO_2
			 : "+a"(fault), "=&r"(*word)
			 : "r"(address)
			 : "memory");
	return fault == 0;
}

/* Adds the callers of the function whose frame `rbp` points to. */
static size_t add_callers(uint64_t rbp, uint64_t address[BACKTRACE_MAX], size_t count)
{
	while (count < BACKTRACE_MAX) {
		uint64_t caller_rbp, caller;

		if (rbp < PAGE_BYTES || rbp % 8 != 0 || !read_word(rbp, &caller_rbp) ||
		    !read_word(rbp + 8, &caller) || caller == 0)
			break;
		address[count++] = caller;
		if (caller_rbp <= rbp || caller_rbp - rbp > STACK_BYTES)
			break;
		rbp = caller_rbp;
	}
	return count;
}

size_t backtrace_take(uint64_t rip, uint64_t rbp, uint64_t address[BACKTRACE_MAX])
{
	address[0] = rip;
	return add_callers(rbp, address, 1);
}

size_t backtrace_of_trap(const struct trap_frame *frame, uint64_t address[BACKTRACE_MAX])
{
	uint64_t rbp = frame->rbp, top;
	struct unwind_rule rule;
	size_t count = 1;

	address[0] = frame->rip;
	if (unwind_rule_at(unwind_start, (size_t)(unwind_end - unwind_start),
			   (uint64_t)unwind_start, frame->rip, &rule) &&
	    rule.from_rsp) {
		top = frame->rsp + rule.offset;
		if (top >= PAGE_BYTES && read_word(top - 8, &address[count]))
			count++;
		if (rule.caller_rbp != 0)
			read_word(top + (uint64_t)rule.caller_rbp, &rbp);
	}
	return add_callers(rbp, address, count);
}
