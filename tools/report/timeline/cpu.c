/* SPDX-License-Identifier: MIT */
/*
 * Converts the events of one vCPU, in the order of time, to spans. The reader is a state machine
 * with at most one open interval of each kind, so spans come in order and do not overlap. An event
 * that contradicts the state closes or drops the open interval and counts as unpaired.
 */
#include "tools/report/base/system.h"
#include "tools/report/timeline/events.h"

static void append(struct spans *spans, struct span span)
{
	spans->list = memory_grow(spans->list, spans->count, sizeof(span));
	spans->list[spans->count++] = span;
}

/*
 * The locks that a vCPU holds and waits for. It may hold nested locks (workload=kbuild) and wait
 * for one while it holds others. At each time the span is that of the innermost lock, so spans come
 * in order and do not overlap. If there is only one lock, its ID is 0; if the vCPU then seems to
 * acquire it twice, the log has lost a release.
 */
struct lock_reader {
	struct spans *spans; /* the result */
	struct {
		bool open;
		uint64_t start;
		struct trace_lock lock;
	} waited;
	struct {
		struct trace_lock lock;
		uint64_t since;  /* when it became the innermost again: no span covers this yet */
	} held[TRACE_MOST_HELD]; /* the outermost first */
	size_t depth;
	size_t strays;   /* releases of locks that were acquired before the trace began */
	bool seen;       /* an acquire or release was seen */
	size_t unpaired; /* events that were left out, or whose counterparts were */
};

/* Appends a span. Even if the log has lost events, it starts no earlier than the last one ended. */
static void append_lock(struct lock_reader *reader, struct span span)
{
	struct spans *spans = reader->spans;

	if (spans->count && span.start < spans->list[spans->count - 1].end)
		span.start = spans->list[spans->count - 1].end;
	append(spans, span);
}

static void append_held(struct lock_reader *reader, size_t i, uint64_t tsc, bool open)
{
	append_lock(reader, (struct span){.kind = SPAN_HELD,
					  .start = reader->held[i].since,
					  .end = tsc,
					  .open = open,
					  .lock = reader->held[i].lock});
}

static void append_waited(struct lock_reader *reader, uint64_t tsc, bool open)
{
	append_lock(reader, (struct span){.kind = SPAN_WAITED,
					  .start = reader->waited.start,
					  .end = tsc,
					  .open = open,
					  .lock = reader->waited.lock});
	reader->waited.open = false;
}

/* Returns the index of a lock in held[]; `depth` if it is not held. */
static size_t place_of(const struct lock_reader *reader, struct trace_lock lock)
{
	size_t i = 0;

	while (i < reader->depth && reader->held[i].lock.id != lock.id)
		i++;
	return i;
}

/* Ends the span of the innermost held lock: a wait or another lock becomes the innermost. */
static void suspend_innermost(struct lock_reader *reader, uint64_t tsc)
{
	size_t i = reader->depth;

	if (i == 0)
		return;
	if (reader->held[i - 1].since < tsc)
		append_held(reader, i - 1, tsc, false);
	reader->held[i - 1].since = tsc;
}

static void locks_wait(struct lock_reader *reader, struct trace_lock lock, uint64_t tsc)
{
	if (place_of(reader, lock) < reader->depth) {
		reader->unpaired++;
		return;
	}
	if (reader->waited.open && reader->waited.lock.id == lock.id)
		return; /* the next stage of the same wait */
	if (reader->waited.open)
		reader->unpaired++;
	else
		suspend_innermost(reader, tsc);
	reader->waited.open = true;
	reader->waited.start = tsc;
	reader->waited.lock = lock;
}

static void locks_acquire(struct lock_reader *reader, struct trace_lock lock, uint64_t tsc)
{
	size_t place = place_of(reader, lock);

	if (place < reader->depth) { /* its release and those of the locks inside it are lost */
		reader->depth = place;
		reader->unpaired++;
	}
	if (reader->waited.open && reader->waited.lock.id == lock.id) {
		append_waited(reader, tsc, false);
		if (reader->depth)
			reader->held[reader->depth - 1].since = tsc;
	} else if (reader->waited.open) {
		reader->waited.open = false;
		reader->unpaired++;
	}
	suspend_innermost(reader, tsc);
	if (reader->depth == TRACE_MOST_HELD) {
		reader->unpaired += reader->depth;
		reader->depth = 0;
	}
	reader->held[reader->depth].lock = lock;
	reader->held[reader->depth++].since = tsc;
	reader->seen = true;
}

/* A release of a lock that the vCPU does not hold: the trace may have begun inside a section. */
static void stray_release(struct lock_reader *reader, struct trace_lock lock)
{
	bool from_before = lock.id == 0 ? !reader->seen
					: reader->depth == 0 && reader->strays < TRACE_MOST_HELD;

	reader->strays++;
	if (!from_before)
		reader->unpaired++;
}

static void locks_release(struct lock_reader *reader, struct trace_lock lock, uint64_t tsc)
{
	size_t place = place_of(reader, lock);

	if (place == reader->depth) {
		stray_release(reader, lock);
	} else {
		if (reader->waited.open) { /* the grant is lost */
			reader->waited.open = false;
			reader->unpaired++;
		}
		reader->unpaired += reader->depth - 1 - place;
		append_held(reader, place, tsc, false);
		reader->depth = place;
		if (place > 0)
			reader->held[place - 1].since = tsc;
	}
	reader->seen = true;
}

/* Closes the open span at the end of the trace. */
static void locks_finish(struct lock_reader *reader, uint64_t tsc)
{
	if (reader->waited.open)
		append_waited(reader, tsc, true);
	else if (reader->depth)
		append_held(reader, reader->depth - 1, tsc, true);
}

/* Copies the locks that the vCPU holds and waits for into a SPAN_PREEMPTED that begins now. */
static void locks_copy(const struct lock_reader *reader, struct span *span)
{
	span->holding = reader->depth > 0;
	span->held_count = reader->depth;
	for (size_t i = 0; i < reader->depth; i++)
		span->held[i] = reader->held[i].lock;
	span->waiting = reader->waited.open;
	if (reader->waited.open)
		span->lock = reader->waited.lock;
}

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
	struct span absence;  /* the locks that it held and waited for when it was preempted */
	bool waking;          /* preempted while it woke up; the event of the wake-up follows */
	size_t unpaired;
};

/* Appends a state, and before it the time in which the vCPU ran. */
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
	struct span span = reader->absence;

	span.kind = SPAN_PREEMPTED;
	span.start = reader->preempted.start;
	span.end = tsc;
	span.open = open;
	append_state(reader->cpu, span);
	reader->preempted.open = false;
}

/* The vCPU does something, so it runs. If the log says that it sleeps or is off its CPU, events are
 * lost. */
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

/* If the vCPU slept, a kick or an interrupt woke it and it then waited for a CPU: its sleep ends
 * here. */
static void begin_preemption(struct reader *reader, uint64_t tsc)
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
	reader->absence = (struct span){.kind = SPAN_PREEMPTED};
	locks_copy(&reader->locks, &reader->absence);
}

static void fall_asleep(struct reader *reader, enum span_kind kind, uint64_t tsc)
{
	begin(&reader->asleep, tsc);
	reader->sleep = kind;
}

static void wake_up(struct reader *reader, uint64_t tsc)
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

static void wake_from_halt(struct reader *reader, uint64_t tsc)
{
	struct trace_cpu *cpu = reader->cpu;

	wake_up(reader, tsc);
	cpu->wakes = memory_grow(cpu->wakes, cpu->wake_count, sizeof(cpu->wakes[0]));
	cpu->wakes[cpu->wake_count++] = tsc;
}

static void add_kick(struct trace_run *run, const struct event *event)
{
	run->kicks = memory_grow(run->kicks, run->kick_count, sizeof(run->kicks[0]));
	run->kicks[run->kick_count++] =
		(struct kick){.from = event->cpu, .to = event->to, .tsc = event->tsc};
}

static void add_mark(struct trace_run *run, enum mark_kind kind, const struct event *event)
{
	run->marks = memory_grow(run->marks, run->mark_count, sizeof(run->marks[0]));
	run->marks[run->mark_count++] =
		(struct mark){.kind = kind, .tsc = event->tsc, .cpu = event->cpu, .to = event->to};
}

/* A `handed` event directly follows the end of the absence that it belongs to. */
static void mark_handed(struct trace_cpu *cpu, struct trace_lock lock)
{
	struct span *last = cpu->states.count ? &cpu->states.list[cpu->states.count - 1] : NULL;

	if (last && last->kind == SPAN_PREEMPTED) {
		last->handed = true;
		last->lock = lock;
	}
}

static void read_event(struct reader *reader, const struct event *event)
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
		wake_from_halt(reader, tsc);
		break;
	case EVENT_IDLE:
		fall_asleep(reader, SPAN_IDLE, tsc);
		break;
	case EVENT_BUSY:
		wake_up(reader, tsc);
		break;
	case EVENT_PREEMPTED:
		begin_preemption(reader, tsc);
		break;
	case EVENT_RESUMED:
		if (reader->preempted.open)
			end_preemption(reader, tsc, false);
		else
			reader->unpaired++;
		break;
	case EVENT_HANDED:
		mark_handed(reader->cpu, event->which);
		add_mark(reader->run, MARK_HANDED, event);
		break;
	case EVENT_YIELD:
		add_mark(reader->run, MARK_YIELD, event);
		break;
	case EVENT_KICK:
		add_kick(reader->run, event);
		break;
	case EVENT_UNKNOWN:
		break;
	}
}

/* Closes what is open at the end of the trace. The vCPU ran during the rest. */
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
		read_event(&reader, &events[i]);
	}
	finish(&reader);
	return reader.unpaired + reader.locks.unpaired;
}
