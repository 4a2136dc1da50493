/* SPDX-License-Identifier: MIT */
/*
 * Services of the port for a workload with its own scheduler: stacks and switches between them, a
 * tick on each CPU, and sleep for an idle CPU. Tasks may move between CPUs, so they must not keep
 * values that belong to a CPU (port_cpu(), port_my_stats()) across a switch.
 */
#ifndef PVSPIN_PORT_TASK_H
#define PVSPIN_PORT_TASK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Returns the top of a new stack; for set-up only, never freed. */
void *port_stack_alloc(void);

/* Prepares an unused stack for a first port_switch(), which calls fn(arg); fn must never return.
 * Returns the `to` for that switch. */
void *port_task_begin(void *stack_top, void (*fn)(void *arg), void *arg);

/* Leaves the current stack, saves its position in *from, and continues at `to`: a position that
 * another call saved, or a task's beginning. Returns when a later call switches to *from. */
void port_switch(void **from, void *to);

/* Calls `tick` on the calling CPU every `ns`, and `call` after a port_call() for it, in interrupt
 * context (hosted: a signal handler on the CPU's thread); enables its interrupts. All CPUs must use
 * the same functions. CPU 0 has only one timer, so no port_timer_start() may come between these two
 * calls. port_tick_stop() restores the interrupt flag that port_run_on() requires. */
void port_tick_start(uint64_t ns, void (*tick)(void), void (*call)(void));
void port_tick_stop(void);

/* Makes a CPU that takes ticks run `call` at least once, as soon as its interrupts are enabled. */
void port_call(uint32_t cpu);

/* Masks the calling CPU's interrupts; returns whether they were enabled. Only for CPUs that take
 * ticks. Hosted: no effect, because to block a signal would take two system calls. */
bool port_irq_disable(void);
void port_irq_enable(void);

/* Sleeps while *word == seen, until an interrupt or port_wake() at the latest. The waker changes
 * *word first. Locks do not use this; they wait by pv.h. */
void port_sleep(const _Atomic uint32_t *word, uint32_t seen);
void port_wake(uint32_t cpu, const _Atomic uint32_t *word);

#endif
