/* SPDX-License-Identifier: MIT */
/* The measurement from plan to table: all runs, their records, the verdict. */
#ifndef PVSPIN_BENCH_SESSION_BENCH_H
#define PVSPIN_BENCH_SESSION_BENCH_H

#include "bench/plan.h"
#include "lib/record.h"
#include "lib/verdict.h"

/*
 * Runs everything that the plan asks for and logs it. VERDICT_FAIL: a lock did not exclude.
 * VERDICT_ERROR: the launcher's `go` or a CPU did not arrive; the log has the runs before that.
 * Once per boot (it allocates), on CPU 0. `plan` must outlive the call.
 */
enum verdict bench_run_plan(const struct plan *plan);

/* Adds to a crash's record the current lock and the CPU in its critical section, or -1
 * (uncontended: in CPU 0's; kbuild: of the lock that the calling CPU waits for). Nothing outside a
 * run. Any CPU. */
void bench_describe(struct record *record);

#endif
