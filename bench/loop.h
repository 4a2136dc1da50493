/* SPDX-License-Identifier: MIT */
/*
 * The measured loop: acquire, work, release, work. Each lock has its own copy, with constant ops
 * (bench/register.h); indirect.c has one that reads the ops at run time. Each copy is inlined three
 * times: plain, for latency=on, and for trace=, which asks for latency at run time.
 *
 * Beside the lock itself an acquisition costs a load of the phase, two loads of the own steal-time
 * page, the section's stores, two counters, and two checks: who owned the lock before, and whether
 * the vCPU waited. The null lock measures that cost.
 */
#ifndef PVSPIN_BENCH_LOOP_H
#define PVSPIN_BENCH_LOOP_H

#include "bench/streak.h"
#include "bench/work.h"
#include "bench/worker.h"
#include "lib/steal.h"
#include "locks/core/lock.h"
#include "locks/core/trace.h"
#include <stdatomic.h>
#include <stdbool.h>

static inline __attribute__((always_inline)) void section_body(struct worker *worker)
{
	struct section *section = worker->section;
	uint64_t second;

	atomic_store_explicit(&section->holder, worker->cpu + 1, memory_order_relaxed);
	/* Read at the start, written at the end: any overlap of two sections loses a count. */
	second = atomic_load_explicit(&section->second, memory_order_relaxed);
	streak_enter(&worker->streak, second);
	port_increment(&section->first);
	work(worker->hold);
	atomic_store_explicit(&section->second, second + 1, memory_order_relaxed);
	streak_leave(&worker->streak, second + 1);
	atomic_store_explicit(&section->holder, 0, memory_order_relaxed);
}

/* trace=: these two record the loop's events and, before each, any preemption of the vCPU since the
 * last event. */
static inline __attribute__((always_inline)) void loop_acquired(struct lock_stats *stats)
{
	trace_look(stats);
	trace_add(stats, TRACE_ACQUIRE, 0);
}

static inline __attribute__((always_inline)) void loop_releases(struct lock_stats *stats)
{
	trace_holder_looks(stats);
	trace_add(stats, TRACE_RELEASE, 0);
}

/* latency=on: notes when the lock was released, asked for and granted. A vCPU that asked after the
 * release finds out whether another one was waiting before it. */
static inline void loop_granted(struct worker *worker, uint64_t asked, uint64_t granted)
{
	worker->turn = (struct turn){
		.freed = worker->section->freed,
		.wanted = asked,
		.asked = asked,
		.granted = granted,
	};
	if (asked > worker->turn.freed && worker->sharers > 1)
		worker->turn.wanted = worker_first_waiter(worker);
}

/* latency=on, for a vCPU that did not poll: notes the time that the host took before the grant. */
static inline void loop_missed(struct lock_stats *stats, uint64_t granted, uint64_t stolen_ns)
{
	if (__builtin_expect(stolen_ns != 0, 0))
		absence_note(&stats->absences, granted - port_ns_to_cycles(stolen_ns), granted,
			     false);
}

/* latency=on: counts a wait, and the part of it in which the vCPU had its CPU. */
static inline void loop_waited(struct worker *worker, uint64_t wait, uint64_t stolen_ns)
{
	uint64_t stolen = __builtin_expect(stolen_ns != 0, 0) ? port_ns_to_cycles(stolen_ns) : 0;

	histogram_add(worker->wait, wait);
	if (worker->wait_net)
		histogram_add(worker->wait_net, wait > stolen ? wait - stolen : 0);
}

static inline __attribute__((always_inline)) void
measured_loop(const struct lock_ops *ops, struct worker *worker, bool latency, bool trace)
{
	struct lock_stats *stats = worker->stats;
	const struct steal_area *steal = stats->steal;

	for (;;) {
		if (trace)
			trace_look(stats); /* for a preemption while it was thinking */

		uint64_t asked = latency ? port_cycles_ordered() : 0;
		uint64_t asked_ns =
			latency ? atomic_load_explicit(&steal->steal, memory_order_relaxed) : 0;

		port_preempt_disable();
		ops->acquire(worker->lock, worker->node);
		if (trace)
			loop_acquired(stats);

		uint64_t granted = latency ? port_cycles_ordered() : 0;
		uint32_t version = atomic_load_explicit(&steal->version, memory_order_relaxed);
		uint64_t stolen_ns = atomic_load_explicit(&steal->steal, memory_order_relaxed);

		/* A waiter noted the page at its grant: time stolen from there to here was stolen
		 * from a holder. */
		if (stats->waited) {
			stats->waited = false;
			version = stats->grant_version;
			stolen_ns = stats->grant_steal_ns;
		} else if (latency) {
			loop_missed(stats, granted, stolen_ns - asked_ns);
		}
		if (latency)
			loop_granted(worker, asked, granted);

		uint32_t phase = atomic_load_explicit(worker->phase, memory_order_relaxed);

		/* A grant counts in the phase in which it comes, however early the wait began. */
		if (phase != worker->seen_phase || worker->ops == worker->limit) {
			if (!worker_next_phase(worker, phase)) {
				if (trace)
					trace_add(stats, TRACE_RELEASE, 0);
				ops->release(worker->lock, worker->node);
				port_preempt_enable();
				/* Record the wait that the stop interrupted: it is often the
				 * longest.
				 */
				if (latency && phase == PHASE_STOP)
					loop_waited(worker, granted - asked, stolen_ns - asked_ns);
				return;
			}
		}
		section_body(worker);
		if (atomic_load_explicit(&steal->version, memory_order_relaxed) != version)
			worker_holder_preempted(worker, stolen_ns);
		if (trace)
			loop_releases(stats);

		uint64_t released = latency ? port_cycles_ordered() : 0;

		if (latency)
			worker->section->freed = released;
		ops->release(worker->lock, worker->node);
		port_preempt_enable();
		if (trace)
			trace_look(stats); /* for a preemption during release or kick */
		worker->ops++;
		worker->sections++;
		if (latency) {
			loop_waited(worker, granted - asked, stolen_ns - asked_ns);
			worker_count_window(worker, granted);
			histogram_add(worker->hold_time, released - granted);
			worker_add_turn(worker, released);
		}
		work(worker->think);
	}
}

#endif
