/* SPDX-License-Identifier: MIT */
/* Chooses what the pictures of timeline.h show: the most telling moment of a lock's runs
 * (trace_find() of trace.h), the window around it, and the vCPUs. */
#include "tools/report/timeline/timeline.h"
#include "tools/report/base/system.h"
#include "tools/report/timeline/trace.h"

#include <stdlib.h>
#include <string.h>

/* A log may have any number of spans, so waits of others are summed only for the longest ones. */
#define MOST_CANDIDATES 16

struct candidate {
	struct trace_find find;
	double us;
};

/* The longest ones, in descending order. */
struct candidates {
	struct candidate list[MOST_CANDIDATES];
	size_t count;
};

/* Inserts a span if it is one of the longest. Lengths are in us, because logs have different
 * clocks. */
static void consider(struct candidates *candidates, const struct trace_find *find)
{
	double us = trace_us(find->run, find->span->start, find->span->end);
	size_t place = candidates->count;

	while (place > 0 && candidates->list[place - 1].us < us)
		place--;
	if (place == MOST_CANDIDATES || us <= 0)
		return;
	if (candidates->count < MOST_CANDIDATES)
		candidates->count++;
	memmove(&candidates->list[place + 1], &candidates->list[place],
		(candidates->count - place - 1) * sizeof(candidates->list[0]));
	candidates->list[place] = (struct candidate){*find, us};
}

static bool is_about(const struct span *span, enum find_about about)
{
	switch (about) {
	case ABOUT_HOLDER:
		return span->kind == SPAN_PREEMPTED && span->holding;
	case ABOUT_HANDED:
		return span->kind == SPAN_PREEMPTED && span->handed;
	case ABOUT_WAIT:
		return span->kind == SPAN_WAITED;
	}
	return false;
}

static void consider_all(struct candidates *candidates, const struct trace_run *run,
			 enum find_about about)
{
	struct trace_find find = {.about = about, .run = run};

	for (size_t i = 0; i < run->cpu_count; i++) {
		const struct spans *spans =
			about == ABOUT_WAIT ? &run->cpus[i].lock : &run->cpus[i].states;

		find.cpu = &run->cpus[i];
		for (size_t j = 0; j < spans->count; j++) {
			find.span = &spans->list[j];
			if (is_about(find.span, about))
				consider(candidates, &find);
		}
	}
}

static uint64_t shared(const struct span *a, const struct span *b)
{
	uint64_t from = a->start > b->start ? a->start : b->start;
	uint64_t to = a->end < b->end ? a->end : b->end;

	return to > from ? to - from : 0;
}

bool trace_concerns(const struct span *span, uint64_t lock_id)
{
	if (span->kind != SPAN_PREEMPTED || !span->holding)
		return span->lock.id == lock_id;
	for (size_t i = 0; i < span->held_count; i++) {
		if (span->held[i].id == lock_id)
			return true;
	}
	return false;
}

uint64_t trace_waited(const struct trace_cpu *cpu, const struct span *span)
{
	uint64_t cycles = 0;

	for (size_t i = 0; i < cpu->lock.count; i++) {
		const struct span *wait = &cpu->lock.list[i];

		if (wait->kind == SPAN_WAITED && trace_concerns(span, wait->lock.id))
			cycles += shared(wait, span);
	}
	return cycles;
}

/* Returns the time that other vCPUs waited meanwhile. */
static double others_us(const struct trace_find *find)
{
	double us = 0;

	for (size_t i = 0; i < find->run->cpu_count; i++) {
		if (&find->run->cpus[i] != find->cpu)
			us += trace_us(find->run, 0, trace_waited(&find->run->cpus[i], find->span));
	}
	return us;
}

static bool find_about(const struct trace *trace, const char *lock, enum find_about about,
		       struct trace_find *find)
{
	struct candidates candidates = {.count = 0};
	double most = 0;
	bool waited_for = false;

	for (size_t i = 0; i < trace->run_count; i++) {
		if (strcmp(trace->runs[i].lock, lock) == 0)
			consider_all(&candidates, &trace->runs[i], about);
	}
	for (size_t i = 0; i < candidates.count; i++) {
		const struct candidate *candidate = &candidates.list[i];
		double others = others_us(&candidate->find), us = candidate->us + others;

		if (others > 0 ? waited_for && us <= most : waited_for || us <= most)
			continue;
		most = us;
		waited_for = others > 0;
		*find = candidate->find;
	}
	return candidates.count > 0;
}

bool trace_find(const struct trace *trace, const char *lock, struct trace_find *find)
{
	return find_about(trace, lock, ABOUT_HOLDER, find) ||
	       find_about(trace, lock, ABOUT_HANDED, find) ||
	       find_about(trace, lock, ABOUT_WAIT, find);
}

/* The parts of the window before and after its subject show how it came about and what followed. */
#define BEFORE(length) ((length) / 5)
#define AFTER(length)  ((length) / 3)

struct rank {
	size_t index;
	uint64_t waited;
};

static int by_waited(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	if (a->waited != b->waited)
		return a->waited < b->waited ? 1 : -1;
	return (a->index > b->index) - (a->index < b->index);
}

static int by_index(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	return (a->index > b->index) - (a->index < b->index);
}

/* If there are more vCPUs than lanes, chooses the subject and those that waited longest, and sorts
 * them by index. */
static void choose_lanes(struct timeline_view *view)
{
	const struct trace_run *run = view->run;
	struct rank *ranks = memory_new(run->cpu_count, sizeof(*ranks));

	view->lane_count = run->cpu_count;
	for (size_t i = 0; i < run->cpu_count; i++) {
		const struct trace_cpu *cpu = &run->cpus[i];
		uint64_t waited = view->find ? trace_waited(cpu, view->find->span) : 0;

		ranks[i].index = i;
		ranks[i].waited = waited;
		if (view->find && cpu == view->find->cpu)
			ranks[i].waited = UINT64_MAX;
		else if (waited > 0)
			view->waiters++;
	}
	if (view->lane_count > TIMELINE_MOST_LANES) {
		view->lane_count = TIMELINE_MOST_LANES;
		qsort(ranks, run->cpu_count, sizeof(*ranks), by_waited);
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
		view.to = view.from + 1; /* all events at one instant */
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
