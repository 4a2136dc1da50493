/* SPDX-License-Identifier: MIT */
/* The TSC's frequency, and time derived from it. */
#ifndef PVSPIN_KERNEL_TSC_H
#define PVSPIN_KERNEL_TSC_H

#include "kernel/machine.h"
#include <stdint.h>

/* Sets machine->tsc_khz and its source machine->tsc_source; from best to worst: "cpuid-0x40000010",
 * "kvmclock", "cpuid-0x15", "pit", "hpet", "acpi-pm", "cpuid-0x16". Boot CPU, interrupts masked,
 * after hpet_init(). An error verdict if no source works. */
void tsc_init(const struct boot_info *boot, struct machine *machine);

/* Measures the rate, in kHz, by the first clock that counts, and sets *source to the clock's name;
 * 0 if none counts. tsc_measure.c */
uint32_t tsc_measure(const struct boot_info *boot, const char **source);

/* Fills m->tsc_invariant, kvmclock_stable, tsc_warp_cycles, tsc_adjust. With all vCPUs online;
 * takes a few hundred microseconds. tsc_check.c */
void tsc_check(struct machine *m);

uint64_t tsc_to_ns(uint64_t cycles);
uint64_t tsc_from_ns(uint64_t ns);

/* Spins. Only for the microseconds that the APIC protocol needs. */
void tsc_delay_us(uint32_t us);

#endif
