/* SPDX-License-Identifier: MIT */
/*
 * All cases that are linked in, and how to run one, for the drivers of the client
 * (tests/locks/main.c, tests/locks/sim/main.c, guest.c). One case runs at a time, on CPU 0 and the
 * CPUs that it asks for.
 */
#ifndef PVSPIN_TESTS_SUITES_LOCKS_CASES_H
#define PVSPIN_TESTS_SUITES_LOCKS_CASES_H

#include "locks/core/pv.h"
#include "tests/suites/locks/client.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

size_t case_count(void);
const struct lock_case *case_at(size_t i); /* in link order */

/* Whether the case is meant for this lock at all. */
bool case_applies(const struct lock_case *c, const struct lock_ops *ops);

/* Whether the case can run here: enough CPUs, a backend that halts where one is needed. If not,
 * `why` says what is missing. `own` is the port's backend. */
bool case_possible(const struct lock_case *c, const struct lock_ops *ops,
		   const struct pv_backend *own, char *why, size_t size);

/* Runs a case on a lock that init has just set up, with initial tunables. Returns the test as the
 * case has left it: `failed` and `why`. */
const struct test *case_run(const struct lock_case *c, const struct lock_ops *ops,
			    const struct pv_backend *own, uint32_t budget_ms);

/* Returns the test of the case that runs or ran last; for reports from a signal or interrupt. */
const struct test *case_test(void);

#endif
