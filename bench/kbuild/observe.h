/* SPDX-License-Identifier: MIT */
/* latency=on and trace= for workload=kbuild. Without them none of this code runs: the locks are
 * called through world.ops anyway, and observe() puts other operations there. */
#ifndef PVSPIN_BENCH_KBUILD_OBSERVE_H
#define PVSPIN_BENCH_KBUILD_OBSERVE_H

#include "locks/core/lock.h"

/* Returns the same operations, except that acquire() and release() also fill the calling vCPU's
 * histograms, if it has any, and its trace. Valid until the next call. */
const struct lock_ops *observe(const struct lock_ops *ops);

#endif
