/* SPDX-License-Identifier: MIT */
/* TLB shootdowns and other function calls on other vCPUs: the caller waits until each of them has
 * run its handler, so a preempted one makes it wait for the host's scheduler. */
#ifndef PVSPIN_BENCH_KBUILD_SHOOTDOWN_H
#define PVSPIN_BENCH_KBUILD_SHOOTDOWN_H

#include "bench/kbuild/world.h"

/* Called after each page-table section, without a lock and with interrupts enabled. Always makes
 * the same number of draws. */
void shootdown_maybe(struct vcpu *me, struct random *random);

/* Called on the vCPU that was asked, in interrupt context. */
void shootdown_answer(struct vcpu *me);

#endif
