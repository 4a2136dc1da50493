/* SPDX-License-Identifier: MIT */
/* The vCPUs of a port for unit tests: they have counters, but run nothing. */
#ifndef PVSPIN_TESTS_HOST_FAKE_VCPUS_H
#define PVSPIN_TESTS_HOST_FAKE_VCPUS_H

#include "locks/core/stats.h"

#define FAKE_VCPUS 4 /* what port_cpu_count() says */

/* port_stats() of each. */
extern struct lock_stats fake_stats[FAKE_VCPUS];

#endif
