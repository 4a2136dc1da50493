/* SPDX-License-Identifier: MIT */
/* What a timeline (timeline.h) says in words: caption, tool tips, lengths. SVG text, escaped. */
#ifndef PVSPIN_TOOLS_REPORT_TIMELINE_TIMELINE_WORDS_H
#define PVSPIN_TOOLS_REPORT_TIMELINE_TIMELINE_WORDS_H

#include "tools/report/timeline/timeline.h"
#include "tools/report/timeline/trace.h"
#include <stdio.h>

/* As in the legend. */
extern const char *const timeline_names[SPAN_KINDS];

/* "5 ms", "5 ms and more". */
void timeline_put_length(FILE *out, const struct trace_run *run, const struct span *span);

/* "the lock", where there are several "zone 493"; of a SPAN_PREEMPTED with locks those. */
void timeline_put_locks(FILE *out, const struct span *span);

/* "vCPU 1 waits for the lock: 5 ms" */
void timeline_put_title(FILE *out, const struct trace_run *run, uint64_t cpu,
			const struct span *span);

/* What is shown, for the eye and, as the picture's label, for screen readers. */
void timeline_put_caption(FILE *out, const struct timeline_view *view);

#endif
