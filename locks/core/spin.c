/* SPDX-License-Identifier: MIT */
/*
 * The cold half of spin.h: what a waiter counts. Runs on the waiting CPU and uses its own counters
 * and its own steal-time page. The host writes that page only while this vCPU is off the CPU, so
 * two loads of it disagree only if a deschedule lies between them.
 */
#include "locks/core/spin.h"
#include "locks/core/pv.h"
#include "locks/core/trace.h"

/* Notes version and steal time of one and the same stay on the CPU. */
static void note_steal(struct spin *spin)
{
	const struct steal_area *area = spin->stats->steal;

	do {
		spin->version = atomic_load_explicit(&area->version, memory_order_relaxed);
		/* keeps the compiler from swapping the loads; the CPU's order does not matter for a
		 * page that changes only while the vCPU is off */
		atomic_signal_fence(memory_order_seq_cst);
		spin->steal = atomic_load_explicit(&area->steal, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
	} while (spin_version_changed(spin));
}

void spin_first(struct spin *spin)
{
	spin->stats = port_my_stats();
	trace_look(spin->stats);
	trace_add(spin->stats, TRACE_WAIT, 0);
	note_steal(spin);
	spin->start = port_cycles();
	atomic_store_explicit(&spin->stats->waits_since, spin->start, memory_order_relaxed);
}

/* Notes an absence of `stolen` cycles that ends now: the vCPU has just found out. */
static void note_absence(struct lock_stats *stats, uint64_t stolen)
{
	uint64_t now;

	if (stolen == 0)
		return;
	now = port_cycles();
	absence_note(&stats->absences, now - stolen, now, false);
}

void spin_interrupted(struct spin *spin, enum spin_outcome outcome)
{
	uint64_t before = spin->steal, away;

	note_steal(spin);
	spin->interrupted = true;
	away = port_ns_to_cycles(spin->steal - before);
	note_absence(spin->stats, away);
	trace_look(spin->stats);
	if (outcome == SPIN_HANDED) {
		trace_add(spin->stats, TRACE_HANDED, 0);
		lock_count(spin->stats, EV_LWP_EVENTS);
		spin->stats->count[EV_LWP_CYCLES] += away;
	}
}

void spin_pause(struct spin *spin, uint32_t pauses)
{
	uint64_t before = spin->polls;

	spin_poll(spin);
	while (spin->polls - before < pauses && !spin_version_changed(spin)) {
		spin->polls += port_poll(spin_most(spin, pauses - (spin->polls - before)));
		if (spin->polls == SPIN_SAMPLE_POLLS)
			spin_sample(spin);
	}
	spin->stats->count[EV_BACKOFF_PAUSES] += spin->polls - before;
}

void spin_halt(struct spin *spin, const _Atomic uint8_t *word, uint8_t seen)
{
	uint64_t before, halted, awake, stolen;

	if (spin->polls == 0) {
		spin_first(spin);
		spin->polls = 1; /* the wait has begun */
	}
	before = spin->steal;
	halted = port_cycles();
	pv_wait(word, seen);
	awake = port_cycles();
	spin_interrupted(spin, SPIN_WON);
	/* time was stolen only at the end of the halt, when the vCPU wanted to run again */
	stolen = port_ns_to_cycles(spin->steal - before);
	absence_note(&spin->stats->absences, halted, awake - stolen, true);
}

/* Ouyang & Lange, VEE'13: blames a wait this long on the holder if there is one, else on the waiter
 * whose turn it is. The preempted byte tells better, where the host offers it. */
void spin_sample(struct spin *spin)
{
	const _Atomic uint32_t *section =
		atomic_load_explicit(&spin->stats->holder, memory_order_relaxed);
	uint32_t holder;

	if (!section)
		return;
	holder = atomic_load_explicit(section, memory_order_relaxed);
	if (holder == 0) {
		lock_count(spin->stats, EV_LWP_SAMPLES);
		return;
	}
	lock_count(spin->stats, EV_LHP_SAMPLES);
	if (pv_preempted(holder - 1))
		lock_count(spin->stats, EV_LHP_FLAGGED);
}

void spin_account(struct spin *spin)
{
	uint64_t cycles = port_cycles() - spin->start;

	lock_count(spin->stats, EV_WAITS);
	spin->stats->count[EV_WAIT_CYCLES] += cycles;
	if (cycles > spin->stats->wait_max_cycles)
		spin->stats->wait_max_cycles = cycles;
}

uint64_t spin_link_begin(void)
{
	lock_count(port_my_stats(), EV_RELEASE_WAIT_LINK);
	return port_cycles();
}

void spin_link_end(uint64_t begin)
{
	port_my_stats()->count[EV_LINK_WAIT_CYCLES] += port_cycles() - begin;
}
