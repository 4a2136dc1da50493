/* SPDX-License-Identifier: MIT */
/*
 * When a vCPU was off its CPU in its latest waits. spin.c writes this down; once the vCPU has the
 * lock it reads it, to tell what it was doing while the lock was free. Each vCPU has its own. Times
 * are TSC values.
 */
#ifndef PVSPIN_LOCKS_CORE_ABSENCE_H
#define PVSPIN_LOCKS_CORE_ABSENCE_H

#include <stdbool.h>
#include <stdint.h>

#define ABSENCES_KEPT 16 /* a power of two; absences beyond these count as being on the CPU */

struct absence {
	uint64_t from, to;
	bool halted; /* in HLT; else the host ran something else */
};

struct absences {
	struct absence kept[ABSENCES_KEPT];
	uint64_t latest; /* the greatest `to` */
	uint32_t next;
};

struct away {
	uint64_t stolen, halted; /* cycles */
};

static inline void absence_note(struct absences *absences, uint64_t from, uint64_t to, bool halted)
{
	if (from >= to)
		return;
	absences->kept[absences->next++ % ABSENCES_KEPT] =
		(struct absence){.from = from, .to = to, .halted = halted};
	if (to > absences->latest)
		absences->latest = to;
}

/* Returns how much of [from, to) the vCPU was away. */
static inline struct away absence_between(const struct absences *absences, uint64_t from,
					  uint64_t to)
{
	struct away away = {0};

	if (absences->latest <= from)
		return away;
	for (uint32_t i = 0; i < ABSENCES_KEPT; i++) {
		const struct absence *absence = &absences->kept[i];
		uint64_t begin = absence->from > from ? absence->from : from;
		uint64_t end = absence->to < to ? absence->to : to;

		if (begin < end)
			*(absence->halted ? &away.halted : &away.stolen) += end - begin;
	}
	return away;
}

#endif
