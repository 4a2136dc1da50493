/* SPDX-License-Identifier: MIT */
/* Frame pointers are kept (-fno-omit-frame-pointer): rbp points to the caller's rbp, then the
 * return address. Stops at a null, misaligned or descending pointer. */
#include "kernel/backtrace.h"

#include "kernel/memory.h"
#include "pvspin/layout.h"

size_t backtrace_take(uint64_t rip, uint64_t rbp, uint64_t address[BACKTRACE_MAX])
{
	size_t count = 0;

	address[count++] = rip;
	while (count < BACKTRACE_MAX) {
		const uint64_t *frame = (const uint64_t *)rbp;

		if (rbp < PAGE_BYTES || rbp % 8 != 0 || rbp >= MEMORY_MAPPED_END - 16 ||
		    frame[1] == 0)
			break;
		address[count++] = frame[1];
		if (frame[0] <= rbp || frame[0] - rbp > STACK_BYTES)
			break;
		rbp = frame[0];
	}
	return count;
}
