/* SPDX-License-Identifier: MIT */
/*
 * See slice.h. A vCPU was kept waiting if its page's `version` moved and `steal` grew. KVM also
 * moves the version when it took the vCPU off and put it back with nobody in between, for example
 * on an exit to user space; then the host's slice goes on, and so does ours.
 *
 * The quantile is a stochastic approximation: each shorter slice lowers it by 1/16, each longer one
 * raises it by 1/256, so it settles where one slice in 17 is shorter.
 */
#include "locks/core/slice.h"

#define ENDLESS   (UINT64_C(1) << 62) /* cycles: decades */
#define STEP_DOWN 16
#define STEP_UP   256

/* Notes version and steal time of one and the same stay on the CPU; see note_steal in spin.c. */
static void note(struct slice *slice)
{
	do {
		slice->version = atomic_load_explicit(&slice->area->version, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
		slice->steal = atomic_load_explicit(&slice->area->steal, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
	} while (slice_changed(slice));
}

void slice_begin(struct slice *slice, const struct steal_area *area, uint64_t *kept, uint64_t now,
		 uint64_t quiet)
{
	histogram_reset(&slice->length);
	histogram_reset(&slice->over);
	histogram_reset(&slice->under);
	slice->area = area;
	slice->kept = kept;
	slice->quantile = *kept;
	slice->quiet = quiet;
	slice->start = slice->last = now;
	slice->end = now + ENDLESS;
	note(slice);
}

static void start(struct slice *slice, uint64_t now)
{
	slice->start = now;
	slice->end = now + (slice->quantile ? slice->quantile : ENDLESS);
	slice->whole = true;
	slice->number++;
}

/* Learns from a whole slice, which the host ended at the last look or soon after. */
static void learn(struct slice *slice)
{
	uint64_t length = slice->last - slice->start;
	uint64_t quantile = slice->quantile;

	histogram_add(&slice->length, length);
	if (quantile == 0) {
		slice->quantile = *slice->kept = length ? length : 1;
		return;
	}
	if (quantile >= length) {
		histogram_add(&slice->over, quantile - length);
	} else {
		histogram_add(&slice->under, length - quantile);
	}
	if (length < quantile)
		slice->quantile -= quantile / STEP_DOWN;
	else
		slice->quantile += quantile / STEP_UP + 1;
	*slice->kept = slice->quantile;
}

void slice_resumed(struct slice *slice, uint64_t now)
{
	uint64_t steal = slice->steal;

	note(slice);
	if (slice->steal == steal)
		return;
	if (slice->whole)
		learn(slice);
	start(slice, now);
}

void slice_left(struct slice *slice, uint64_t now)
{
	if (slice_changed(slice)) {
		note(slice);
		start(slice, now);
	}
	slice->last = now;
}

void slice_outlived(struct slice *slice, uint64_t now)
{
	slice->end = now + ENDLESS;
}

bool slice_is_quiet(struct slice *slice, uint64_t now)
{
	if (now - slice->start <= slice->quiet)
		return false;
	slice_outlived(slice, now);
	return true;
}
