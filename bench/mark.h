/* SPDX-License-Identifier: MIT */
/* Marks the begin or end of a phase, and the time that the host has taken from a vCPU so far. */
#ifndef PVSPIN_BENCH_MARK_H
#define PVSPIN_BENCH_MARK_H

#include "bench/result.h"
#include <stdint.h>

struct run_mark mark_now(void);

/* Called at the start and the end of a phase, for any vCPU. Fills in worker->steal_ns (the time
 * that the host took) and ->scheduled_in (how often it gave a CPU back after that or after a halt).
 * Both are 0 if the host keeps no such counts. */
void mark_vcpu_start(struct worker *worker, uint32_t cpu);
void mark_vcpu_end(struct worker *worker, uint32_t cpu);

#endif
