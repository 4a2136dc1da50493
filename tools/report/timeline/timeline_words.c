/* SPDX-License-Identifier: MIT */
/* See timeline_words.h. */
#include "tools/report/timeline/timeline_words.h"

#include "tools/report/base/escape.h"

const char *const timeline_names[SPAN_KINDS] = {
	[SPAN_RUNNING] = "running",
	[SPAN_HALTED] = "halted",
	[SPAN_IDLE] = "idle",
	[SPAN_PREEMPTED] = "off the CPU (preempted)",
	[SPAN_WAITED] = "waits for the lock",
	[SPAN_HELD] = "holds the lock",
};

/* "12.3 ms"; three digits. */
static void put_time(FILE *out, double us)
{
	if (us >= 999500)
		fprintf(out, "%.3g s", us / 1000000);
	else if (us >= 999.5)
		fprintf(out, "%.3g ms", us / 1000);
	else
		fprintf(out, "%.3g \xc2\xb5s", us);
}

void timeline_put_length(FILE *out, const struct trace_run *run, const struct span *span)
{
	put_time(out, trace_us(run, span->start, span->end));
	if (span->open)
		fputs(" and more", out);
}

static void put_lock(FILE *out, const struct trace_lock *lock)
{
	if (lock->id == 0) {
		fputs("the lock", out);
		return;
	}
	escape_html(out, lock->class[0] != '\0' ? lock->class : "lock");
	fprintf(out, " %llu", (unsigned long long)lock->id);
}

void timeline_put_locks(FILE *out, const struct span *span)
{
	if (span->kind != SPAN_PREEMPTED || !span->holding) {
		put_lock(out, &span->lock);
		return;
	}
	for (size_t i = 0; i < span->held_count; i++) {
		fputs(i ? " and " : "", out);
		put_lock(out, &span->held[i]);
	}
}

void timeline_put_title(FILE *out, const struct trace_run *run, uint64_t cpu,
			const struct span *span)
{
	fprintf(out, "vCPU %llu ", (unsigned long long)cpu);
	if (span->kind == SPAN_WAITED || span->kind == SPAN_HELD) {
		fputs(span->kind == SPAN_WAITED ? "waits for " : "holds ", out);
		timeline_put_locks(out, span);
	} else {
		fputs(timeline_names[span->kind], out);
	}
	if (span->holding) {
		fputs(" with ", out);
		timeline_put_locks(out, span);
	}
	fputs(": ", out);
	timeline_put_length(out, run, span);
}

static void put_about(FILE *out, const struct timeline_view *view)
{
	const struct trace_find *find = view->find;

	if (!find) {
		fputs("all that was traced; nobody waited.", out);
		return;
	}
	if (find->about == ABOUT_WAIT)
		fputs("no holder was preempted in what was traced; the longest wait is of ", out);
	fprintf(out, "vCPU %llu", (unsigned long long)find->cpu->cpu);
	if (find->about == ABOUT_WAIT && view->run->many_locks) {
		fputs(" for ", out);
		timeline_put_locks(out, find->span);
	}
	fputs(find->about == ABOUT_WAIT ? ", " : " was off the CPU for ", out);
	timeline_put_length(out, view->run, find->span);
	if (find->about != ABOUT_WAIT) {
		fputs(find->about == ABOUT_HOLDER ? " while it held " : " when ", out);
		timeline_put_locks(out, find->span);
	}
	if (find->about == ABOUT_HANDED)
		fputs(" was handed to it", out);
	fprintf(out, "; %zu of %zu others waited", view->waiters, view->run->cpu_count - 1);
	fputs(view->run->many_locks ? " for that." : ".", out);
}

void timeline_put_caption(FILE *out, const struct timeline_view *view)
{
	const struct trace_run *run = view->run;

	escape_html(out, run->lock[0] != '\0' ? run->lock : "(lock not named)");
	fprintf(out, ", run %llu", (unsigned long long)run->run);
	if (run->log->instances > 1)
		fprintf(out, " of instance %u", run->log->instance);
	fputs(": ", out);
	put_about(out, view);
	if (view->lane_count < run->cpu_count)
		fprintf(out, " %zu of %zu vCPUs are shown.", view->lane_count, run->cpu_count);
}
