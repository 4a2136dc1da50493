/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's own estimate of how much of its time slice is left. The host tells a guest when it was
 * off the CPU (steal.h), not how long it may stay on. So a slice starts when the vCPU's own
 * steal-time page says that the vCPU was kept waiting, and is taken to last about as long as short
 * slices lasted so far. The estimate is a low quantile of their lengths, because only a slice
 * believed too long does harm.
 *
 * A vCPU that has not been kept waiting for a while has no competition: its slice has no end. The
 * answer is the same where there is no steal-time page.
 *
 * Times are TSC values given by the caller, so that a test can invent them. For use by one CPU; a
 * nested use from an interrupt makes the estimate worse, nothing else.
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
	uint64_t *kept;    /* where the quantile outlives this slice's memory, with its vCPU */
	uint64_t quantile; /* of the lengths; 0: no whole slice seen yet */
	uint64_t quiet;    /* a vCPU not kept waiting for this long has no competition */
	uint64_t steal;    /* the page's, when version was noted */
	uint32_t version;
	uint32_t number; /* counts slices */
	bool whole;      /* the start of this slice was seen */
	/* of slices that the host ended: their length, and by how much the estimate was too long or
	 * too short */
	struct histogram length, over, under;
};

/* Sets up zeroed memory. `area`: the calling CPU's own steal-time page. */
void slice_begin(struct slice *slice, const struct steal_area *area, uint64_t *kept, uint64_t now,
		 uint64_t quiet);
/* For slice_look, when the version has changed. Out of line, cold. */
void slice_resumed(struct slice *slice, uint64_t now);
/* Call after a halt or a yield: starts a new slice if this vCPU was off the CPU. The old one
 * teaches nothing, because nobody knows how long it would have been. */
void slice_left(struct slice *slice, uint64_t now);
/* The slice is longer than expected: it has no end until the next one starts. */
void slice_outlived(struct slice *slice, uint64_t now);
/* Call when slice_covers said no: whether the competition is long gone. Then the slice is endless
 * from now on. */
bool slice_is_quiet(struct slice *slice, uint64_t now);

static inline bool slice_changed(const struct slice *slice)
{
	return atomic_load_explicit(&slice->area->version, memory_order_relaxed) != slice->version;
}

/* Call as often as possible: the more often, the better start and end are known. */
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
