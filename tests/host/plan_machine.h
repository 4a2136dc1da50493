/* SPDX-License-Identifier: MIT */
/* Shared by test_plan.c and test_plan_print.c: the machine that plans are for, and the last parsed
 * plan. The locks are those of stub_locks.c. */
#ifndef PVSPIN_TESTS_HOST_PLAN_MACHINE_H
#define PVSPIN_TESTS_HOST_PLAN_MACHINE_H

#include "tests/host/test.h"

#include "bench/plan.h"
#include "locks/core/tunables.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

extern char extra[]; /* the value of the key extra= (stub_locks.c) */

#define CPUS         28
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct plan plan;
static char error[PLAN_ERROR_BYTES];

/* KVM with PV_UNHALT */
static struct plan_machine machine = {
	.cpus = CPUS,
	.linux_facts = {.hypervisor = true, .kvm = true, .pv_unhalt = true, .possible_cpus = CPUS},
};

static inline void assert_ok(const char *cmdline)
{
	if (!plan_parse(cmdline, &machine, &plan, error))
		fail_msg("\"%s\": %s", cmdline, error);
	assert_string_equal(error, "");
}

#endif
