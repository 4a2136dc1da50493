/* SPDX-License-Identifier: MIT */
/*
 * Pictures of a trace (timeline.c, draw.c). Each shows the most telling moment of a lock: a lane
 * for each vCPU with the time in which it ran, waited, held, slept or was off its CPU, and the
 * kicks between vCPUs. The SVG goes into a page unchanged: it has no script, style sheet, font,
 * link or ID, and its text has the page's colour.
 */
#ifndef PVSPIN_TOOLS_REPORT_TIMELINE_TIMELINE_H
#define PVSPIN_TOOLS_REPORT_TIMELINE_TIMELINE_H

#include "tools/report/base/data.h"
#include "tools/report/timeline/trace.h"

#include <stdbool.h>
#include <stdio.h>

#define TIMELINE_MOST_LOCKS 8
#define TIMELINE_MOST_LANES 64

/* Writes an <svg> for each of the first TIMELINE_MOST_LOCKS locks with events. */
void timeline_svg(FILE *out, const struct set *set);

/* The part of a run that a picture shows. */
struct timeline_view {
	const struct trace_run *run;
	const struct trace_find *find; /* its subject; NULL: all of the run */
	uint64_t from, to;             /* tsc */
	const struct trace_cpu *lanes[TIMELINE_MOST_LANES];
	size_t lane_count;
	size_t waiters; /* vCPUs that waited during find->span */
};

/* Chooses the window around `find`, and the vCPUs: all, or those that waited longest. */
struct timeline_view timeline_choose(const struct trace_run *run, const struct trace_find *find);

/* Draws the view as an <svg>. */
void timeline_draw(FILE *out, const struct timeline_view *view);

/*
 * Writes the trace of a set for ui.perfetto.dev and chrome://tracing: JSON of the "Trace Event
 * Format" (Google, 2016), which both read. A process is a run of a log. Each vCPU has a track of
 * its states and a track of its waits and holds. An arrow is a kick. Without events the trace is
 * empty, but valid. Returns false with errno if writing to `out` fails.
 */
bool perfetto_write(FILE *out, const struct set *set);

#endif
