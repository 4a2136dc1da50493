/* SPDX-License-Identifier: MIT */
/*
 * Several VMs on one axis: each log has a TSC of its own, and its run records say what a clock that
 * the VMs share showed at one of its values (start_tsc, start_wall_ns). Logs of one call only;
 * where one of them does not say, each keeps its own zero.
 */
#include "tools/report/timeline/trace_clock.h"

#include <math.h>
#include <string.h>

#define LATEST_NS 4e18   /* the year 2096 */
#define MOST_US   86.4e9 /* a day: logs of one call that differ by more are wrong */

/* The shared clock at the log's first event, in ns; 0: it does not say. */
static int64_t wall_ns(const struct trace_run *run)
{
	const struct log *log = run->log;

	for (size_t i = 0; i < log->count; i++) {
		const struct record *record = &log->records[i];
		uint64_t tsc, wall;
		double us;

		if (record->type != RECORD_RUN || strcmp(record_text(record, "clock"), "none") == 0)
			continue;
		tsc = record_u64(record, "start_tsc");
		wall = record_u64(record, "start_wall_ns");
		us = run->start < tsc ? -trace_us(run, run->start, tsc)
				      : trace_us(run, tsc, run->start);
		if (tsc > 0 && wall > 0 && (double)wall < LATEST_NS && fabs(us) < MOST_US)
			return (int64_t)wall + llround(us * 1000);
	}
	return 0;
}

/* The earliest of the logs of a call; 0: one of them does not say. */
static int64_t earliest(const struct trace *trace, size_t call)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < trace->run_count; i++) {
		const struct trace_run *run = &trace->runs[i];

		if (run->log->call == call && run->wall_ns < least)
			least = run->wall_ns;
	}
	return least;
}

void trace_align(struct trace *trace)
{
	for (size_t i = 0; i < trace->run_count; i++) {
		struct trace_run *run = &trace->runs[i];

		run->wall_ns = i > 0 && trace->runs[i - 1].log == run->log
				       ? trace->runs[i - 1].wall_ns
				       : wall_ns(run);
	}
	for (size_t i = 0; i < trace->run_count; i++) {
		struct trace_run *run = &trace->runs[i];
		int64_t least;
		double ahead;

		if (i > 0 && trace->runs[i - 1].log == run->log) {
			run->ahead_us = trace->runs[i - 1].ahead_us;
			continue;
		}
		least = earliest(trace, run->log->call);
		ahead = least > 0 ? (double)(run->wall_ns - least) / 1000 : 0;
		run->ahead_us = ahead < MOST_US ? ahead : 0;
	}
}
