/* SPDX-License-Identifier: MIT */
/*
 * The locks that a vCPU has and waits for, from its events: part of trace_cpu.c. It may hold
 * several inside of each other (workload=kbuild) and wait for one while it holds others; the spans
 * it writes say at each time the innermost, so they come in order and do not overlap.
 */
#ifndef PVSPIN_TOOLS_REPORT_TIMELINE_TRACE_LOCKS_H
#define PVSPIN_TOOLS_REPORT_TIMELINE_TRACE_LOCKS_H

#include "tools/report/timeline/trace.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lock_reader {
	struct spans *spans; /* where they go */
	struct {
		bool open;
		uint64_t start;
		struct trace_lock lock;
	} waited;
	struct {
		struct trace_lock lock;
		uint64_t since;  /* of its time as the innermost: what is not yet in a span */
	} held[TRACE_MOST_HELD]; /* the outermost first */
	size_t depth;
	size_t strays;   /* releases of what was acquired before the trace begins */
	bool seen;       /* an acquire or release */
	size_t unpaired; /* events left out, or whose counterpart is */
};

void locks_wait(struct lock_reader *reader, struct trace_lock lock, uint64_t tsc);
void locks_acquire(struct lock_reader *reader, struct trace_lock lock, uint64_t tsc);
void locks_release(struct lock_reader *reader, struct trace_lock lock, uint64_t tsc);
/* The trace ends: what is open. */
void locks_finish(struct lock_reader *reader, uint64_t tsc);

/* Writes which locks the vCPU has and waits for into a SPAN_PREEMPTED that begins now. */
void locks_mark(const struct lock_reader *reader, struct span *span);

#endif
