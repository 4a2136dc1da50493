/* SPDX-License-Identifier: MIT */
/* Return addresses on a stack. */
#ifndef PVSPIN_KERNEL_BACKTRACE_H
#define PVSPIN_KERNEL_BACKTRACE_H

#include <stddef.h>
#include <stdint.h>

#define BACKTRACE_MAX 24

/* From `rip` and the frame pointer that goes with it: rip first, then its callers, BACKTRACE_MAX in
 * all. Returns how many. Any context, of any stack that stands still. */
size_t backtrace_take(uint64_t rip, uint64_t rbp, uint64_t address[BACKTRACE_MAX]);

#endif
