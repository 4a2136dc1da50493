/* SPDX-License-Identifier: MIT */
/* The records that frame a log: boot first, counts and end last. docs/serial-log.md */
#ifndef PVSPIN_GUEST_REPORT_H
#define PVSPIN_GUEST_REPORT_H

#include "bench/plan.h"
#include "kernel/machine.h"
#include "lib/verdict.h"

/* `plan` may be only partly parsed. It is kept for report_finish. */
void report_boot(const struct boot_info *boot, const struct machine *m, const struct plan *plan);

/* Prints which offered features this guest does without, because the hypervisor refused them. */
void report_refused(void);

/* Writes the counts and end records, lets the launcher read the hypervisor's statistics (end=wait),
 * and ends the VM with the verdict's code. CPU 0, any context. */
void report_finish(const struct outcome *outcome) __attribute__((noreturn));

#endif
