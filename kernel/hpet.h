/* SPDX-License-Identifier: MIT */
/* The HPET: a clock that knows its own rate, and one interrupt. IA-PC HPET Specification 1.0a. */
#ifndef PVSPIN_KERNEL_HPET_H
#define PVSPIN_KERNEL_HPET_H

#include "kernel/machine.h"
#include <stdbool.h>
#include <stdint.h>

/* Finds the HPET by ACPI, stops timers that firmware left running, and starts the counter. Boot
 * CPU, after paging_init(). Without an HPET only hpet_present() may be called. */
void hpet_init(const struct boot_info *boot);
bool hpet_present(void);

uint64_t hpet_period_fs(void); /* period of a tick */
uint64_t hpet_mask(void);      /* for the width of counter and timer 0, 64 or 32 bits */
uint64_t hpet_counter(void);

#define HPET_LEGACY_PIN 2 /* timer 0's pin of the I/O APIC with global interrupt 0, 2.3.3 */

/* Makes timer 0 raise HPET_LEGACY_PIN and takes the 8254 off that pin; false if it cannot. */
bool hpet_route_legacy(void);
void hpet_interrupt_at(uint64_t counter); /* once */
void hpet_interrupt_off(void);

#endif
