/* SPDX-License-Identifier: MIT */
/*
 * An estimate, by a vCPU itself, of how much of its time slice is left. The host tells a guest when
 * it was off the CPU (steal.h), not for how long it may stay on. So: a slice starts when the own
 * steal-time page says that we were kept waiting, and lasts about as long as short slices lasted so
 * far. A low quantile of their lengths, as a slice believed too long is what does harm.
 *
 * Who has not been kept waiting for a while is not in competition: its slice has no end. That also
 * is the answer where there is no steal-time page.
 *
 * Times are TSC values given by the caller, so that a test can invent them. Used by one CPU; what a
 * nested use from an interrupt does to it is a worse estimate, nothing else.
 */
#ifndef PVSPIN_LOCKS_CORE_SLICE_H
#define PVSPIN_LOCKS_CORE_SLICE_H

#include "lib/histogram.h"
#include "lib/steal.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct slice {
	const struct steal_area *area; /* NULL: not begun */
	uint64_t start;                /* when this vCPU was first seen to run again */
	uint64_t last;                 /* the last look: the slice went on until then at least */
	uint64_t end;                  /* estimated */
	uint64_t quantile;             /* of the lengths; 0: no whole slice was seen yet */
	uint64_t quiet;                /* not kept waiting for so long: no competition */
	uint64_t steal;                /* the page's, when version was noted */
	uint32_t version;
	uint32_t number; /* counts slices */
	bool whole;      /* the start of this slice was seen */
	/* of slices the host ended: the length, and by how much the estimate was too long, too
	 * short
	 */
	struct histogram length, over, under;
};

/* From zeroed memory. `area`: the calling CPU's own. */
void slice_begin(struct slice *slice, const struct steal_area *area, uint64_t now, uint64_t quiet);
/* Out of line, cold: the version has changed. */
void slice_resumed(struct slice *slice, uint64_t now);
/* After a halt or a yield: a new slice, if this vCPU was off the CPU; how long the old one would
 * have been nobody knows. */
void slice_left(struct slice *slice, uint64_t now);
/* The slice has turned out to be longer than expected: no end to it until the next. */
void slice_outlived(struct slice *slice, uint64_t now);
/* For whom slice_covers said no: whether that is because of a competitor long gone. */
bool slice_is_quiet(struct slice *slice, uint64_t now);

static inline bool slice_changed(const struct slice *slice)
{
	return atomic_load_explicit(&slice->area->version, memory_order_relaxed) != slice->version;
}

/* As often as possible: the more often, the better start and end are known. */
static inline void slice_look(struct slice *slice, uint64_t now)
{
	if (__builtin_expect(slice_changed(slice), 0))
		slice_resumed(slice, now);
	slice->last = now;
}

/* Whether `need` cycles are left, as far as slice_look has seen. Signed: the end may be past. */
static inline bool slice_covers(const struct slice *slice, uint64_t now, uint64_t need)
{
	return (int64_t)(slice->end - now) >= (int64_t)need;
}

#endif
