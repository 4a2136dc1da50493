/* SPDX-License-Identifier: MIT */
/* The bounds of a run, looked after by CPU 0's tick: too long is stopped, stuck is reported. */
#ifndef PVSPIN_BENCH_KBUILD_WATCH_H
#define PVSPIN_BENCH_KBUILD_WATCH_H

#include <stdint.h>

void watch_begin(uint32_t run_number);
void watch_tick(void); /* CPU 0, in interrupt context */

#endif
