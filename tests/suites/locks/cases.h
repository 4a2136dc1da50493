/* SPDX-License-Identifier: MIT */
/*
 * All cases that are linked in, and how one is run: for whoever drives the client
 * (tests/locks/main.c, guest.c). One case runs at a time, on CPU 0 and those it asks for.
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

/* Whether it can be run here: enough CPUs, a backend that halts where one is needed. Otherwise
 * false, and `why` says what is missing. `own` is the port's backend. */
bool case_possible(const struct lock_case *c, const struct lock_ops *ops,
		   const struct pv_backend *own, char *why, size_t size);

/* On a lock that init has just set up, with initial tunables. The test as the case has left it:
 * `failed` and `why`. */
const struct test *case_run(const struct lock_case *c, const struct lock_ops *ops,
			    const struct pv_backend *own, uint32_t budget_ms);

/* The test of the case that runs, or ran last; for reports from a signal or interrupt. */
const struct test *case_test(void);

#endif
