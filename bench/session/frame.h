/* SPDX-License-Identifier: MIT */
/*
 * The records that frame a log, boot first and end last, as far as they are the same in the guest,
 * hosted and under sim. docs/serial-log.md
 */
#ifndef PVSPIN_BENCH_SESSION_FRAME_H
#define PVSPIN_BENCH_SESSION_FRAME_H

#include "bench/plan.h"
#include "lib/record.h"
#include "lib/verdict.h"
#include <stdint.h>

struct frame {
	const char *version, *build; /* version.h, of the build */
	const char *loader, *cmdline;
};

/* Begins the boot record; the caller adds its machine and ends it. `plan` may be only partly
 * parsed. */
void frame_begin(struct record *record, const struct frame *frame, const struct plan *plan);

/* The nodes of CPUs 0 to cpus - 1. `source`: which table or key told them. */
void frame_nodes(struct record *record, uint64_t nodes, const char *source, uint32_t cpus);

/* The same where only nodes= can tell them. */
void frame_nodes_by_key(struct record *record, const struct plan *plan, uint32_t cpus);

/* Writes the end record. */
void frame_end(const struct outcome *outcome);

/* After the boot record, in a program that only measures: runs the plan, or says why it cannot
 * (`error`; NULL: it can), and writes the end record. Returns run.sh's exit status for it. */
int frame_run(const struct plan *plan, const char *error);

#endif
