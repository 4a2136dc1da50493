/* SPDX-License-Identifier: MIT */
/*
 * Pictures of a trace (timeline.c, draw.c): for each lock the moment that says most, its vCPUs one
 * below the other, who ran, waited, held, slept or was off the CPU, and the kicks between them. SVG
 * to be put into a page as it is: no script, style sheet, font, link or id, and the page's colour
 * for text.
 */
#ifndef PVSPIN_TOOLS_REPORT_TIMELINE_TIMELINE_H
#define PVSPIN_TOOLS_REPORT_TIMELINE_TIMELINE_H

#include "tools/report/base/data.h"
#include "tools/report/timeline/trace.h"

#include <stdbool.h>
#include <stdio.h>

#define TIMELINE_MOST_LOCKS 8
#define TIMELINE_MOST_LANES 64

/* One <svg> for each lock with events, the first TIMELINE_MOST_LOCKS; nothing without events. */
void timeline_svg(FILE *out, const struct set *set);

/* What of a run is shown. */
struct timeline_view {
	const struct trace_run *run;
	const struct trace_find *find; /* what it is about; NULL: nothing special, all of the run */
	uint64_t from, to;             /* tsc */
	const struct trace_cpu *lanes[TIMELINE_MOST_LANES];
	size_t lane_count;
	size_t waiters; /* vCPUs that waited during find->span */
};

/* Chooses the window around `find` and the vCPUs: all, or those most concerned. */
struct timeline_view timeline_choose(const struct trace_run *run, const struct trace_find *find);

/* Draws it: one <svg>. */
void timeline_draw(FILE *out, const struct timeline_view *view);

/*
 * A trace for ui.perfetto.dev and chrome://tracing: JSON of the "Trace Event Format" (Google,
 * 2016), which both read. A process is one run of one log; each vCPU has a track of its states and
 * one of what it did with the lock; an arrow is a kick.
 */
/* A trace without events is a valid one. False: `out` does not take it (errno). */
bool perfetto_write(FILE *out, const struct set *set);

#endif
