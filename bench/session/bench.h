/* SPDX-License-Identifier: MIT */
/* The measurement from plan to table: all runs, their records, the verdict. */
#ifndef PVSPIN_BENCH_SESSION_BENCH_H
#define PVSPIN_BENCH_SESSION_BENCH_H

#include "bench/plan.h"
#include "lib/verdict.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Runs everything that the plan asks for and logs it. VERDICT_FAIL: a lock did not exclude.
 * VERDICT_ERROR: the launcher's `go` or a CPU did not arrive; the log has the runs before that.
 * Once per boot (it allocates), on CPU 0. `plan` must outlive the call.
 */
enum verdict bench_run_plan(const struct plan *plan);

/* Tells a crash report the current lock; any CPU. False outside a run. *holder is the index + 1 of
 * the CPU in the critical section (uncontended: in CPU 0's; kbuild: of the lock that the calling
 * CPU waits for), 0: none. */
bool bench_current(const char **lock, uint32_t *holder);

#endif
