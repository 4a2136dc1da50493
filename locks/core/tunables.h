/* SPDX-License-Identifier: MIT */
/*
 * Tunables: guest command-line keys, printed in the run records of the locks or workloads that read
 * them. A lock, or a file of bench/, defines its own by TUNABLE, so adding a lock stays adding one
 * file. Those that several locks share are in tunables.c; locks read them through lock_tunables.
 */
#ifndef PVSPIN_LOCKS_CORE_TUNABLES_H
#define PVSPIN_LOCKS_CORE_TUNABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lock_tunables {
	uint32_t spin_threshold;  /* polls before a pv lock halts (Linux SPIN_THRESHOLD) */
	uint32_t prev_check_mask; /* pv-qspinlock: polls between looks at the predecessor, less 1 */
	uint32_t pending_loops;   /* qspinlock, cna: polls for a pending hand-over */
	uint32_t spin_us;         /* time before a halt, in place of polls; 0: polls count */
	uint32_t steal;           /* ppc-qspinlock: polls in which to steal, before queueing */
};

extern struct lock_tunables lock_tunables; /* written before a run, only read during it */

/* How many polls take spin_us on this machine. bench/ measures PAUSE and sets it before the runs.
 */
extern uint32_t spin_us_polls;

/* A lock's bound on its polls before it halts: `polls`, unless spin_us= gives it as a time. */
static inline uint32_t polls_to_halt(uint32_t polls)
{
	return lock_tunables.spin_us ? spin_us_polls : polls;
}

struct tunable {
	const char *name;
	const char *of; /* the locks or workloads that read it, separated by commas */
	uint32_t *value;
	uint32_t initial, min, max; /* min <= initial <= max, both inclusive */
};

/* Puts an entry into the ELF section tunable_registry; `id_` names the object. */
#define TUNABLE_ENTRY(id_, name_, of_, value_, initial_, min_, max_)               \
	static const struct tunable tunable_##id_                                  \
		__attribute__((section("tunable_registry"), used, aligned(8))) = { \
			(name_), (of_), (value_), (initial_), (min_), (max_)}

/* Defines `static uint32_t id_`, the value, and the key of the same name. */
#define TUNABLE(id_, of_, initial_, min_, max_) \
	static uint32_t id_ = (initial_);       \
	TUNABLE_ENTRY(id_, #id_, of_, &(id_), initial_, min_, max_)

/* All that are linked in, sorted by name: 0 <= i < tunable_count(). The first call of tunable_at()
 * sorts them, so it must not race with another one. */
size_t tunable_count(void);
const struct tunable *tunable_at(size_t i);
/* NULL if there is none of that name (`length` bytes, not terminated). */
const struct tunable *tunable_find(const char *name, size_t length);
bool tunable_is_of(const struct tunable *tunable, const char *lock_or_workload);

void tunables_reset(void); /* all to their initial values */

#endif
