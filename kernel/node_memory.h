/* SPDX-License-Identifier: MIT */
/*
 * Memory near a CPU: on its NUMA node, if the SRAT says which memory that is. Otherwise, and when
 * the node's memory is used up, memory_alloc()'s.
 */
#ifndef PVSPIN_KERNEL_NODE_MEMORY_H
#define PVSPIN_KERNEL_NODE_MEMORY_H

#include "kernel/machine.h"
#include <stddef.h>
#include <stdint.h>

/* Before the first of the calls below. With several nodes, memory_alloc() takes memory of one of
 * them from here on. */
void node_memory_init(const struct boot_info *boot, const struct machine *m);

/* As memory_alloc(), near `cpu`; `align` is at most a page. */
void *node_memory_alloc(uint32_t cpu, size_t bytes, size_t align);

/* Memory for each CPU 0..count-1, near it: CPU c's `bytes` are at the result + c * *stride. */
void *node_memory_alloc_each(uint32_t count, size_t bytes, size_t *stride);

/* A stack near `cpu`: as stack_alloc() of kernel/paging.h. */
uint64_t node_memory_stack(uint32_t cpu, size_t bytes);

#endif
