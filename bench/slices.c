/* SPDX-License-Identifier: MIT */
/* See slices.h. */
#include "bench/slices.h"

#include "lib/units.h"

#define OVERCOMMITTED_OF 20 /* a twentieth of the time */

bool slices_overcommitted(const struct slices *slices)
{
	return slices->steal_ns > slices->elapsed_ns / OVERCOMMITTED_OF;
}

bool slices_too_few(const struct slices *slices)
{
	return slices_overcommitted(slices) &&
	       slices->scheduled_in < SLICES_ENOUGH * slices->vcpu_phases;
}

uint64_t slices_fifo_rate(const struct slices *slices)
{
	uint64_t absence;

	if (!slices_overcommitted(slices) || slices_too_few(slices) ||
	    slices->steal_ns >= slices->elapsed_ns)
		return 0;
	absence = slices->steal_ns / slices->scheduled_in;
	return absence == 0 ? 0 : 2 * NS_PER_S / absence;
}

bool slices_fifo_agrees(uint64_t expected, uint64_t measured)
{
	return measured >= expected / FIFO_AGREES && measured <= expected * FIFO_AGREES;
}
