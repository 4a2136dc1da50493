/* SPDX-License-Identifier: MIT */
/* The boot CPU's one-shot timer, that of its local APIC. Arming it is one VM exit; there is no
 * further exit until it fires. All functions but timer_doze and timer_tick_*: boot CPU only. */
#ifndef PVSPIN_KERNEL_TIMER_H
#define PVSPIN_KERNEL_TIMER_H

#include <stdint.h>

/* Calibrates against the TSC (about 1 ms). After tsc_init() and apic_enable(). */
void timer_init(void);

/* Calls fn(arg) from the interrupt handler, `ns` from now at the earliest; interrupts must be
 * enabled by then. Replaces a timer that is still armed. fn may call timer_start. */
void timer_start(uint64_t ns, void (*fn)(void *arg), void *arg);
void timer_cancel(void);

/* Halts the calling CPU, any but the boot CPU, until its own timer fires `ns` from now; any other
 * interrupt, or a kick, ends it sooner. Interrupts are taken meanwhile. */
void timer_doze(uint64_t ns);

/*
 * Calls fn on this CPU (any CPU) every `ns` from the interrupt handler, once interrupts are
 * enabled. All CPUs that tick at the same time have the same fn. On the boot CPU the tick replaces
 * the timer: no timer_start() until timer_tick_stop(), which is called with interrupts masked.
 */
void timer_tick_start(uint64_t ns, void (*fn)(void));
void timer_tick_stop(void);

/* Halts this CPU for `ns`. Enables interrupts while it does. */
void timer_sleep(uint64_t ns);

#endif
