/* SPDX-License-Identifier: MIT */
/* When a phase began or ended, and how much time the host had taken from a vCPU by then. */
#ifndef PVSPIN_BENCH_MARK_H
#define PVSPIN_BENCH_MARK_H

#include "bench/result.h"
#include <stdint.h>

struct run_mark mark_now(void);

/* Any vCPU's steal time in ns; 0 for good where the host keeps none. */
uint64_t mark_steal_ns(uint32_t cpu);

#endif
