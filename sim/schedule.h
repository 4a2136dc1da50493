/* SPDX-License-Identifier: MIT */
/*
 * Who ran on which host CPU, and when: for the host's side of a timeline (pvspin-report
 * --perfetto). Keeps the last SCHEDULE_SLICES between two runs of a VM, because a traced run keeps
 * only its last events, too. Off until schedule_open().
 *
 * A line of the file: start and end (ns of the logs' common clock), CPU, VM, vCPU; VM and vCPU are
 * "-" for a task of the host's own.
 */
#ifndef PVSPIN_SIM_SCHEDULE_H
#define PVSPIN_SIM_SCHEDULE_H

#include "sim/engine.h"

#define SCHEDULE_SLICES (1u << 18)

void schedule_open(const char *path);
/* Notes that, at the CPU's clock, `thread` (NULL: none) replaces the one noted last. */
void schedule_note(const struct cpu *cpu, const struct thread *thread);
/* Writes what has been noted since the last call. */
void schedule_flush(void);

#endif
