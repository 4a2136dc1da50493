/* SPDX-License-Identifier: MIT */
/* The end of a guest that cannot go on. */
#ifndef PVSPIN_KERNEL_PANIC_H
#define PVSPIN_KERNEL_PANIC_H

#include "kernel/traps.h"
#include "lib/record.h"
#include <stdint.h>

/* Writes a `panic` record (reason, CPU, rip, backtrace, and what panic_describe adds) and text for
 * people, and ends the VM with DEBUG_EXIT_PANIC. Any CPU, any context; the first one wins. */
void panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The same for an unexpected exception or NMI: registers from the frame. */
void panic_trap(const struct trap_frame *frame) __attribute__((noreturn));

/* The same where `what` had `bound_ms` and never ended: from the frame of the interrupt that tells.
 */
void panic_hang(const struct trap_frame *frame, const char *what, uint64_t bound_ms)
	__attribute__((noreturn));

/* Adds fields to the panic record: which lock, who held it. NULL: nothing. */
extern void (*panic_describe)(struct record *record);

#endif
