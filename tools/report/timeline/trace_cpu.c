/* SPDX-License-Identifier: MIT */
/*
 * One vCPU's events, in the order of time, to spans. It is a small machine with one open interval
 * of each kind, so that spans come in order and do not overlap; an event that does not fit the
 * state closes or drops what is open and is counted.
 */
#include "tools/report/timeline/trace_cpu.h"

#include "tools/report/base/memory.h"
#include "tools/report/timeline/trace_locks.h"

struct interval {
	bool open;
	uint64_t start;
};

struct reader {
	struct trace_run *run;
	struct trace_cpu *cpu;
	struct lock_reader locks;
	struct interval asleep, preempted;
	enum span_kind sleep; /* SPAN_HALTED or SPAN_IDLE */
	struct span mark;     /* what it had to do with locks when it was preempted */
	bool waking;          /* preempted on its way out of a sleep, the end of which is to come */
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

static void end_sleep(struct reader *reader, uint64_t tsc, bool open)
{
	append_state(reader->cpu, (struct span){.kind = reader->sleep,
						.start = reader->asleep.start,
						.end = tsc,
						.open = open});
	reader->asleep.open = false;
}

static void end_preemption(struct reader *reader, uint64_t tsc, bool open)
{
	struct span span = reader->mark;

	span.kind = SPAN_PREEMPTED;
	span.start = reader->preempted.start;
	span.end = tsc;
	span.open = open;
	append_state(reader->cpu, span);
	reader->preempted.open = false;
}

/* The vCPU does something, so it is neither halted nor off the CPU, whatever the log has lost. */
static void must_run(struct reader *reader, uint64_t tsc)
{
	if (reader->preempted.open) {
		end_preemption(reader, tsc, true);
		reader->unpaired++;
	}
	if (reader->asleep.open) {
		end_sleep(reader, tsc, true);
		reader->unpaired++;
	}
	reader->waking = false;
}

/* A vCPU that was kicked, or called, and then waited for a CPU: its sleep ended with the kick. */
static void preempted(struct reader *reader, uint64_t tsc)
{
	if (reader->preempted.open) {
		end_preemption(reader, tsc, true);
		reader->unpaired++;
	}
	if (reader->asleep.open) {
		end_sleep(reader, tsc, false);
		reader->waking = true;
	}
	begin(&reader->preempted, tsc);
	reader->mark = (struct span){.kind = SPAN_PREEMPTED};
	locks_mark(&reader->locks, &reader->mark);
}

static void fall_asleep(struct reader *reader, enum span_kind kind, uint64_t tsc)
{
	begin(&reader->asleep, tsc);
	reader->sleep = kind;
}

static void awake(struct reader *reader, uint64_t tsc)
{
	if (reader->preempted.open) {
		end_preemption(reader, tsc, true);
		reader->unpaired++;
	}
	if (reader->asleep.open)
		end_sleep(reader, tsc, false);
	else if (!reader->waking && tsc > reader->cpu->first)
		reader->unpaired++;
	reader->waking = false;
}

static void wake(struct reader *reader, uint64_t tsc)
{
	struct trace_cpu *cpu = reader->cpu;

	awake(reader, tsc);
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
static void handed(struct trace_cpu *cpu, struct trace_lock lock)
{
	struct span *last = cpu->states.count ? &cpu->states.list[cpu->states.count - 1] : NULL;

	if (last && last->kind == SPAN_PREEMPTED) {
		last->handed = true;
		last->lock = lock;
	}
}

static void step(struct reader *reader, const struct event *event)
{
	uint64_t tsc = event->tsc;

	if (event->what < EVENT_WAKE || event->what == EVENT_KICK || event->what == EVENT_YIELD ||
	    event->what == EVENT_IDLE)
		must_run(reader, tsc);
	switch (event->what) {
	case EVENT_WAIT:
		locks_wait(&reader->locks, event->which, tsc);
		break;
	case EVENT_ACQUIRE:
		locks_acquire(&reader->locks, event->which, tsc);
		break;
	case EVENT_RELEASE:
		locks_release(&reader->locks, event->which, tsc);
		break;
	case EVENT_HALT:
		fall_asleep(reader, SPAN_HALTED, tsc);
		break;
	case EVENT_WAKE:
		wake(reader, tsc);
		break;
	case EVENT_IDLE:
		fall_asleep(reader, SPAN_IDLE, tsc);
		break;
	case EVENT_BUSY:
		awake(reader, tsc);
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
		handed(reader->cpu, event->which);
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

	locks_finish(&reader->locks, cpu->last);
	if (reader->preempted.open)
		end_preemption(reader, cpu->last, true);
	if (reader->asleep.open)
		end_sleep(reader, cpu->last, true);
	from = cpu->states.count ? cpu->states.list[cpu->states.count - 1].end : cpu->first;
	if (from < cpu->last || cpu->states.count == 0)
		append(&cpu->states, (struct span){.start = from, .end = cpu->last});
}

size_t trace_cpu_read(const struct event *events, size_t count, struct trace_run *run,
		      struct trace_cpu *cpu)
{
	struct reader reader = {.run = run, .cpu = cpu, .locks = {.spans = &cpu->lock}};

	cpu->cpu = events[0].cpu;
	cpu->first = events[0].tsc;
	cpu->last = events[count - 1].tsc;
	for (size_t i = 0; i < count; i++) {
		run->many_locks |= events[i].which.id != 0;
		step(&reader, &events[i]);
	}
	finish(&reader);
	return reader.unpaired + reader.locks.unpaired;
}
