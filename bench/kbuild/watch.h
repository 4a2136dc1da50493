/* SPDX-License-Identifier: MIT */
/* The bounds of a run, which CPU 0's tick checks: a run that takes too long is stopped, a stuck one
 * is reported. Where CPU 0 takes no tick, the port's watch reports it (port/hang.h). */
#ifndef PVSPIN_BENCH_KBUILD_WATCH_H
#define PVSPIN_BENCH_KBUILD_WATCH_H

#include <stdint.h>

/* Called around a run, on CPU 0: bounds the whole run, even if CPU 0 takes no interrupts. */
void watch_start(uint32_t run_number);
void watch_over(void);

void watch_begin(void); /* all have arrived */
void watch_tick(void);  /* CPU 0, in interrupt context */

#endif
