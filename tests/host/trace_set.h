/* SPDX-License-Identifier: MIT */
/* A struct set of event records as a test writes them down: one log, 1000 cycles a microsecond. */
#ifndef PVSPIN_TESTS_HOST_TRACE_SET_H
#define PVSPIN_TESTS_HOST_TRACE_SET_H

#include "tools/report/data.h"

struct trace_set {
	struct set set;
	struct log log;
	struct record boot;
	uint64_t run; /* of the events that are added; 1 at first */
	const char *lock;
};

/* Empty. */
void trace_set_begin(struct trace_set *made);
void trace_set_end(struct trace_set *made);

/* "wait 10, acquire 20, kick 30 2": events of one CPU, `what tsc [to]` each. */
void trace_set_add(struct trace_set *made, uint64_t cpu, const char *events);
void trace_set_event(struct trace_set *made, uint64_t cpu, const char *what, json_int_t tsc,
		     json_int_t to);

#endif
