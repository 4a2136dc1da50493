/* SPDX-License-Identifier: MIT */
/* The functions of port/port.h for the number of vCPUs and their counters: see fake_vcpus.h. */
#include "tests/host/fake_vcpus.h"

#include "port/port.h"

struct lock_stats fake_stats[FAKE_VCPUS];

struct lock_stats *port_stats(uint32_t cpu)
{
	return &fake_stats[cpu];
}

uint32_t port_cpu_count(void)
{
	return FAKE_VCPUS;
}
