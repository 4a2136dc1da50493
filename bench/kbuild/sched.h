/* SPDX-License-Identifier: MIT */
/*
 * A small preemptive scheduler. Each vCPU has a FIFO run queue; a tick ends a task's turn if others
 * wait; an idle vCPU takes a task from the vCPU with the most. Queues and wake-ups are protected by
 * pi and rq locks of the kind under test, in Linux's order.
 *
 * A tick only marks the turn as over. The task gives way at its next sched_point(): in user phases
 * every few hundred cycles, in the kernel between sections, like a Linux built with
 * PREEMPT_VOLUNTARY; never inside a section, where Linux does not preempt either.
 */
#ifndef PVSPIN_BENCH_KBUILD_SCHED_H
#define PVSPIN_BENCH_KBUILD_SCHED_H

#include "bench/kbuild/world.h"

/* Makes all tasks runnable and spreads them over the queues. Each begins by fn(task). */
void sched_init_tasks(void (*fn)(void *task));

/* Schedules on the calling vCPU until all tasks are gone. */
void sched_run(struct vcpu *me);

/* Called by the tick, in interrupt context. */
void sched_tick(struct vcpu *me);

/* Called by tasks without a lock. May return on another vCPU. */
void sched_point(void);
void sched_block(void); /* until sched_wake(), which may have come already */
void sched_exit(void) __attribute__((noreturn));

/* Called by a task, which may hold a wait queue's lock. */
void sched_wake(struct vcpu *me, struct task *task);

#endif
