/* SPDX-License-Identifier: MIT */
/*
 * Whether a phase was long enough for the host's scheduler. If more vCPUs want to run than there
 * are CPUs, a short phase has only a few time slices, and a lock's figures are then a matter of
 * chance. And a check of the measurement itself: the rate that a strict FIFO lock must then have.
 */
#ifndef PVSPIN_BENCH_SLICES_H
#define PVSPIN_BENCH_SLICES_H

#include <stdbool.h>
#include <stdint.h>

#define SLICES_ENOUGH 50 /* how often each vCPU should be given a CPU in a phase */

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
 * Returns the hand-overs a second of a strict FIFO lock among T vCPUs on P CPUs with slices of s:
 * P/((T/P - 1)s). The next owner is off its CPU for the slices of T/P - 1 others, and P owners find
 * their CPUs at a time. The steal times tell P = T x (1 - stolen share), and an absence, which is
 * the stolen time divided by the number of times that a CPU was given. Returns 0 if the vCPUs were
 * not overcommitted, or there were too few slices to say.
 *
 * If several of the next owners happen to run, the lock goes on through them: up to T/P times this
 * rate is right. Slices differ, too. Hence FIFO_AGREES.
 */
uint64_t slices_fifo_rate(const struct slices *slices, uint32_t threads);
bool slices_fifo_agrees(uint64_t expected, uint64_t measured);

#endif
