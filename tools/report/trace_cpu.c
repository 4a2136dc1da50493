/* SPDX-License-Identifier: MIT */
/*
 * One vCPU's events, in the order of time, to spans. It is a small machine with one open interval
 * of each kind, so that spans come in order and do not overlap; an event that does not fit the
 * state closes or drops what is open and is counted.
 */
#include "tools/report/trace_cpu.h"

#include "tools/report/memory.h"

struct interval {
	bool open;
	uint64_t start;
};

struct reader {
	struct trace_run *run;
	struct trace_cpu *cpu;
	struct interval waited, held, halted, preempted;
	bool was_holding, was_waiting; /* when it was preempted */
	bool halting;                  /* preempted on its way out of a halt: `wake` is to come */
	bool seen;                     /* an acquire or release: a release alone is now odd */
	size_t unpaired;
};

static void append(struct spans *spans, struct span span)
{
	spans->list = memory_grow(spans->list, spans->count, sizeof(span));
	spans->list[spans->count++] = span;
}

/* Running is what lies between the states that are not. */
static void append_state(struct trace_cpu *cpu, struct span span)
{
	struct spans *states = &cpu->states;
	uint64_t from = states->count ? states->list[states->count - 1].end : cpu->first;

	if (span.start > from)
		append(states, (struct span){.start = from, .end = span.start});
	append(states, span);
}

static void begin(struct interval *interval, uint64_t tsc)
{
	interval->open = true;
	interval->start = tsc;
}

static void end_halt(struct reader *reader, uint64_t tsc, bool open)
{
	append_state(reader->cpu, (struct span){.kind = SPAN_HALTED,
						.start = reader->halted.start,
						.end = tsc,
						.open = open});
	reader->halted.open = false;
}

static void end_preemption(struct reader *reader, uint64_t tsc, bool open)
{
	append_state(reader->cpu, (struct span){.kind = SPAN_PREEMPTED,
						.start = reader->preempted.start,
						.end = tsc,
						.open = open,
						.holding = reader->was_holding,
						.waiting = reader->was_waiting});
	reader->preempted.open = false;
}

static void end_lock(struct reader *reader, struct interval *interval, enum span_kind kind,
		     uint64_t tsc, bool open)
{
	append(&reader->cpu->lock,
	       (struct span){.kind = kind, .start = interval->start, .end = tsc, .open = open});
	interval->open = false;
}

/* The vCPU does something, so it is neither halted nor off the CPU, whatever the log has lost. */
static void must_run(struct reader *reader, uint64_t tsc)
{
	if (reader->preempted.open) {
		end_preemption(reader, tsc, true);
		reader->unpaired++;
	}
	if (reader->halted.open) {
		end_halt(reader, tsc, true);
		reader->unpaired++;
	}
	reader->halting = false;
}

static void acquire(struct reader *reader, uint64_t tsc)
{
	if (reader->held.open) { /* its release is lost */
		reader->held.open = false;
		reader->unpaired++;
	}
	if (reader->waited.open)
		end_lock(reader, &reader->waited, SPAN_WAITED, tsc, false);
	begin(&reader->held, tsc);
	reader->seen = true;
}

static void release(struct reader *reader, uint64_t tsc)
{
	if (reader->held.open)
		end_lock(reader, &reader->held, SPAN_HELD, tsc, false);
	else if (reader->seen)
		reader->unpaired++;
	reader->seen = true;
}

static void wait(struct reader *reader, uint64_t tsc)
{
	if (reader->held.open)
		reader->unpaired++;
	else if (!reader->waited.open) /* else the next stage of the same wait */
		begin(&reader->waited, tsc);
}

/* A vCPU that was kicked and then waited for a CPU: its halt ended with the kick. */
static void preempted(struct reader *reader, uint64_t tsc)
{
	if (reader->preempted.open) {
		end_preemption(reader, tsc, true);
		reader->unpaired++;
	}
	if (reader->halted.open) {
		end_halt(reader, tsc, false);
		reader->halting = true;
	}
	begin(&reader->preempted, tsc);
	reader->was_holding = reader->held.open;
	reader->was_waiting = reader->waited.open;
}

static void wake(struct reader *reader, uint64_t tsc)
{
	struct trace_cpu *cpu = reader->cpu;

	if (reader->preempted.open) {
		end_preemption(reader, tsc, true);
		reader->unpaired++;
	}
	if (reader->halted.open)
		end_halt(reader, tsc, false);
	else if (!reader->halting && tsc > cpu->first)
		reader->unpaired++;
	reader->halting = false;
	cpu->wakes = memory_grow(cpu->wakes, cpu->wake_count, sizeof(cpu->wakes[0]));
	cpu->wakes[cpu->wake_count++] = tsc;
}

static void kick(struct trace_run *run, const struct event *event)
{
	run->kicks = memory_grow(run->kicks, run->kick_count, sizeof(run->kicks[0]));
	run->kicks[run->kick_count++] =
		(struct kick){.from = event->cpu, .to = event->to, .tsc = event->tsc};
}

static void mark(struct trace_run *run, enum mark_kind kind, const struct event *event)
{
	run->marks = memory_grow(run->marks, run->mark_count, sizeof(run->marks[0]));
	run->marks[run->mark_count++] =
		(struct mark){.kind = kind, .tsc = event->tsc, .cpu = event->cpu, .to = event->to};
}

/* `handed` comes right behind the end of the absence that it is about. */
static void handed(struct trace_cpu *cpu)
{
	struct span *last = cpu->states.count ? &cpu->states.list[cpu->states.count - 1] : NULL;

	if (last && last->kind == SPAN_PREEMPTED)
		last->handed = true;
}

static void step(struct reader *reader, const struct event *event)
{
	uint64_t tsc = event->tsc;

	if (event->what < EVENT_WAKE || event->what == EVENT_KICK || event->what == EVENT_YIELD)
		must_run(reader, tsc);
	switch (event->what) {
	case EVENT_WAIT:
		wait(reader, tsc);
		break;
	case EVENT_ACQUIRE:
		acquire(reader, tsc);
		break;
	case EVENT_RELEASE:
		release(reader, tsc);
		break;
	case EVENT_HALT:
		begin(&reader->halted, tsc);
		break;
	case EVENT_WAKE:
		wake(reader, tsc);
		break;
	case EVENT_PREEMPTED:
		preempted(reader, tsc);
		break;
	case EVENT_RESUMED:
		if (reader->preempted.open)
			end_preemption(reader, tsc, false);
		else
			reader->unpaired++;
		break;
	case EVENT_HANDED:
		handed(reader->cpu);
		mark(reader->run, MARK_HANDED, event);
		break;
	case EVENT_YIELD:
		mark(reader->run, MARK_YIELD, event);
		break;
	case EVENT_KICK:
		kick(reader->run, event);
		break;
	case EVENT_UNKNOWN:
		break;
	}
}

/* What is still open when the trace ends, and the rest of the time: running. */
static void finish(struct reader *reader)
{
	struct trace_cpu *cpu = reader->cpu;
	uint64_t from;

	if (reader->waited.open)
		end_lock(reader, &reader->waited, SPAN_WAITED, cpu->last, true);
	if (reader->held.open)
		end_lock(reader, &reader->held, SPAN_HELD, cpu->last, true);
	if (reader->preempted.open)
		end_preemption(reader, cpu->last, true);
	if (reader->halted.open)
		end_halt(reader, cpu->last, true);
	from = cpu->states.count ? cpu->states.list[cpu->states.count - 1].end : cpu->first;
	if (from < cpu->last || cpu->states.count == 0)
		append(&cpu->states, (struct span){.start = from, .end = cpu->last});
}

size_t trace_cpu_read(const struct event *events, size_t count, struct trace_run *run,
		      struct trace_cpu *cpu)
{
	struct reader reader = {.run = run, .cpu = cpu};

	cpu->cpu = events[0].cpu;
	cpu->first = events[0].tsc;
	cpu->last = events[count - 1].tsc;
	for (size_t i = 0; i < count; i++)
		step(&reader, &events[i]);
	finish(&reader);
	return reader.unpaired;
}
