/* SPDX-License-Identifier: MIT */
/*
 * A small preemptive scheduler: a run queue for each vCPU, first come first served, a tick that
 * ends a task's turn if others wait, an idle vCPU takes from the one with most tasks. What queues
 * and wake-ups are locked with are pi and rq locks of the kind under test, in Linux's order.
 *
 * A tick only says that the turn is over. The task gives way at its next sched_point(): in user
 * phases every few hundred cycles, in the kernel between sections, as Linux does that is built with
 * PREEMPT_VOLUNTARY; never inside a section, where Linux does not preempt either.
 */
#ifndef PVSPIN_BENCH_KBUILD_SCHED_H
#define PVSPIN_BENCH_KBUILD_SCHED_H

#include "bench/kbuild/world.h"

/* All tasks runnable, spread over the queues; fn(task) is what each does first. */
void sched_init_tasks(void (*fn)(void *task));

/* Schedules on the calling vCPU until all tasks are gone. */
void sched_run(struct vcpu *me);

/* From the tick, in interrupt context. */
void sched_tick(struct vcpu *me);

/* By tasks, no lock held. May return on another vCPU. */
void sched_point(void);
void sched_block(void); /* until sched_wake(), which may have come already */
void sched_exit(void) __attribute__((noreturn));

/* By a task; it may hold a wait queue's lock. */
void sched_wake(struct vcpu *me, struct task *task);

#endif
