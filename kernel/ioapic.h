/* SPDX-License-Identifier: MIT */
/* The I/O APICs. Only the watchdog's pin is used. 82093AA I/O APIC data sheet. */
#ifndef PVSPIN_KERNEL_IOAPIC_H
#define PVSPIN_KERNEL_IOAPIC_H

#include "kernel/acpi.h"
#include <stdbool.h>
#include <stdint.h>

/* Masks every pin of every I/O APIC. Boot CPU, once. */
void ioapic_init(const struct acpi_cpus *cpus);

/* Makes this pin of the I/O APIC with global interrupt 0 send an NMI to that CPU; false if there is
 * no such I/O APIC or it cannot address the CPU. */
bool ioapic_nmi(uint32_t pin, uint32_t apic_id);

#endif
