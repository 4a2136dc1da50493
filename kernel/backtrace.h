/* SPDX-License-Identifier: MIT */
/* Return addresses on a stack. */
#ifndef PVSPIN_KERNEL_BACKTRACE_H
#define PVSPIN_KERNEL_BACKTRACE_H

#include "kernel/traps.h"
#include <stddef.h>
#include <stdint.h>

#define BACKTRACE_MAX 24

/* Takes the backtrace from `rip` and its frame pointer: rip first, then its callers, at most
 * BACKTRACE_MAX in all. Returns how many. Any context; the stack must not be in use. */
size_t backtrace_take(uint64_t rip, uint64_t rbp, uint64_t address[BACKTRACE_MAX]);

/* The same for interrupted code. It may have no frame pointer of its own there: in a prologue, in
 * an epilogue, or on a path that needs no frame. */
size_t backtrace_of_trap(const struct trap_frame *frame, uint64_t address[BACKTRACE_MAX]);

#endif
