/* SPDX-License-Identifier: MIT */
/* NUMA nodes as the locks see them, dense from 0: by the SRAT. Pure. */
#ifndef PVSPIN_KERNEL_NODES_H
#define PVSPIN_KERNEL_NODES_H

#include "kernel/acpi.h"
#include "kernel/machine.h"
#include <stddef.h>
#include <stdint.h>

/*
 * Sets node[i] for each CPU of `cpus`, numbering nodes in the order of the proximity domains;
 * returns the number of nodes. Domains without a CPU in `cpus` get no number. CPUs that the SRAT
 * does not place are counted in *unplaced and put into node 0.
 */
uint32_t nodes_from_affinities(const struct acpi_cpus *cpus, const struct acpi_affinities *all,
			       uint32_t *node, uint32_t *unplaced);

/* Fills memory[] with the SRAT's memory of nodes that nodes_from_affinities() has numbered; returns
 * how many, 0 if two of all overlap. */
size_t nodes_of_memory(const struct acpi_cpus *cpus, const struct acpi_affinities *all,
		       const uint32_t *node, struct node_memory memory[ACPI_MAX_MEMORY]);

#endif
