/* SPDX-License-Identifier: MIT */
/*
 * Whether a phase was long enough for the host's scheduler: where more vCPUs want to run than there
 * are CPUs, a lock's figures are those of a few time slices unless there are many. And a check of
 * the measurement by itself: what a strict FIFO lock that only spins must come to there.
 */
#ifndef PVSPIN_BENCH_SLICES_H
#define PVSPIN_BENCH_SLICES_H

#include <stdbool.h>
#include <stdint.h>

#define SLICES_ENOUGH 50 /* of a vCPU in a phase */

#define FIFO_AGREES 3 /* a factor */

/* Over all vCPUs and phases of a table's row. */
struct slices {
	uint64_t vcpu_phases;  /* how many vCPUs times how many phases */
	uint64_t scheduled_in; /* how often one of them was given a CPU */
	uint64_t steal_ns;
	uint64_t elapsed_ns; /* summed over vcpu_phases */
};

/* More than a twentieth of the vCPUs' time was stolen. */
bool slices_overcommitted(const struct slices *slices);

/* Overcommitted, and fewer than SLICES_ENOUGH for each vCPU and phase. */
bool slices_too_few(const struct slices *slices);

/*
 * Hand-overs a second that T vCPUs, of which P have a CPU for slices of s, make of a strict
 * FIFO lock: P/((T/P - 1)s). Whoever is next is off its CPU for the slices of T/P - 1 others, and P
 * CPUs come to that at a time. From the steal times: P = T x (1 - stolen share), and one absence is
 * the stolen time by the number of times that a CPU was given. 0: not overcommitted, or too few
 * slices to say.
 *
 * Where the next ones happen to run too, the lock goes on to them, so up to T/P times as many are
 * right; and slices differ. Hence FIFO_AGREES.
 */
uint64_t slices_fifo_rate(const struct slices *slices, uint32_t threads);
bool slices_fifo_agrees(uint64_t expected, uint64_t measured);

#endif
