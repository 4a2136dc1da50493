/* SPDX-License-Identifier: MIT */
/* latency=on and trace= for workload=kbuild. Without them nothing of this is executed: the locks
 * are called through world.ops anyway, and this puts other operations there. */
#ifndef PVSPIN_BENCH_KBUILD_OBSERVE_H
#define PVSPIN_BENCH_KBUILD_OBSERVE_H

#include "locks/core/lock.h"

/* The same operations, but that acquire() and release() also fill the calling vCPU's histograms,
 * if it has some, and its trace. Until the next call. */
const struct lock_ops *observe(const struct lock_ops *ops);

#endif
