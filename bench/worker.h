/* SPDX-License-Identifier: MIT */
/*
 * One vCPU's part in a run, and the state that all parts share. Hot fields have cache lines of
 * their own: all vCPUs read `phase` at each acquisition, and it is written three times in a run;
 * the section's lines move with the lock; only the worker itself touches its counters.
 */
#ifndef PVSPIN_BENCH_WORKER_H
#define PVSPIN_BENCH_WORKER_H

#include "bench/gaps.h"
#include "bench/streak.h"
#include "lib/histogram.h"
#include "locks/core/lock.h"
#include "locks/core/stats.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A run's phases, in this order; the timer on CPU 0 moves them on. */
enum phase { PHASE_WARMUP, PHASE_MEASURE, PHASE_STOP };

/* The data that the lock protects. `first` is incremented by a plain instruction at the section's
 * start; `second` is read there and written back, plus one, at its end (atomic only to enforce that
 * order). After the run both must equal the sum of the workers' sections, or exclusion was broken.
 */
struct section {
	uint64_t first;
	_Atomic uint32_t holder; /* CPU index + 1; 0: none. Advisory, for LHP samples */
	_Atomic uint64_t second;
	/* written under the lock when a worker leaves the loop: how many have left, and the value
	 * of `second` when only one remained */
	uint32_t left;
	uint64_t alone;
	uint64_t freed; /* latency=on: TSC of the latest release */
} __attribute__((aligned(CACHE_LINE)));

/* TSC at which the timer moved the phase to PHASE_MEASURE and to PHASE_STOP; UINT64_MAX: not yet.
 * Written before the phase changes; read after a fence by workers that have seen the change. With
 * ops= the work begins later, when the first worker sees the change: that one, which owns the lock,
 * writes `begin` again. It ends when the last worker leaves. */
struct phase_times {
	uint64_t begin, end;
	bool by_first; /* that worker is still to come */
};

/* Parts of the measured phase in which acquisitions are counted, for fairness over short times. */
#define WINDOWS 16

struct worker {
	/* set before the run */
	const struct lock_ops *lock_ops; /* for dispatch=indirect */
	void *lock;
	void *node;
	struct section *section; /* NULL with kbuild, whose sections are elsewhere */
	const _Atomic uint32_t *phase;
	struct phase_times *times; /* NULL: gaps are not wanted */
	struct lock_stats *stats;
	uint32_t cpu;
	uint32_t sharers;     /* number of workers with the same section */
	uint32_t hold, think; /* work-loop iterations */
	uint64_t ops_wanted;  /* acquisitions in PHASE_MEASURE, then stop; UINT64_MAX: by time */

	/* the worker's own, during the run */
	uint64_t limit; /* for `ops` in the phase seen_phase */
	uint32_t seen_phase;
	uint64_t ops;      /* in the phase seen_phase */
	uint64_t sections; /* in all phases, for the exclusion check */
	struct streak streak;
	/* latency=on: the current acquisition, the hold before it, and from when on gaps count */
	struct turn turn;
	struct hold last;
	uint64_t stolen; /* of the hold under way */
	uint64_t gaps_from;
	uint32_t window; /* the current one, and when it ends (TSC) */
	uint64_t window_cycles, window_end;

	/* results */
	uint64_t measured_ops;
	uint64_t longest_streak;           /* in the measured phase */
	uint64_t start_cycles, end_cycles; /* TSC at which this worker saw the phases change */
	/* taken by CPU 0 when it moves the phase: steal time, and how often the host gave a CPU */
	uint64_t steal_before_ns, steal_ns;
	uint64_t scheduled_in_before, scheduled_in;
	struct histogram *wait, *hold_time; /* latency=on: acquire to grant, grant to release */
	struct histogram *wait_net;         /* wait less what the host took of it */
	uint64_t window_ops[WINDOWS];       /* latency=on ms=: acquisitions granted in each */
	struct gaps gaps;                   /* latency=on */
	struct lock_stats before, delta; /* counters at the start; their growth while measuring */
} __attribute__((aligned(CACHE_LINE)));

/* Called on the worker's CPU, just before the measured loop, in the run's first phase. */
void worker_begin(struct worker *worker, uint32_t first_phase);

/* Out of line and cold. Called with the lock held. If it returns false, release the lock and stop.
 */
bool worker_next_phase(struct worker *worker, uint32_t phase);
void worker_holder_preempted(struct worker *worker, uint64_t steal_before_ns);

/* latency=on: counts an acquisition granted at `granted` in its window. */
static inline void worker_count_window(struct worker *worker, uint64_t granted)
{
	while (granted >= worker->window_end && worker->window < WINDOWS - 1) {
		worker->window++;
		worker->window_end += worker->window_cycles;
	}
	worker->window_ops[worker->window]++;
}

/* latency=on, called by the lock's owner: returns since when the longest of the waits that are
 * still under way lasts. If there is none: since when the worker itself asked. */
uint64_t worker_first_waiter(const struct worker *worker);

/* latency=on: accounts for worker->turn and its hold, which ended at `released`. */
void worker_add_turn(struct worker *worker, uint64_t released);

/* Adds the time that other vCPUs waited for this section while its holder was preempted. Exact for
 * waiters that polled at least once, because nobody got the lock meanwhile. Ignores whether the
 * waiters had a CPU themselves. Call before the release. */
void worker_waiters_lost(struct worker *worker, const struct section *section,
			 uint64_t away_cycles);

/* The measured loop with operations read at run time (indirect.c), from worker->lock_ops. */
void measure_indirect_plain(struct worker *worker);
void measure_indirect_latency(struct worker *worker);
void measure_indirect_traced(struct worker *worker);

/* The same with calls that patched_select() makes direct (patched.c). */
void measure_patched_plain(struct worker *worker);
void measure_patched_latency(struct worker *worker);
void measure_patched_traced(struct worker *worker);

#endif
