/* SPDX-License-Identifier: MIT */
/*
 * The one table of the locks' tunables. Initial values are Linux 6.12's: SPIN_THRESHOLD 1 << 15
 * (include/asm/spinlock.h), PV_PREV_CHECK_MASK 0xff (qspinlock_paravirt.h), _Q_PENDING_LOOPS 1 << 9
 * (arch/x86/include/asm/qspinlock.h).
 */
#include "locks/tunables.h"

#define SPIN_THRESHOLD  (1u << 15)
#define PREV_CHECK_MASK 0xffu
#define PENDING_LOOPS   (1u << 9)

struct lock_tunables lock_tunables = {
	.spin_threshold = SPIN_THRESHOLD,
	.prev_check_mask = PREV_CHECK_MASK,
	.pending_loops = PENDING_LOOPS,
};

const struct tunable tunables[] = {
	{"spin_threshold", &lock_tunables.spin_threshold, SPIN_THRESHOLD, 1, UINT32_MAX},
	/* 0 looks at every poll; use one less than a power of two */
	{"prev_check_mask", &lock_tunables.prev_check_mask, PREV_CHECK_MASK, 0, UINT32_MAX},
	{"pending_loops", &lock_tunables.pending_loops, PENDING_LOOPS, 1, UINT32_MAX},
};
const size_t tunable_count = sizeof(tunables) / sizeof(tunables[0]);

void tunables_reset(void)
{
	for (size_t i = 0; i < tunable_count; i++)
		*tunables[i].value = tunables[i].initial;
}
