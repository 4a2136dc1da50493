/* SPDX-License-Identifier: MIT */
/* When a phase began or ended, and how much time the host had taken from a vCPU by then. */
#ifndef PVSPIN_BENCH_MARK_H
#define PVSPIN_BENCH_MARK_H

#include "bench/result.h"
#include <stdint.h>

struct run_mark mark_now(void);

/* At the start and the end of a phase, of any vCPU: fills in worker->steal_ns and ->scheduled_in,
 * how much time the host took and how often it gave a CPU after that or after a halt. 0 where it
 * keeps no such counts. */
void mark_vcpu_start(struct worker *worker, uint32_t cpu);
void mark_vcpu_end(struct worker *worker, uint32_t cpu);

#endif
