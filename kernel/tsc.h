/* SPDX-License-Identifier: MIT */
/* How fast the TSC ticks, and time derived from it. */
#ifndef PVSPIN_KERNEL_TSC_H
#define PVSPIN_KERNEL_TSC_H

#include "kernel/machine.h"
#include <stdint.h>

/* Finds machine->tsc_khz and says by what in machine->tsc_source, best first: "cpuid-0x40000010",
 * "kvmclock", "cpuid-0x15", "pit", "cpuid-0x16". Boot CPU, interrupts masked. Panics if none gives
 * anything. */
void tsc_init(struct machine *machine);

uint64_t tsc_to_ns(uint64_t cycles);
uint64_t tsc_from_ns(uint64_t ns);

/* Spins; for the microseconds of APIC protocol only. */
void tsc_delay_us(uint32_t us);

#endif
