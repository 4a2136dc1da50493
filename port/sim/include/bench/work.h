/* SPDX-License-Identifier: MIT */
/* bench/work.h of the simulated port; the include path finds it first. An iteration is a cycle. */
#ifndef PVSPIN_BENCH_WORK_H
#define PVSPIN_BENCH_WORK_H

#include "port/sim/seam.h"
#include <stdint.h>

static inline void work(uint32_t iterations)
{
	if (iterations)
		sim_work(iterations);
}

#endif
