/* SPDX-License-Identifier: MIT */
/*
 * Small cases of the locks' correctness, each run under all schedules with at most so many
 * deviations from the plain one (sim/explore/search.c). They are so small that this ends.
 */
#ifndef PVSPIN_TESTS_LOCKS_SIM_SEARCH_H
#define PVSPIN_TESTS_LOCKS_SIM_SEARCH_H

#include "locks/core/lock.h"
#include "locks/core/pv.h"
#include "tests/suites/locks/cases.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const struct lock_case search_cases[];
extern const size_t search_count;

/* Runs the case and prints its line of TAP, with the number of schedules. Returns whether all of
 * them passed. */
bool search_case(const struct lock_case *c, const struct lock_ops *ops,
		 const struct pv_backend *own, uint32_t deviations, unsigned int number);

#endif
