/* SPDX-License-Identifier: MIT */
/*
 * Whether a phase was long enough for the host's scheduler. If more vCPUs want to run than there
 * are CPUs, a short phase has only a few time slices, and a lock's figures are then a matter of
 * chance. slices_fifo_rate() is a check of the measurement: what a FIFO lock then does.
 */
#ifndef PVSPIN_BENCH_SLICES_H
#define PVSPIN_BENCH_SLICES_H

#include <stdbool.h>
#include <stdint.h>

#define SLICES_ENOUGH 50 /* how often each vCPU should be given a CPU in a phase */

#define FIFO_AGREES 3 /* a factor */

/* Over all vCPUs and phases of a table's row. */
struct slices {
	uint64_t vcpu_phases;  /* pairs of a vCPU and a phase */
	uint64_t scheduled_in; /* how often one of them was given a CPU */
	uint64_t steal_ns;
	uint64_t elapsed_ns; /* summed over vcpu_phases */
};

/* More than a twentieth of the vCPUs' time was stolen. */
bool slices_overcommitted(const struct slices *slices);

/* Overcommitted, and fewer than SLICES_ENOUGH for each vCPU and phase. */
bool slices_too_few(const struct slices *slices);

/*
 * Returns the hand-overs a second of a strict FIFO lock whose waiters only spin: 2 / a. The steal
 * times tell a, the time that a vCPU is off its CPU at a stretch: (T/P - 1)s for T vCPUs on P CPUs
 * with slices of s. Returns 0 if the vCPUs were not overcommitted, or there were too few slices to
 * say.
 *
 * Let r = T/P. The next owner has a CPU in 1/r of the cases, so the lock is handed over r/(r - 1)
 * times before it must wait. Then it waits for (a + s)/2 on average if all CPUs switch at the same
 * time, as Linux's ticks make them; that gives 2 / a. If each CPU switches at times of its own, the
 * lock waits for a/2, which gives r/(r - 1) times as many. The number of CPUs does not matter,
 * because the lock waits for one vCPU at a time. The simulated host gives both
 * (docs/sim-validation.md). Slices differ, too. Hence FIFO_AGREES.
 */
uint64_t slices_fifo_rate(const struct slices *slices);
bool slices_fifo_agrees(uint64_t expected, uint64_t measured);

#endif
