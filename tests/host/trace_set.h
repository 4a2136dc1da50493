/* SPDX-License-Identifier: MIT */
/* Makes a struct set of event records from text: one log, 1000 cycles a microsecond. */
#ifndef PVSPIN_TESTS_HOST_TRACE_SET_H
#define PVSPIN_TESTS_HOST_TRACE_SET_H

#include "tools/report/base/data.h"
#include "tools/report/timeline/trace.h"

struct trace_set {
	struct set set;
	struct log log;
	struct record boot;
	uint64_t run; /* of the next events; initially 1 */
	const char *lock;
	uint64_t lock_id; /* of the next events; initially 0: none */
};

/* Makes an empty set. */
void trace_set_begin(struct trace_set *made);
void trace_set_end(struct trace_set *made);

/* Adds events of one CPU, each as `what tsc [to] [@lock_id]`: "wait 10, acquire 20 @7, kick 30 2".
 * Locks below 100 are of class "rq", the others of class "zone". */
void trace_set_add(struct trace_set *made, uint64_t cpu, const char *events);
void trace_set_event(struct trace_set *made, uint64_t cpu, const char *what, json_int_t tsc,
		     json_int_t to);

/* Returns spans as text, "running 0-10, preempted! 10-30": ! holding, ? waiting, ^ handed, + open,
 * @ the lock, & a held lock. */
const char *trace_set_words(const struct spans *spans);

#endif
