/* SPDX-License-Identifier: MIT */
/*
 * A trace for ui.perfetto.dev and chrome://tracing: JSON of the "Trace Event Format" (Google,
 * 2016), which both read. A process is one run of one log; each vCPU has a track of its states and
 * one of what it did with the lock; an arrow is a kick.
 */
#ifndef PVSPIN_TOOLS_REPORT_TIMELINE_PERFETTO_H
#define PVSPIN_TOOLS_REPORT_TIMELINE_PERFETTO_H

#include "tools/report/base/data.h"
#include <stdbool.h>
#include <stdio.h>

/* A trace without events is a valid one. False: `out` does not take it (errno). */
bool perfetto_write(FILE *out, const struct set *set);

#endif
