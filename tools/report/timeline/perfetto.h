/* SPDX-License-Identifier: MIT */
/* The parts of perfetto_write() (timeline.h) share this: one event of the file at a time. */
#ifndef PVSPIN_TOOLS_REPORT_TIMELINE_PERFETTO_H
#define PVSPIN_TOOLS_REPORT_TIMELINE_PERFETTO_H

#include "tools/report/timeline/trace.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct writer {
	FILE *out;
	bool first, failed;
	size_t pid;   /* of the process that the next events belong to: 1, 2, 3... */
	size_t flows; /* number of arrows so far */
	const struct trace_run *run;
};

/* Returns the time of a TSC value of the run's guest, in whole nanoseconds, so that equal times are
 * equal numbers. */
uint64_t perfetto_ns(const struct writer *writer, uint64_t tsc);

json_t *perfetto_event(const struct writer *writer, const char *ph, const char *name, uint64_t tid,
		       uint64_t ns);

/* Writes an event and drops the reference to it. */
void perfetto_put(struct writer *writer, json_t *event);
void perfetto_metadata(struct writer *writer, const char *what, uint64_t tid, const char *key,
		       json_t *value);

/* Writes what ran on the host's CPUs during the run's trace, if the log's directory has a
 * host-schedule.tsv. */
void perfetto_host(struct writer *writer);

#endif
