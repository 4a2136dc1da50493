/* SPDX-License-Identifier: MIT */
/*
 * What a workload with a scheduler of its own needs of the port: stacks and the switch between
 * them, a tick on each CPU, and sleep for a CPU that has nothing to run. Where tasks move between
 * CPUs, nothing that belongs to a CPU (port_cpu(), port_my_stats()) may be kept over a switch.
 */
#ifndef PVSPIN_PORT_TASK_H
#define PVSPIN_PORT_TASK_H

#include <stdatomic.h>
#include <stdint.h>

/* The top of a new stack; for set-up only, never freed. */
void *port_stack_alloc(void);

/* Prepares the stack, nobody on it, for a first port_switch() that calls fn(arg), which must never
 * return. Returns what to switch to. */
void *port_task_begin(void *stack_top, void (*fn)(void *arg), void *arg);

/* Leaves the current stack, noting in *from where, and goes on at `to`: where another call noted
 * it, or at a task's beginning. Returns when somebody switches to *from. (common/switch.asm) */
void port_switch(void **from, void *to);

/* Calls fn on the calling CPU every `ns`, in interrupt context (hosted: a signal handler on the
 * CPU's thread); from here on its interrupts are enabled. The same fn on all CPUs. CPU 0 has one
 * timer for all: no port_timer_start() between these two. port_tick_stop() puts back the interrupt
 * flag as port_run_on() wants it. */
void port_tick_start(uint64_t ns, void (*fn)(void));
void port_tick_stop(void);

/* Sleeps while *word == seen, until an interrupt or port_wake() at the latest; for no lock's wait,
 * which is pv.h's. The waker changes *word first. */
void port_sleep(const _Atomic uint32_t *word, uint32_t seen);
void port_wake(uint32_t cpu, const _Atomic uint32_t *word);

#endif
