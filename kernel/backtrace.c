/* SPDX-License-Identifier: MIT */
/* Frame pointers are kept (-fno-omit-frame-pointer): rbp points to the caller's rbp, then the
 * return address. Stops at a null, misaligned or descending pointer, and at one to unmapped memory,
 * so that a CPU with a damaged stack can be reported, too. */
#include "kernel/backtrace.h"

#include "kernel/fixup.h"
#include "kernel/layout.h"
#include "kernel/memory.h"
#include <stdbool.h>

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

size_t backtrace_take(uint64_t rip, uint64_t rbp, uint64_t address[BACKTRACE_MAX])
{
	size_t count = 0;

	address[count++] = rip;
	while (count < BACKTRACE_MAX) {
		uint64_t caller_rbp, caller;

		if (rbp < PAGE_BYTES || rbp % 8 != 0 || rbp >= MEMORY_MAPPED_END - 16 ||
		    !read_word(rbp, &caller_rbp) || !read_word(rbp + 8, &caller) || caller == 0)
			break;
		address[count++] = caller;
		if (caller_rbp <= rbp || caller_rbp - rbp > STACK_BYTES)
			break;
		rbp = caller_rbp;
	}
	return count;
}
