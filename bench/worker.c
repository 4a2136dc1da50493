/* SPDX-License-Identifier: MIT */
/*
 * The cold half of a worker: its reaction to a change of phase, and to a preemption while it held
 * the lock.
 *
 * A worker notices a change at its next acquisition, while it holds the lock. That acquisition is
 * the first of the new phase's ops, because its grant came in that phase. Otherwise a FIFO lock
 * whose waits are longer than the phase would count nothing although it was handed over. Counts
 * made during the wait (halts, polls...) belong to the phase in which the wait began.
 */
#include "bench/worker.h"

static void reset_histograms(struct worker *worker)
{
	if (worker->wait) {
		histogram_reset(worker->wait);
		histogram_reset(worker->hold_time);
	}
	if (worker->wait_net)
		histogram_reset(worker->wait_net);
}

/* Called with the lock held, or before anybody competes. */
static uint64_t sections_so_far(const struct worker *worker)
{
	if (worker->section == NULL)
		return 0;
	return atomic_load_explicit(&worker->section->second, memory_order_relaxed);
}

/* Called with the lock held. Returns the count of sections from which on nobody else competed: with
 * ops=, the last worker goes on alone and gets the lock every time. */
static uint64_t alone_since(const struct worker *worker)
{
	const struct section *section = worker->section;

	if (section == NULL)
		return 0;
	return section->left + 1 < worker->sharers ? UINT64_MAX : section->alone;
}

/* Called with the lock held. */
static void leave_section(const struct worker *worker)
{
	struct section *section = worker->section;

	if (section == NULL)
		return;
	section->left++;
	if (section->left + 1 == worker->sharers)
		section->alone = sections_so_far(worker);
}

/* latency=on: called with the lock held, when the worker sees that the measured phase has begun or
 * ended. Only a part of a hold that straddles that moment belongs to the phase. */
static void gaps_begin(struct worker *worker)
{
	if (worker->times == NULL)
		return;
	/* pairs with the release of the phase in run.c */
	atomic_thread_fence(memory_order_acquire);
	if (worker->times->by_first)
		worker->times->begin = worker->start_cycles;
	worker->times->by_first = false;
	worker->gaps = (struct gaps){0};
	worker->gaps_from = worker->times->begin;
	gaps_add_hold(&worker->gaps, &worker->last, worker->gaps_from, UINT64_MAX);
}

/* Call it after gaps_begin(), which finds out when the phase began. */
static void windows_begin(struct worker *worker)
{
	for (uint32_t i = 0; i < WINDOWS; i++)
		worker->window_ops[i] = 0;
	worker->window = 0;
	worker->window_end = worker->times ? worker->gaps_from + worker->window_cycles : UINT64_MAX;
}

static void gaps_end(struct worker *worker)
{
	struct hold leaving = {.granted = worker->turn.granted};
	struct gaps whole = {0};
	uint64_t end;

	if (worker->times == NULL)
		return;
	atomic_thread_fence(memory_order_acquire);
	end = worker->times->end;
	gaps_add_hold(&whole, &worker->last, worker->gaps_from, UINT64_MAX);
	worker->gaps.held -= whole.held;
	worker->gaps.held_stolen -= whole.held_stolen;
	gaps_add_hold(&worker->gaps, &worker->last, worker->gaps_from, end);
	gaps_add_gap(&worker->gaps, &worker->turn, worker->gaps_from, end,
		     &worker->stats->absences);
	leaving.released = port_cycles_ordered(); /* the lock is let go next */
	gaps_add_hold(&worker->gaps, &leaving, worker->gaps_from, end);
	worker->section->freed = leaving.released;
}

static void measure_begins(struct worker *worker, uint64_t now)
{
	worker->start_cycles = now;
	worker->stats->wait_max_cycles = 0;
	worker->stats->lhp_max_cycles = 0;
	worker->before = *worker->stats;
	worker->limit = worker->ops_wanted;
	streak_begin(&worker->streak, sections_so_far(worker));
	reset_histograms(worker);
	gaps_begin(worker);
	windows_begin(worker);
}

static void measure_ends(struct worker *worker, uint64_t now)
{
	worker->end_cycles = now;
	worker->measured_ops = worker->ops;
	worker->longest_streak = streak_end(&worker->streak, alone_since(worker));
	worker->delta = *worker->stats;
	for (int event = 0; event < EV_COUNT; event++)
		worker->delta.count[event] -= worker->before.count[event];
}

/* The worker went from warm-up straight to the stop, because one wait lasted the whole measured
 * phase. That is a result (FIFO locks, many vCPUs), and this wait is the worker's longest. */
static void measure_missed(struct worker *worker, uint64_t now)
{
	uint64_t waited = worker->stats->wait_max_cycles;

	reset_histograms(worker);
	worker->start_cycles = now;
	worker->end_cycles = now;
	worker->measured_ops = 0;
	gaps_begin(worker);
	windows_begin(worker);
	worker->longest_streak = 0;
	worker->delta = (struct lock_stats){.steal = worker->stats->steal};
	if (waited != 0) {
		worker->delta.count[EV_WAITS] = 1;
		worker->delta.count[EV_WAIT_CYCLES] = waited;
		worker->delta.wait_max_cycles = waited;
	}
}

void worker_begin(struct worker *worker, uint32_t first_phase)
{
	worker->seen_phase = first_phase;
	worker->ops = 0;
	worker->sections = 0;
	worker->limit = UINT64_MAX;
	streak_begin(&worker->streak, 0);
	worker->last = (struct hold){0};
	worker->stolen = 0;
	worker->window = 0;
	worker->window_end = UINT64_MAX;
	worker->stats->wait_max_cycles = 0;
	reset_histograms(worker);
	if (first_phase == PHASE_MEASURE)
		measure_begins(worker, port_cycles());
}

bool worker_next_phase(struct worker *worker, uint32_t phase)
{
	uint64_t now = port_cycles();

	if (phase == worker->seen_phase) /* ended by its limit of acquisitions, not by the timer */
		phase = PHASE_STOP;
	if (worker->seen_phase == PHASE_MEASURE)
		measure_ends(worker, now);
	else if (phase == PHASE_MEASURE)
		measure_begins(worker, now);
	else
		measure_missed(worker, now);
	if (phase == PHASE_STOP) {
		leave_section(worker);
		gaps_end(worker);
	}
	worker->seen_phase = phase;
	worker->ops = 0;
	return phase != PHASE_STOP;
}

void worker_holder_preempted(struct worker *worker, uint64_t steal_before_ns)
{
	uint64_t steal = atomic_load_explicit(&worker->stats->steal->steal, memory_order_relaxed);

	uint64_t away = port_ns_to_cycles(steal - steal_before_ns);

	/* KVM also moves `version` without adding to `steal`: that is an event without time. */
	lock_count(worker->stats, EV_LHP_EVENTS);
	worker->stats->count[EV_LHP_CYCLES] += away;
	worker->stolen = away;
	if (away > worker->stats->lhp_max_cycles)
		worker->stats->lhp_max_cycles = away;
	if (worker->section)
		worker_waiters_lost(worker, worker->section, away);
}

uint64_t worker_first_waiter(const struct worker *worker)
{
	uint64_t first = worker->turn.asked;

	for (uint32_t i = 0; i < port_cpu_count() && first > worker->turn.freed; i++) {
		const struct lock_stats *other = port_stats(i);
		uint64_t since = atomic_load_explicit(&other->waits_since, memory_order_relaxed);

		if (since != 0 && since < first &&
		    atomic_load_explicit(&other->holder, memory_order_relaxed) ==
			    &worker->section->holder)
			first = since;
	}
	return first;
}

void worker_add_turn(struct worker *worker, uint64_t released)
{
	gaps_add_gap(&worker->gaps, &worker->turn, worker->gaps_from, UINT64_MAX,
		     &worker->stats->absences);
	worker->last = (struct hold){
		.granted = worker->turn.granted,
		.released = released,
		.stolen = worker->stolen,
	};
	worker->stolen = 0;
	gaps_add_hold(&worker->gaps, &worker->last, worker->gaps_from, UINT64_MAX);
}

void worker_waiters_lost(struct worker *worker, const struct section *section, uint64_t away_cycles)
{
	uint64_t now = port_cycles(), waited;

	for (uint32_t i = 0; away_cycles != 0 && i < port_cpu_count(); i++) {
		const struct lock_stats *other = port_stats(i);
		uint64_t since = atomic_load_explicit(&other->waits_since, memory_order_relaxed);

		if (since == 0 ||
		    atomic_load_explicit(&other->holder, memory_order_relaxed) != &section->holder)
			continue;
		waited = now > since ? now - since : 0;
		lock_count(worker->stats, EV_LHP_WAITS);
		worker->stats->count[EV_LHP_WAIT_CYCLES] +=
			waited < away_cycles ? waited : away_cycles;
	}
}
