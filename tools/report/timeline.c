/* SPDX-License-Identifier: MIT */
/* What the pictures of timeline.h show: which run of a lock, which stretch of it, which vCPUs. */
#include "tools/report/timeline.h"

#include "tools/report/memory.h"
#include <stdlib.h>
#include <string.h>

/* How much of the window lies before and after what it is about: how it came to it, what followed.
 */
#define BEFORE(length) ((length) / 5)
#define AFTER(length)  ((length) / 3)

static uint64_t shared(const struct span *a, const struct span *b)
{
	uint64_t from = a->start > b->start ? a->start : b->start;
	uint64_t to = a->end < b->end ? a->end : b->end;

	return to > from ? to - from : 0;
}

/* Cycles for which the CPU waited during the span. */
static uint64_t waited_during(const struct trace_cpu *cpu, const struct span *span)
{
	uint64_t cycles = 0;

	for (size_t i = 0; i < cpu->lock.count; i++) {
		if (cpu->lock.list[i].kind == SPAN_WAITED)
			cycles += shared(&cpu->lock.list[i], span);
	}
	return cycles;
}

struct rank {
	size_t index;
	uint64_t concern;
};

static int by_concern(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	if (a->concern != b->concern)
		return a->concern < b->concern ? 1 : -1;
	return (a->index > b->index) - (a->index < b->index);
}

static int by_index(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	return (a->index > b->index) - (a->index < b->index);
}

/* With more vCPUs than lanes: the one it is about, then those that waited longest, by index. */
static void choose_lanes(struct timeline_view *view)
{
	const struct trace_run *run = view->run;
	struct rank *ranks = memory_new(run->cpu_count, sizeof(*ranks));

	view->lane_count = run->cpu_count;
	for (size_t i = 0; i < run->cpu_count; i++) {
		const struct trace_cpu *cpu = &run->cpus[i];
		uint64_t waited = view->find ? waited_during(cpu, view->find->span) : 0;

		ranks[i].index = i;
		ranks[i].concern = waited;
		if (view->find && cpu == view->find->cpu)
			ranks[i].concern = UINT64_MAX;
		else if (waited > 0)
			view->waiters++;
	}
	if (view->lane_count > TIMELINE_MOST_LANES) {
		view->lane_count = TIMELINE_MOST_LANES;
		qsort(ranks, run->cpu_count, sizeof(*ranks), by_concern);
		qsort(ranks, view->lane_count, sizeof(*ranks), by_index);
	}
	for (size_t i = 0; i < view->lane_count; i++)
		view->lanes[i] = &run->cpus[ranks[i].index];
	free(ranks);
}

struct timeline_view timeline_choose(const struct trace_run *run, const struct trace_find *find)
{
	struct timeline_view view = {.run = run, .find = find, .from = run->first, .to = run->last};

	if (find) {
		uint64_t length = find->span->end - find->span->start;
		uint64_t before = BEFORE(length), after = AFTER(length);

		if (find->span->start - run->first > before)
			view.from = find->span->start - before;
		if (run->last - find->span->end > after)
			view.to = find->span->end + after;
	}
	if (view.to == view.from)
		view.to = view.from + 1; /* all at one instant */
	choose_lanes(&view);
	return view;
}

/* Whether an earlier run has the same lock. */
static bool had_before(const struct trace *trace, size_t run)
{
	for (size_t i = 0; i < run; i++) {
		if (strcmp(trace->runs[i].lock, trace->runs[run].lock) == 0)
			return true;
	}
	return false;
}

void timeline_svg(FILE *out, const struct set *set)
{
	struct trace trace;
	size_t locks = 0;

	trace_read(set, &trace);
	for (size_t i = 0; i < trace.run_count && locks < TIMELINE_MOST_LOCKS; i++) {
		struct timeline_view view;
		struct trace_find find;

		if (had_before(&trace, i))
			continue;
		locks++;
		if (trace_longest(&trace, trace.runs[i].lock, &find))
			view = timeline_choose(find.run, &find);
		else
			view = timeline_choose(&trace.runs[i], NULL);
		timeline_draw(out, &view);
	}
	trace_free(&trace);
}
