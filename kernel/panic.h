/* SPDX-License-Identifier: MIT */
/* The end of a guest that cannot go on. */
#ifndef PVSPIN_KERNEL_PANIC_H
#define PVSPIN_KERNEL_PANIC_H

#include "kernel/traps.h"
#include "lib/record.h"
#include <stdint.h>

/* Writes a `panic` record (reason, CPU, rip, backtrace, and the fields of panic_describe) and text
 * for people, and ends the VM with DEBUG_EXIT_PANIC. Any CPU, any context. Only the first one
 * reports. */
void panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The same for an unexpected exception or NMI: registers from the frame. */
void panic_trap(const struct trap_frame *frame) __attribute__((noreturn));

/* The same because `what` did not end within `bound_ms`. `frame` is that of the bound's interrupt.
 */
void panic_hang(const struct trap_frame *frame, const char *what, uint64_t bound_ms)
	__attribute__((noreturn));

/* Adds fields to the panic record: the lock, its holder. NULL: none. */
extern void (*panic_describe)(struct record *record);

#endif
