/* SPDX-License-Identifier: MIT */
/* How long a run may take before it counts as a hang. Derived from the plan, so that no accepted
 * plan looks like a hang. */
#ifndef PVSPIN_BENCH_PATIENCE_H
#define PVSPIN_BENCH_PATIENCE_H

#include "bench/plan.h"
#include <stdint.h>

/* Returns usual_ns, or the value of hang_ms= if that is given. */
uint64_t patience_ns(const struct plan *plan, uint64_t usual_ns);

/* The bound on the time from the stop of a run with `threads` vCPUs until the last one has left its
 * loop. */
uint64_t patience_stop_ns(const struct plan *plan, uint32_t threads);

#endif
