/* SPDX-License-Identifier: MIT */
/* The last step of plan_parse: adapts the plan to its workload. */
#ifndef PVSPIN_BENCH_PLAN_WORKLOAD_H
#define PVSPIN_BENCH_PLAN_WORKLOAD_H

#include "bench/plan.h"
#include "bench/plan_error.h"

/* Refuses the first key of `line` that the workload does not have, a lock that it cannot run, and a
 * tasks= that it cannot fulfil. Then sets the keys that the workload does not have to the value for
 * "none", and chooses jobs= or ms= if they were not given. */
void plan_fit_workload(struct plan *plan, const char *line, struct plan_error *error);

#endif
