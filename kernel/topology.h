/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_KERNEL_TOPOLOGY_H
#define PVSPIN_KERNEL_TOPOLOGY_H

#include "kernel/machine.h"

/* Fills m->cpus with the CPUs to start: those ACPI says are enabled and the APIC mode can address,
 * the calling one first, the others in the order of the MADT. Without ACPI it is the calling CPU
 * alone; with tables that cannot be believed too, and m->cpus_unknown. A text line says why. After
 * apic_enable(). */
void topology_init(const struct boot_info *boot, struct machine *m);

/* NUMA nodes of m->cpus: `nodes` runs of CPUs if it is not 0, else as the ACPI SRAT says, else one
 * node. After topology_init(). */
void topology_set_nodes(const struct boot_info *boot, struct machine *m, uint32_t nodes);

#endif
