/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_KERNEL_TOPOLOGY_H
#define PVSPIN_KERNEL_TOPOLOGY_H

#include "kernel/machine.h"

/* Fills m->cpus with the CPUs to start: those that are enabled according to ACPI and that the APIC
 * mode can address, the calling one first, the others in the order of the MADT. Without ACPI and MP
 * table, or with invalid ones (which sets m->cpus_unknown), only the calling CPU is known; a text
 * line says why. After apic_enable(). */
void topology_init(const struct boot_info *boot, struct machine *m);

/* Sets the NUMA nodes of m->cpus: `nodes` consecutive parts if that is not 0, otherwise by the ACPI
 * SRAT, otherwise one node. After topology_init(). */
void topology_set_nodes(const struct boot_info *boot, struct machine *m, uint32_t nodes);

#endif
