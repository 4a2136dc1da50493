/* SPDX-License-Identifier: MIT */
/*
 * The locks' tunables: guest command-line keys, printed in every run record. One table, in
 * tunables.c, holds each one's name, default and range; locks read the values through the struct.
 */
#ifndef PVSPIN_LOCKS_TUNABLES_H
#define PVSPIN_LOCKS_TUNABLES_H

#include <stddef.h>
#include <stdint.h>

struct lock_tunables {
	uint32_t spin_threshold;  /* polls before a pv lock halts (Linux SPIN_THRESHOLD) */
	uint32_t prev_check_mask; /* pv-qspinlock: polls between looks at the predecessor, less 1 */
	uint32_t pending_loops;   /* qspinlock: polls for a pending hand-over (_Q_PENDING_LOOPS) */
};

extern struct lock_tunables lock_tunables; /* written before a run, only read during it */

struct tunable {
	const char *name;
	uint32_t *value;
	uint32_t initial, min, max;
};

extern const struct tunable tunables[];
extern const size_t tunable_count;

void tunables_reset(void); /* all to their initial values */

#endif
