/* SPDX-License-Identifier: MIT */
/*
 * Bounds CPU 0's next piece of work even if it hangs with interrupts masked: when time is up, the
 * HPET's timer 0 sends CPU 0 an NMI. Arming and disarming cost a few device accesses; the time
 * between costs nothing, because no vCPU polls. One bound at a time; CPU 0 only.
 */
#ifndef PVSPIN_KERNEL_WATCHDOG_H
#define PVSPIN_KERNEL_WATCHDOG_H

#include <stdint.h>

/* If HPET or I/O APIC is missing, or the I/O APIC cannot address this APIC ID, the functions below
 * do nothing. After apic_enable(), hpet_init() and ioapic_init(); boot CPU. */
void watchdog_init(void);

const char *watchdog_source(void); /* "hpet" or "none": the boot record's `watchdog` */

/* Calls fn(arg) on CPU 0, by traps_leave_nmi(), `ns` from now, unless watchdog_stop() is called
 * first. fn must not return. Replaces a bound that is still set. */
void watchdog_start(uint64_t ns, void (*fn)(void *arg), void *arg);
void watchdog_stop(void);
void watchdog_feed(void); /* there is progress: restarts a bound that is set */

#endif
