/* SPDX-License-Identifier: MIT */
/* The HPET: a clock that tells its own rate, and one interrupt. IA-PC HPET Specification 1.0a. */
#ifndef PVSPIN_KERNEL_HPET_H
#define PVSPIN_KERNEL_HPET_H

#include "kernel/machine.h"
#include <stdbool.h>
#include <stdint.h>

/* Looks for one as ACPI names it, stops the timers that firmware left running, starts the counter.
 * Boot CPU, after paging_init(). Without one nothing below may be called but hpet_present(). */
void hpet_init(const struct boot_info *boot);
bool hpet_present(void);

uint64_t hpet_period_fs(void); /* of a tick */
uint64_t hpet_mask(void);      /* counter and timer 0 are 64 or 32 bits wide */
uint64_t hpet_counter(void);

#define HPET_LEGACY_PIN 2 /* of the I/O APIC with global interrupt 0: timer 0's, 2.3.3 */

/* Lets timer 0 raise HPET_LEGACY_PIN, and takes the 8254 off it; false if it cannot. */
bool hpet_route_legacy(void);
void hpet_interrupt_at(uint64_t counter); /* once */
void hpet_interrupt_off(void);

#endif
