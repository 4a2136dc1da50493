/* SPDX-License-Identifier: MIT */
/* The records that frame a log: boot first, counts and end last. docs/serial-log.md */
#ifndef PVSPIN_GUEST_REPORT_H
#define PVSPIN_GUEST_REPORT_H

#include "bench/plan.h"
#include "kernel/machine.h"
#include "lib/verdict.h"
#include "locks/core/pv.h"
#include <stdint.h>

#define REPORT_SCHEMA 1

/* `plan` as far as it was parsed, kept for report_finish. */
void report_boot(const struct boot_info *boot, const struct machine *m, const struct plan *plan,
		 const struct pv_backend *backend);

/* Says which of the hypervisor's features this guest goes without, although they are offered. */
void report_refused(void);

/* The end of everything: writes the counts and end records, lets the launcher read the hypervisor's
 * statistics (end=wait), and ends the VM with the verdict's code. CPU 0, any context. */
void report_finish(const struct outcome *outcome) __attribute__((noreturn));

#endif
