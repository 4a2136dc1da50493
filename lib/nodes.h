/* SPDX-License-Identifier: MIT */
/* NUMA nodes made up for nodes=. The locks see them as indices from 0 without gaps. */
#ifndef PVSPIN_LIB_NODES_H
#define PVSPIN_LIB_NODES_H

#include <stdint.h>

/* The node of a CPU if `cpus` CPUs are split into `nodes` consecutive parts whose sizes differ by
 * at most one; 1 <= nodes <= cpus. */
static inline uint32_t nodes_split(uint32_t cpu, uint32_t cpus, uint32_t nodes)
{
	return (uint32_t)((uint64_t)cpu * nodes / cpus);
}

#endif
