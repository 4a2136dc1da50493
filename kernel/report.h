/* SPDX-License-Identifier: MIT */
/* The records that frame a log: boot first, counts and end last. docs/serial-log.md */
#ifndef PVSPIN_KERNEL_REPORT_H
#define PVSPIN_KERNEL_REPORT_H

#include "bench/plan.h"
#include "kernel/machine.h"
#include "locks/pv.h"
#include "pvspin/verdict.h"
#include <stdint.h>

#define REPORT_SCHEMA 1

/* `plan` as far as it was parsed. */
void report_boot(const struct boot_info *boot, const struct machine *m, const struct plan *plan,
		 const struct pv_backend *backend);

/* A line of text for people. */
void report_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct outcome {
	enum verdict verdict;
	uint32_t failed, skipped;
	const char *reason; /* "" or why: "usage", "vcpu-missing", "exclusion", ... */
};

/* What each vCPU issued in all, to be held against the hypervisor's own statistics. */
void report_counts(const struct machine *m);

/* Writes the end record; the caller flushes and exits with report_exit_code(). */
void report_end(const struct outcome *outcome);
uint8_t report_exit_code(const struct outcome *outcome);

#endif
