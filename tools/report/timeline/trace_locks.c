/* SPDX-License-Identifier: MIT */
/* See trace_locks.h. Where all events are about one lock its id is 0, and holding it twice means
 * that a release is lost. */
#include "tools/report/timeline/trace_locks.h"

#include "tools/report/base/memory.h"

/* Nothing before the end of the last one, whatever the log has lost. */
static void append(struct lock_reader *reader, struct span span)
{
	struct spans *spans = reader->spans;

	if (spans->count && span.start < spans->list[spans->count - 1].end)
		span.start = spans->list[spans->count - 1].end;
	spans->list = memory_grow(spans->list, spans->count, sizeof(span));
	spans->list[spans->count++] = span;
}

static void append_held(struct lock_reader *reader, size_t i, uint64_t tsc, bool open)
{
	append(reader, (struct span){.kind = SPAN_HELD,
				     .start = reader->held[i].since,
				     .end = tsc,
				     .open = open,
				     .lock = reader->held[i].lock});
}

static void append_waited(struct lock_reader *reader, uint64_t tsc, bool open)
{
	append(reader, (struct span){.kind = SPAN_WAITED,
				     .start = reader->waited.start,
				     .end = tsc,
				     .open = open,
				     .lock = reader->waited.lock});
	reader->waited.open = false;
}

/* Its place in held[]; depth: not held. */
static size_t place_of(const struct lock_reader *reader, struct trace_lock lock)
{
	size_t i = 0;

	while (i < reader->depth && reader->held[i].lock.id != lock.id)
		i++;
	return i;
}

/* From `tsc` on something else is innermost, or the lock below is again. */
static void turn_from_innermost(struct lock_reader *reader, uint64_t tsc)
{
	size_t i = reader->depth;

	if (i == 0)
		return;
	if (reader->held[i - 1].since < tsc)
		append_held(reader, i - 1, tsc, false);
	reader->held[i - 1].since = tsc;
}

void locks_wait(struct lock_reader *reader, struct trace_lock lock, uint64_t tsc)
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
		turn_from_innermost(reader, tsc);
	reader->waited.open = true;
	reader->waited.start = tsc;
	reader->waited.lock = lock;
}

void locks_acquire(struct lock_reader *reader, struct trace_lock lock, uint64_t tsc)
{
	size_t place = place_of(reader, lock);

	if (place < reader->depth) { /* its release is lost, and those of what was inside */
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
	turn_from_innermost(reader, tsc);
	if (reader->depth == TRACE_MOST_HELD) {
		reader->unpaired += reader->depth;
		reader->depth = 0;
	}
	reader->held[reader->depth].lock = lock;
	reader->held[reader->depth++].since = tsc;
	reader->seen = true;
}

/* Of a lock that it does not hold: the trace may have begun inside of sections. */
static void stray(struct lock_reader *reader, struct trace_lock lock)
{
	bool from_before = lock.id == 0 ? !reader->seen
					: reader->depth == 0 && reader->strays < TRACE_MOST_HELD;

	reader->strays++;
	if (!from_before)
		reader->unpaired++;
}

void locks_release(struct lock_reader *reader, struct trace_lock lock, uint64_t tsc)
{
	size_t place = place_of(reader, lock);

	if (place == reader->depth) {
		stray(reader, lock);
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

void locks_finish(struct lock_reader *reader, uint64_t tsc)
{
	if (reader->waited.open)
		append_waited(reader, tsc, true);
	else if (reader->depth)
		append_held(reader, reader->depth - 1, tsc, true);
}

void locks_mark(const struct lock_reader *reader, struct span *span)
{
	span->holding = reader->depth > 0;
	span->held_count = reader->depth;
	for (size_t i = 0; i < reader->depth; i++)
		span->held[i] = reader->held[i].lock;
	span->waiting = reader->waited.open;
	if (reader->waited.open)
		span->lock = reader->waited.lock;
}
