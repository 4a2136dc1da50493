/* SPDX-License-Identifier: MIT */
/* The clock that the logs of one call share: trace.c's part. */
#ifndef PVSPIN_TOOLS_REPORT_TIMELINE_TRACE_CLOCK_H
#define PVSPIN_TOOLS_REPORT_TIMELINE_TRACE_CLOCK_H

#include "tools/report/timeline/trace.h"

/* Fills wall_ns and ahead_us of all runs, which stand log by log. */
void trace_align(struct trace *trace);

#endif
