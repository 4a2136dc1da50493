/* SPDX-License-Identifier: MIT */
/* How long a run may take before it is called a hang: derived from its plan, so that no plan that
 * is accepted can be mistaken for one. */
#ifndef PVSPIN_BENCH_PATIENCE_H
#define PVSPIN_BENCH_PATIENCE_H

#include "bench/plan.h"
#include <stdint.h>

/* `usual`, or what hang_ms= says instead. */
uint64_t patience_ns(const struct plan *plan, uint64_t usual_ns);

/* From the stop of a run with `threads` vCPUs until the last of them has left its loop. */
uint64_t patience_stop_ns(const struct plan *plan, uint32_t threads);

#endif
