/* SPDX-License-Identifier: MIT */
/* See trace.h. Each vCPU's ring has its own cache lines, so that recording does not slow down
 * others. */
#include "bench/trace.h"

#include "lib/record.h"
#include "locks/core/trace.h"
#include "port/port.h"
#include <stdatomic.h>

static struct trace_ring *rings; /* NULL: trace=0 */
static bool until_lhp;
/* on a cache line of its own, because it is read with each event and written once */
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

/* The run whose events are emitted. */
struct context {
	uint32_t run, cpu;
	const char *lock;
	const char *(*class_of)(uint32_t lock_id);
};

/* The caller adds the fields that only some events have, and ends the record. */
static void begin_event(struct record *record, const struct context *context, const char *what,
			uint64_t tsc)
{
	record_begin(record, "event");
	record_string(record, "what", what);
	record_number(record, "tsc", tsc);
	record_number(record, "run", context->run);
	record_number(record, "cpu", context->cpu);
	record_string(record, "lock", context->lock);
}

/* Estimates when the vCPU lost its CPU: the stolen time before it noticed that it was back, but not
 * before its previous event, at which it ran. */
static void emit_preempted(const struct context *context, uint64_t ahead_tsc,
			   const struct trace_event *resumed)
{
	uint64_t stolen = port_ns_to_cycles(resumed->arg);
	uint64_t tsc = resumed->tsc > stolen ? resumed->tsc - stolen : 0;
	struct record record;

	begin_event(&record, context, "preempted", tsc > ahead_tsc ? tsc : ahead_tsc);
	record_end(&record);
}

static void emit_event(const struct context *context, const struct trace_event *event)
{
	struct record record;

	begin_event(&record, context, trace_names[event->what], event->tsc);
	if (event->what == TRACE_KICK || event->what == TRACE_YIELD)
		record_number(&record, "to", event->arg);
	if (event->what == TRACE_RESUMED)
		record_number(&record, "stolen_ns", event->arg);
	/* a vCPU that was off its CPU may have held several locks */
	else if (event->lock != 0 && context->class_of) {
		record_string(&record, "class", context->class_of(event->lock));
		record_number(&record, "lock_id", event->lock);
	}
	record_end(&record);
}

void trace_emit(uint32_t run, const char *lock, uint32_t threads,
		const char *(*class_of)(uint32_t lock_id))
{
	struct context context = {.run = run, .lock = lock, .class_of = class_of};

	for (uint32_t cpu = 0; rings && cpu < threads; cpu++) {
		const struct trace_ring *ring = &rings[cpu];
		uint64_t ahead_tsc = 0;

		context.cpu = cpu;
		for (uint32_t i = 0; i < trace_kept(ring); i++) {
			const struct trace_event *event = trace_at(ring, i);

			if (event->what == TRACE_RESUMED)
				emit_preempted(&context, ahead_tsc, event);
			emit_event(&context, event);
			ahead_tsc = event->tsc;
		}
	}
}
