/* SPDX-License-Identifier: MIT */
/* The comments in TAP that explain a failure on simulated CPUs. */
#ifndef PVSPIN_TESTS_LOCKS_SIM_REPORT_H
#define PVSPIN_TESTS_LOCKS_SIM_REPORT_H

#include "sim/explore/explore.h"
#include "tests/suites/locks/cases.h"

/* How the run ended, in a word or two. */
const char *report_end(enum explore_end end);

/* Explains the failure of the run that has just ended. `again`: the option, without its dashes,
 * that repeats it. */
void report_failure(const struct lock_case *c, const struct lock_ops *ops, enum explore_end end,
		    const char *again);

#endif
