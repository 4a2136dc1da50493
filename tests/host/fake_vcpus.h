/* SPDX-License-Identifier: MIT */
/* The vCPUs of a port that a unit test plays: their counters, and nothing that runs. */
#ifndef PVSPIN_TESTS_HOST_FAKE_VCPUS_H
#define PVSPIN_TESTS_HOST_FAKE_VCPUS_H

#include "locks/core/stats.h"

#define FAKE_VCPUS 4 /* what port_cpu_count() says */

/* What port_stats() gives of each. */
extern struct lock_stats fake_stats[FAKE_VCPUS];

#endif
