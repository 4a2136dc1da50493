/* SPDX-License-Identifier: MIT */
/* The last step of plan_parse: what the workload makes of the keys. */
#ifndef PVSPIN_BENCH_PLAN_WORKLOAD_H
#define PVSPIN_BENCH_PLAN_WORKLOAD_H

#include "bench/plan.h"
#include "bench/plan_error.h"

/* Refuses the first key of `line` that the workload does not have, a lock that it cannot run, a
 * tasks= that it cannot keep; then gives what it does not have the value that says so. */
void plan_fit_workload(struct plan *plan, const char *line, struct plan_error *error);

#endif
