/* SPDX-License-Identifier: MIT */
/* Threads of control that the engine switches itself: one for each vCPU. */
#ifndef PVSPIN_SIM_FIBER_H
#define PVSPIN_SIM_FIBER_H

/* Leaves the current stack, noting in *from where, and goes on at `to`. */
void fiber_switch(void **from, void *to);

/* Prepares a stack, for a first fiber_switch() that calls fn(arg), which must never return. Returns
 * what to switch to. `top` is a multiple of 16. */
void *fiber_begin(void *top, void (*fn)(void *arg), void *arg);

#endif
