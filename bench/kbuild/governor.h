/* SPDX-License-Identifier: MIT */
/*
 * governor=1: the tasks keep to fewer vCPUs while much time is stolen, as Linux 7.4's steal monitor
 * does (Hegde, "virt/steal_monitor", lkml 2606.3/02972): a guest that asks for fewer CPUs is
 * preempted less, so its lock holders are, too.
 */
#ifndef PVSPIN_BENCH_KBUILD_GOVERNOR_H
#define PVSPIN_BENCH_KBUILD_GOVERNOR_H

#include "bench/kbuild/world.h"
#include <stdbool.h>
#include <stdint.h>

/* Lets the tasks run on all vCPUs. Before a run, on CPU 0. */
void governor_reset(void);

/* Called by CPU 0's tick: looks at the stolen time every governor_ms. */
void governor_tick(void);

/* How many vCPUs may run tasks: those from 0 on. At least 1. A hint. */
uint32_t governor_vcpus(void);

static inline bool governor_parks(const struct vcpu *vcpu)
{
	return vcpu->worker.cpu >= governor_vcpus();
}

struct governor_counts governor_counts(void);

#endif
