/* SPDX-License-Identifier: MIT */
/* The end of a guest that cannot go on, for those who have a frame of it; panic(): fatal.h. */
#ifndef PVSPIN_KERNEL_PANIC_H
#define PVSPIN_KERNEL_PANIC_H

#include "kernel/traps.h"
#include "lib/record.h"
#include <stdint.h>

/* panic() of an unexpected exception or NMI: registers from the frame. traps_init() wants it. */
void panic_trap(const struct trap_frame *frame) __attribute__((noreturn));

/* The same because `what` did not end within `bound_ms`. `frame` is that of the bound's interrupt.
 */
void panic_hang(const struct trap_frame *frame, const char *what, uint64_t bound_ms)
	__attribute__((noreturn));

/* Adds fields to the panic record: the lock, its holder. NULL: none. */
extern void (*panic_describe)(struct record *record);

#endif
