/* SPDX-License-Identifier: MIT */
/* See trace.h. Each vCPU's ring has cache lines of its own: recording must not slow down others. */
#include "bench/trace.h"

#include "bench/record.h"
#include "locks/trace.h"
#include "port/port.h"
#include <stdatomic.h>

static struct trace_ring *rings; /* NULL: trace=0 */
static bool until_lhp;
/* on a line of its own: read with each event, written once */
static struct {
	_Alignas(2 * CACHE_LINE) _Atomic bool closing;
} shared;

void trace_prepare(uint32_t events, uint32_t threads, bool stop_at_lhp)
{
	if (events == 0)
		return;
	until_lhp = stop_at_lhp;
	rings = port_alloc(threads * sizeof(rings[0]), CACHE_LINE);
	for (uint32_t i = 0; i < threads; i++) {
		rings[i].size = events;
		rings[i].events = port_alloc(events * sizeof(struct trace_event), CACHE_LINE);
	}
}

void trace_start(uint32_t threads)
{
	atomic_store_explicit(&shared.closing, false, memory_order_relaxed);
	for (uint32_t i = 0; rings && i < threads; i++)
		trace_begin(port_stats(i), &rings[i], until_lhp ? &shared.closing : NULL);
}

void trace_stop(uint32_t threads)
{
	for (uint32_t i = 0; i < threads; i++)
		port_stats(i)->trace = NULL;
}

/* What and when; the caller adds what only some events have, and ends the record. */
static void begin_event(struct record *record, const char *what, uint64_t tsc)
{
	record_begin(record, "event");
	record_string(record, "what", what);
	record_number(record, "tsc", tsc);
}

/* When the vCPU lost its CPU: as long before it was seen to be back as time was stolen, but not
 * before the event ahead, at which it ran. */
static void emit_preempted(uint32_t run, const char *lock, uint32_t cpu, uint64_t ahead_tsc,
			   const struct trace_event *resumed)
{
	uint64_t stolen = port_ns_to_cycles(resumed->arg);
	uint64_t tsc = resumed->tsc > stolen ? resumed->tsc - stolen : 0;
	struct record record;

	begin_event(&record, "preempted", tsc > ahead_tsc ? tsc : ahead_tsc);
	record_number(&record, "run", run);
	record_number(&record, "cpu", cpu);
	record_string(&record, "lock", lock);
	record_end(&record);
}

static void emit_event(uint32_t run, const char *lock, uint32_t cpu,
		       const struct trace_event *event)
{
	struct record record;

	begin_event(&record, trace_names[event->what], event->tsc);
	record_number(&record, "run", run);
	record_number(&record, "cpu", cpu);
	record_string(&record, "lock", lock);
	if (event->what == TRACE_KICK || event->what == TRACE_YIELD)
		record_number(&record, "to", event->arg);
	if (event->what == TRACE_RESUMED)
		record_number(&record, "stolen_ns", event->arg);
	record_end(&record);
}

void trace_emit(uint32_t run, const char *lock, uint32_t threads)
{
	for (uint32_t cpu = 0; rings && cpu < threads; cpu++) {
		const struct trace_ring *ring = &rings[cpu];
		uint64_t ahead_tsc = 0;

		for (uint32_t i = 0; i < trace_kept(ring); i++) {
			const struct trace_event *event = trace_at(ring, i);

			if (event->what == TRACE_RESUMED)
				emit_preempted(run, lock, cpu, ahead_tsc, event);
			emit_event(run, lock, cpu, event);
			ahead_tsc = event->tsc;
		}
	}
}
