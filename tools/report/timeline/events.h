/* SPDX-License-Identifier: MIT */
/* The events of a vCPU, which trace.c collects and cpu.c converts to spans. */
#ifndef PVSPIN_TOOLS_REPORT_TIMELINE_EVENTS_H
#define PVSPIN_TOOLS_REPORT_TIMELINE_EVENTS_H

#include "tools/report/timeline/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `what` of an event record; trace.c has the names. */
enum event_what {
	EVENT_WAIT,
	EVENT_ACQUIRE,
	EVENT_RELEASE,
	EVENT_HANDED,
	EVENT_HALT,
	EVENT_WAKE,
	EVENT_KICK,
	EVENT_YIELD,
	EVENT_PREEMPTED,
	EVENT_RESUMED,
	EVENT_IDLE,
	EVENT_BUSY,
	EVENT_UNKNOWN
};

struct event {
	size_t log; /* index in the set */
	uint64_t run, cpu, tsc, to;
	size_t order; /* in the file */
	enum event_what what;
	const char *lock;
	struct trace_lock which; /* which of several locks of that kind */
};

/* Converts the events of one CPU in one run (at least one, sorted by tsc): fills *cpu, and appends
 * kicks and marks to the run in their order on this CPU. Returns how many events were unpaired. */
size_t trace_cpu_read(const struct event *events, size_t count, struct trace_run *run,
		      struct trace_cpu *cpu);

#endif
