/* SPDX-License-Identifier: MIT */
/* The two ways to give up that every module has, whatever it knows of the rest: this header
 * includes nothing of kernel/. */
#ifndef PVSPIN_KERNEL_FATAL_H
#define PVSPIN_KERNEL_FATAL_H

/* For pvspin's own faults and machines that break their promises. Writes a `panic` record (reason,
 * CPU, rip, backtrace, and the fields of panic_describe) and ends the VM with DEBUG_EXIT_PANIC. Any
 * CPU, any context. Only the first one reports. panic.c */
void panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* For a VM that pvspin cannot work with; the log says why before. Writes the closing records, with
 * `reason`, and ends the VM with DEBUG_EXIT_ERROR. CPU 0. The user of kernel/ implements it. */
void exit_unfit(const char *reason) __attribute__((noreturn));

#endif
