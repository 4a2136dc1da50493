/* SPDX-License-Identifier: MIT */
/* The ring of trace.h. The vCPU that owns the ring runs everything here, except what reads it after
 * the run. */
#include "locks/core/trace.h"

#include "lib/steal.h"
#include "port/port.h"
#include <stdatomic.h>

#define MOST_ARG ((UINT64_C(1) << TRACE_ARG_BITS) - 1)

const char *const trace_names[TRACE_COUNT] = {
	[TRACE_WAIT] = "wait",     [TRACE_ACQUIRE] = "acquire", [TRACE_RELEASE] = "release",
	[TRACE_HANDED] = "handed", [TRACE_HALT] = "halt",       [TRACE_WAKE] = "wake",
	[TRACE_KICK] = "kick",     [TRACE_YIELD] = "yield",     [TRACE_RESUMED] = "resumed",
	[TRACE_IDLE] = "idle",     [TRACE_BUSY] = "busy",
};

void trace_record(struct lock_stats *stats, enum trace_what what, uint64_t arg)
{
	struct trace_ring *ring = stats->trace;
	struct trace_event *event = &ring->events[ring->next];

	if (ring->closing && atomic_load_explicit(ring->closing, memory_order_relaxed)) {
		if (ring->left == 0)
			return;
		ring->left--;
	}
	/* Ordered: else an acquisition could be stamped before the lock's line is here, and so
	 * before the release that it follows. */
	event->tsc = port_cycles_ordered();
	event->what = what;
	event->lock = ring->lock;
	event->arg = arg < MOST_ARG ? arg : MOST_ARG;
	ring->next = ring->next + 1 == ring->size ? 0 : ring->next + 1;
	ring->added++;
}

/* Relaxed loads suffice: the host writes the page only while this vCPU is off the CPU (steal.h). If
 * it does so between the two loads, the next look finds the rest of that time. */
uint64_t trace_note_stolen(struct lock_stats *stats)
{
	struct trace_ring *ring = stats->trace;
	const struct steal_area *area = stats->steal;
	uint32_t version = atomic_load_explicit(&area->version, memory_order_relaxed);
	uint64_t stolen_ns, before = ring->stolen_ns;

	if (version == ring->version)
		return 0;
	stolen_ns = atomic_load_explicit(&area->steal, memory_order_relaxed);
	ring->version = version;
	ring->stolen_ns = stolen_ns;
	/* KVM also moves `version` when it has nothing to add: off the CPU for no time */
	if (stolen_ns > before)
		trace_record(stats, TRACE_RESUMED, stolen_ns - before);
	return stolen_ns - before;
}

void trace_close(struct lock_stats *stats)
{
	if (stats->trace->closing)
		atomic_store_explicit(stats->trace->closing, true, memory_order_relaxed);
}

/* Closes the trace only after its own TRACE_RESUMED, which a ring of any size then keeps. */
void trace_holder_looks(struct lock_stats *stats)
{
	if (trace_note_stolen(stats) >= TRACE_LHP_NS)
		trace_close(stats);
}

void trace_begin(struct lock_stats *stats, struct trace_ring *ring, _Atomic bool *closing)
{
	ring->closing = closing;
	ring->left = ring->size / 4; /* most of the ring is for what led there */
	ring->next = 0;
	ring->added = 0;
	ring->lock = 0;
	ring->version = atomic_load_explicit(&stats->steal->version, memory_order_relaxed);
	ring->stolen_ns = atomic_load_explicit(&stats->steal->steal, memory_order_relaxed);
	stats->trace = ring;
}

uint32_t trace_kept(const struct trace_ring *ring)
{
	return ring->added < ring->size ? (uint32_t)ring->added : ring->size;
}

const struct trace_event *trace_at(const struct trace_ring *ring, uint32_t i)
{
	uint32_t oldest = ring->added < ring->size ? 0 : ring->next;

	return &ring->events[((uint64_t)oldest + i) % ring->size];
}
