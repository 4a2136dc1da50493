/* SPDX-License-Identifier: MIT */
/*
 * A bound on what CPU 0 does next, which holds even if it hangs with interrupts masked: the HPET's
 * timer 0 sends CPU 0 an NMI when time is up. Arming and disarming are a few device accesses, the
 * time between costs nothing: no vCPU looks at anything. One bound at a time; CPU 0 only.
 */
#ifndef PVSPIN_KERNEL_WATCHDOG_H
#define PVSPIN_KERNEL_WATCHDOG_H

#include "kernel/traps.h"
#include <stdbool.h>
#include <stdint.h>

/* Without an HPET and an I/O APIC, or on an APIC ID that an I/O APIC cannot address, nothing below
 * does anything. After apic_enable(), hpet_init() and ioapic_init(); boot CPU. */
void watchdog_init(void);

const char *watchdog_source(void); /* "hpet" or "none": the boot record's `watchdog` */

/* fn(arg) is called on CPU 0, by traps_leave_nmi(), `ns` from now unless watchdog_stop() comes
 * first; it must not return. Replaces a bound that is still set. */
void watchdog_start(uint64_t ns, void (*fn)(void *arg), void *arg);
void watchdog_stop(void);
void watchdog_feed(void); /* something has come about: a bound that is set begins anew */

/* Of an NMI on CPU 0 (trap_dispatch): true if it is the watchdog's, that of a bound lifted in the
 * same instant included. If time is up, fn is what follows the handler. */
bool watchdog_bites(struct trap_frame *frame);

#endif
