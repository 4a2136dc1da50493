/* SPDX-License-Identifier: MIT */
/* The measurement from plan to table: all runs, their records, the verdict. */
#ifndef PVSPIN_BENCH_BENCH_H
#define PVSPIN_BENCH_BENCH_H

#include "bench/plan.h"
#include "pvspin/verdict.h"

/*
 * Runs everything the plan asks for and logs it. VERDICT_FAIL: a lock did not exclude.
 * VERDICT_ERROR: the launcher's `go` or a CPU did not come; the runs before it are in the log. Once
 * per boot (it allocates), on CPU 0. `plan` must outlive the call.
 */
enum verdict bench_run_plan(const struct plan *plan);

#endif
