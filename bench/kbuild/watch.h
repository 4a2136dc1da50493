/* SPDX-License-Identifier: MIT */
/* The bounds of a run, looked after by CPU 0's tick: too long is stopped, stuck is reported. */
#ifndef PVSPIN_BENCH_KBUILD_WATCH_H
#define PVSPIN_BENCH_KBUILD_WATCH_H

#include <stdint.h>

/* Around a run, on CPU 0: bounds it as a whole, also if CPU 0 takes no interrupts. */
void watch_start(uint32_t run_number);
void watch_over(void);

void watch_begin(void); /* all have arrived */
void watch_tick(void);  /* CPU 0, in interrupt context */

#endif
