/* SPDX-License-Identifier: MIT */
/* What the pictures of timeline.h show: which run of a lock, which stretch of it, which vCPUs. */
#include "tools/report/timeline/timeline.h"

#include "tools/report/base/memory.h"
#include <stdlib.h>
#include <string.h>

/* How much of the window lies before and after what it is about: how it came to it, what followed.
 */
#define BEFORE(length) ((length) / 5)
#define AFTER(length)  ((length) / 3)

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
		uint64_t waited = view->find ? trace_waited(cpu, view->find->span) : 0;

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

void timeline_svg(FILE *out, const struct set *set)
{
	const char *seen[TIMELINE_MOST_LOCKS];
	struct trace trace;
	size_t locks = 0;

	trace_read(set, &trace);
	for (size_t i = 0; i < trace.run_count && locks < TIMELINE_MOST_LOCKS; i++) {
		const char *lock = trace.runs[i].lock;
		struct timeline_view view;
		struct trace_find find;
		size_t known = 0;

		while (known < locks && strcmp(seen[known], lock) != 0)
			known++;
		if (known < locks)
			continue;
		seen[locks++] = lock;
		if (trace_find(&trace, lock, &find))
			view = timeline_choose(find.run, &find);
		else
			view = timeline_choose(&trace.runs[i], NULL);
		timeline_draw(out, &view);
	}
	trace_free(&trace);
}
