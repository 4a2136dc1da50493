/* SPDX-License-Identifier: MIT */
/*
 * trace=N: the last N lock events of a vCPU, in a ring of its own that is logged after the run.
 * Recording costs a TSC read and two stores to the vCPU's own cache lines. Without trace= the ring
 * is NULL, and only cold paths check for it: the measured loop that traces is an instance of its
 * own (bench/register.h), and halts, kicks and yields are hypercalls anyway.
 *
 * A vCPU cannot record that it goes off its CPU. trace_look() finds that out afterwards, from the
 * vCPU's own steal-time page. It looks around each event of the loop and at each poll of a waiter,
 * so TRACE_RESUMED is late by at most the work between two looks. Its stolen time is how long the
 * vCPU was runnable without a CPU just before.
 */
#ifndef PVSPIN_LOCKS_CORE_TRACE_H
#define PVSPIN_LOCKS_CORE_TRACE_H

#include "locks/core/stats.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum trace_what {
	TRACE_WAIT,    /* found the lock taken: from here on it polls or halts */
	TRACE_ACQUIRE, /* has it */
	TRACE_RELEASE, /* about to let go; the next acquisition comes later */
	TRACE_HANDED,  /* sees that lock or headship came while it was off the CPU (LWP) */
	TRACE_HALT,    /* about to sleep (HLT, futex) */
	TRACE_WAKE,    /* awake again */
	TRACE_KICK,    /* kicks CPU `arg` */
	TRACE_YIELD,   /* yields to CPU `arg` */
	TRACE_RESUMED, /* was off the CPU, `arg` ns of stolen time until about now */
	TRACE_IDLE,    /* workload=kbuild: no task to run, sleeps until there may be one */
	TRACE_BUSY,    /* ... and is awake again */
	TRACE_COUNT
};

/* As in the records' `what`. Defined in locks/core/trace.c. */
extern const char *const trace_names[TRACE_COUNT];

#define TRACE_LOCK_BITS 20 /* a million locks; workload=kbuild has 60 000 at most */
#define TRACE_ARG_BITS  40 /* 18 minutes in ns; longer times are recorded as that */

struct trace_event {
	uint64_t tsc;
	uint64_t what : 4, lock : TRACE_LOCK_BITS, arg : TRACE_ARG_BITS;
};

struct trace_ring {
	struct trace_event *events;
	uint32_t size, next; /* next: where the next one goes */
	uint64_t added;      /* since trace_begin, those overwritten included */
	uint32_t version;    /* of the vCPU's own steal-time page at the last look */
	uint64_t stolen_ns;  /* and the time stolen until then */
	/* trace_until=lhp: once *closing is true, each vCPU records `left` more events. NULL: it
	 * records to the end of the run */
	_Atomic bool *closing;
	uint32_t left;
	uint32_t lock; /* which lock the events are about, if there are several; else 0 */
} __attribute__((aligned(64)));

/* trace_until=lhp: a holder that was off its CPU for this long ends the trace. Shorter than any
 * time slice, longer than an interrupt of the host. */
#define TRACE_LHP_NS UINT64_C(1000000)

/* Out of line; call only if there is a ring. */
void trace_record(struct lock_stats *stats, enum trace_what what, uint64_t arg);
/* Records TRACE_RESUMED if time was stolen since the last look. Returns that time in ns. */
uint64_t trace_note_stolen(struct lock_stats *stats);

/* Call just before the release: closes the trace if the holder was preempted for TRACE_LHP_NS. */
void trace_holder_looks(struct lock_stats *stats);

/* trace_until=lhp: the awaited event has come. Does nothing without that key. */
void trace_close(struct lock_stats *stats);

/* Empties the ring and starts to trace. Call on the ring's vCPU or while that is idle. `closing` is
 * shared by all vCPUs and false at first; NULL: see struct trace_ring. */
void trace_begin(struct lock_stats *stats, struct trace_ring *ring, _Atomic bool *closing);

/* The i-th event kept, oldest first: 0 <= i < trace_kept(). */
uint32_t trace_kept(const struct trace_ring *ring);
const struct trace_event *trace_at(const struct trace_ring *ring, uint32_t i);

/* Records the event if there is a ring. By the vCPU that owns `stats`. */
static inline void trace_add(struct lock_stats *stats, enum trace_what what, uint64_t arg)
{
	if (__builtin_expect(stats->trace != NULL, 0))
		trace_record(stats, what, arg);
}

/* Says which lock the events from here on are about. */
static inline void trace_about(struct lock_stats *stats, uint32_t lock)
{
	if (__builtin_expect(stats->trace != NULL, 0))
		stats->trace->lock = lock;
}

/* Records that this vCPU was off the CPU since the last look, if it was. */
static inline void trace_look(struct lock_stats *stats)
{
	if (__builtin_expect(stats->trace != NULL, 0))
		trace_note_stolen(stats);
}

#endif
