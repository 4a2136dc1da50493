/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_KERNEL_EXIT_H
#define PVSPIN_KERNEL_EXIT_H

#include <stdint.h>

/* Ends the VM with one of lib/debug_exit.h's codes. Without an isa-debug-exit device, switches
 * the machine off by ACPI. If that does not work, or would erase the only log, says so and halts
 * for ever. Flush the log first. */
void exit_guest(uint8_t code) __attribute__((noreturn));

#endif
