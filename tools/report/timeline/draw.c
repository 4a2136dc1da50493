/* SPDX-License-Identifier: MIT */
/*
 * A timeline as SVG: see timeline.h. Each vCPU has a lane of two bands: the upper one shows whether
 * it ran, the lower one its waits and holds. All shapes have their own attributes, so that pictures
 * do not disturb each other or the page. Text and axis have the page's colour.
 */
#include "tools/report/base/format.h"
#include "tools/report/plot/plot.h"
#include "tools/report/timeline/timeline.h"

#include <math.h>

/* in user units; the page scales the picture to its width */
#define WIDTH      960
#define LEFT       64 /* names of the vCPUs */
#define RIGHT      16
#define TOP        62 /* caption and legend */
#define BOTTOM     40 /* axis */
#define AREA_WIDTH (WIDTH - LEFT - RIGHT)
#define TITLE_FROM 3.0 /* narrower spans have no tool tip */
#define LEAST      0.8 /* width of the narrowest span, so that none is invisible */
#define LABEL_FROM 120 /* wider spans have room for a text */
#define TICKS      8   /* on the axis, at most */

/* Opacity of the locks that are not the picture's subject. */
#define PALE "0.3"

#define COLOUR_HELD   "#d55e00"
#define COLOUR_WAITED "#e0a800"

static const char *const colours[SPAN_KINDS] = {
	[SPAN_RUNNING] = COLOUR_RUNNING,  [SPAN_HALTED] = COLOUR_HALTED, [SPAN_IDLE] = COLOUR_IDLE,
	[SPAN_PREEMPTED] = COLOUR_STOLEN, [SPAN_WAITED] = COLOUR_WAITED, [SPAN_HELD] = COLOUR_HELD,
};

/* For the legend. */
static const char *const names[SPAN_KINDS] = {
	[SPAN_RUNNING] = "running",
	[SPAN_HALTED] = "halted",
	[SPAN_IDLE] = "idle",
	[SPAN_PREEMPTED] = "off the CPU (preempted)",
	[SPAN_WAITED] = "waits for the lock",
	[SPAN_HELD] = "holds the lock",
};

/* Writes "5.00 ms", or "5.00 ms and more". */
static void put_length(FILE *out, const struct trace_run *run, const struct span *span)
{
	char text[FORMAT_BYTES];

	fputs(format_ns(text, 1000 * trace_us(run, span->start, span->end)), out);
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

/* Writes the lock of a span, or all locks that a preempted vCPU held: "the lock", or, if there are
 * several locks, "zone 493". */
static void put_locks(FILE *out, const struct span *span)
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

/* Writes "vCPU 1 waits for the lock: 5.00 ms". */
static void put_title(FILE *out, const struct trace_run *run, uint64_t cpu, const struct span *span)
{
	fprintf(out, "vCPU %llu ", (unsigned long long)cpu);
	if (span->kind == SPAN_WAITED || span->kind == SPAN_HELD) {
		fputs(span->kind == SPAN_WAITED ? "waits for " : "holds ", out);
		put_locks(out, span);
	} else {
		fputs(names[span->kind], out);
	}
	if (span->holding) {
		fputs(" with ", out);
		put_locks(out, span);
	}
	fputs(": ", out);
	put_length(out, run, span);
}

static void put_about(FILE *out, const struct timeline_view *view)
{
	const struct trace_find *find = view->find;

	if (!find) {
		fputs("the whole trace; nobody waited.", out);
		return;
	}
	if (find->about == ABOUT_WAIT)
		fputs("no holder was preempted during the trace; the longest wait is of ", out);
	fprintf(out, "vCPU %llu", (unsigned long long)find->cpu->cpu);
	if (find->about == ABOUT_WAIT && view->run->many_locks) {
		fputs(" for ", out);
		put_locks(out, find->span);
	}
	fputs(find->about == ABOUT_WAIT ? ", " : " was off the CPU for ", out);
	put_length(out, view->run, find->span);
	if (find->about != ABOUT_WAIT) {
		fputs(find->about == ABOUT_HOLDER ? " while it held " : " when ", out);
		put_locks(out, find->span);
	}
	if (find->about == ABOUT_HANDED)
		fputs(" was handed to it", out);
	fprintf(out, "; %zu of %zu others waited", view->waiters, view->run->cpu_count - 1);
	fputs(view->run->many_locks ? " for that." : ".", out);
}

/* Writes what the picture shows, as its caption and as its label for screen readers. */
static void put_caption(FILE *out, const struct timeline_view *view)
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

struct picture {
	FILE *out;
	const struct timeline_view *view;
	double lane; /* height of a lane, including the gap */
};

static double x_of(const struct picture *picture, uint64_t tsc)
{
	const struct timeline_view *view = picture->view;

	if (tsc <= view->from)
		return LEFT;
	if (tsc >= view->to)
		return LEFT + AREA_WIDTH;
	return LEFT + AREA_WIDTH * ((double)(tsc - view->from) / (double)(view->to - view->from));
}

static double lane_top(const struct picture *picture, size_t lane)
{
	return TOP + picture->lane * (double)lane;
}

static double font_of(const struct picture *picture)
{
	return picture->lane < 16 ? 9 : 12;
}

struct box {
	double left, right, top, height;
	bool pale;
};

static void put_box(const struct picture *picture, size_t lane, const struct box *box,
		    const struct span *span)
{
	double width = box->right - box->left > LEAST ? box->right - box->left : LEAST;

	fprintf(picture->out,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"%s",
		box->left, box->top, width, box->height, colours[span->kind],
		box->pale ? " fill-opacity=\"" PALE "\"" : "");
	if (width < TITLE_FROM) {
		fputs("/>\n", picture->out);
		return;
	}
	fputs("><title>", picture->out);
	put_title(picture->out, picture->view->run, picture->view->lanes[lane]->cpu, span);
	fputs("</title></rect>\n", picture->out);
}

/* True for waits and holds of a lock that is not the picture's subject. */
static bool is_pale(const struct timeline_view *view, const struct span *span)
{
	return (span->kind == SPAN_WAITED || span->kind == SPAN_HELD) && view->find &&
	       !trace_concerns(view->find->span, span->lock.id);
}

/* Draws all spans of a kind in the window. Spans that the eye could not tell apart become one, so
 * the size of the picture is bounded. */
static void draw_kind(const struct picture *picture, size_t lane, const struct spans *spans,
		      enum span_kind kind, struct box box)
{
	const struct timeline_view *view = picture->view;
	const struct span *shown = NULL;

	for (size_t i = 0; i < spans->count; i++) {
		const struct span *span = &spans->list[i];
		double left, right;

		if (span->kind != kind || span->end < view->from || span->start > view->to ||
		    is_pale(view, span) != box.pale)
			continue;
		left = x_of(picture, span->start);
		right = x_of(picture, span->end);
		if (shown && left - box.right < LEAST && right - box.left < TITLE_FROM) {
			box.right = right;
			continue;
		}
		if (shown)
			put_box(picture, lane, &box, shown);
		shown = span;
		box.left = left;
		box.right = right;
	}
	if (shown)
		put_box(picture, lane, &box, shown);
}

/* A lane is blank where the trace has no events. If all of it is blank, says why. */
static void draw_blank(const struct picture *picture, size_t lane)
{
	const struct timeline_view *view = picture->view;
	const struct trace_cpu *cpu = view->lanes[lane];

	if (cpu->last >= view->from && cpu->first <= view->to)
		return;
	fprintf(picture->out,
		"<text x=\"%d\" y=\"%.1f\" font-size=\"%.1f\" fill-opacity=\"0.7\">unknown: the "
		"events kept are all %s</text>\n",
		LEFT + 6, lane_top(picture, lane) + picture->lane * 0.52, font_of(picture),
		cpu->last < view->from ? "earlier" : "later");
}

static void draw_lane(const struct picture *picture, size_t lane)
{
	const struct trace_cpu *cpu = picture->view->lanes[lane];
	double top = lane_top(picture, lane), state = picture->lane * 0.52;
	double lock = picture->lane * 0.28;
	bool subject = picture->view->find && cpu == picture->view->find->cpu;

	fprintf(picture->out,
		"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" font-size=\"%.1f\"%s>vCPU "
		"%llu</text>\n",
		LEFT - 8, top + picture->lane * 0.55, font_of(picture),
		subject ? " font-weight=\"bold\"" : "", (unsigned long long)cpu->cpu);
	fprintf(picture->out,
		"<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"currentColor\" "
		"stroke-opacity=\"0.25\" stroke-width=\"0.5\"/>\n",
		LEFT, LEFT + AREA_WIDTH, top + state + lock, top + state + lock);
	draw_blank(picture, lane);
	for (int kind = SPAN_RUNNING; kind <= SPAN_PREEMPTED; kind++)
		draw_kind(picture, lane, &cpu->states, (enum span_kind)kind,
			  (struct box){.left = -1, .top = top, .height = state});
	for (int kind = SPAN_WAITED; kind <= SPAN_HELD; kind++) {
		struct box box = {.left = -1, .top = top + state, .height = lock, .pale = true};

		draw_kind(picture, lane, &cpu->lock, (enum span_kind)kind, box);
		box.pale = false;
		draw_kind(picture, lane, &cpu->lock, (enum span_kind)kind, box);
	}
}

/* Draws a frame around the picture's subject, and writes how long it took. */
static void draw_find(const struct picture *picture)
{
	const struct trace_find *find = picture->view->find;
	double left = x_of(picture, find->span->start), right = x_of(picture, find->span->end);
	size_t lane = 0;

	while (lane < picture->view->lane_count && picture->view->lanes[lane] != find->cpu)
		lane++;
	if (lane == picture->view->lane_count)
		return;
	fprintf(picture->out,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" "
		"stroke=\"currentColor\" stroke-width=\"2\"/>\n",
		left, lane_top(picture, lane) - 1, right > left ? right - left : LEAST,
		picture->lane * 0.8 + 2);
	if (right - left < LABEL_FROM || find->about == ABOUT_WAIT)
		return;
	fprintf(picture->out,
		"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-size=\"%.0f\" "
		"fill=\"#ffffff\">%s, ",
		(left + right) / 2, lane_top(picture, lane) + picture->lane * 0.4,
		font_of(picture) - 1,
		find->about == ABOUT_HOLDER ? "off the CPU with the lock"
					    : "off the CPU when the lock was handed to it");
	put_length(picture->out, picture->view->run, find->span);
	fputs("</text>\n", picture->out);
}

/* Draws a line, and a triangle as its head. */
static void draw_arrow(const struct picture *picture, double x1, double y1, double x2, double y2)
{
	double angle = atan2(y2 - y1, x2 - x1);

	fprintf(picture->out,
		"<path d=\"M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1fL%.1f %.1fZ\" "
		"stroke=\"currentColor\" stroke-width=\"0.9\" fill=\"currentColor\"/>\n",
		x1, y1, x2, y2, x2, y2, x2 - 6 * cos(angle - 0.4), y2 - 6 * sin(angle - 0.4),
		x2 - 6 * cos(angle + 0.4), y2 - 6 * sin(angle + 0.4));
}

static size_t lane_of(const struct timeline_view *view, uint64_t cpu)
{
	size_t lane = 0;

	while (lane < view->lane_count && view->lanes[lane]->cpu != cpu)
		lane++;
	return lane;
}

static void draw_kicks(const struct picture *picture)
{
	const struct timeline_view *view = picture->view;
	double last = -1; /* start of the last arrow; nearer ones could not be told apart */

	for (size_t i = 0; i < view->run->kick_count; i++) {
		const struct kick *kick = &view->run->kicks[i];
		size_t from = lane_of(view, kick->from), to = lane_of(view, kick->to);
		double x = x_of(picture, kick->tsc);

		if (!kick->woken || kick->tsc < view->from || kick->woke > view->to ||
		    from == view->lane_count || to == view->lane_count || x - last < 1)
			continue;
		last = x;
		draw_arrow(picture, x, lane_top(picture, from) + picture->lane * 0.26,
			   x_of(picture, kick->woke), lane_top(picture, to) + picture->lane * 0.26);
	}
}

static void draw_legend(const struct picture *picture)
{
	static const int widths[SPAN_KINDS] = {74, 66, 50, 168, 134, 112};
	bool many = picture->view->run->many_locks;
	double x = LEFT;

	for (int kind = 0; kind < SPAN_KINDS; kind++) {
		if (kind == SPAN_IDLE && !many)
			continue;
		fprintf(picture->out,
			"<rect x=\"%.1f\" y=\"34\" width=\"12\" height=\"12\" fill=\"%s\"/>\n"
			"<text x=\"%.1f\" y=\"44\" font-size=\"12\">%s</text>\n",
			x, colours[kind], x + 17, names[kind]);
		x += widths[kind];
	}
	if (many) {
		fprintf(picture->out,
			"<rect x=\"%.1f\" y=\"34\" width=\"6\" height=\"12\" fill=\"" COLOUR_WAITED
			"\" fill-opacity=\"" PALE "\"/>\n"
			"<rect x=\"%.1f\" y=\"34\" width=\"6\" height=\"12\" fill=\"" COLOUR_HELD
			"\" fill-opacity=\"" PALE "\"/>\n"
			"<text x=\"%.1f\" y=\"44\" font-size=\"12\">another lock</text>\n",
			x, x + 6, x + 17);
		x += 98;
	}
	draw_arrow(picture, x, 40, x + 24, 40);
	fprintf(picture->out, "<text x=\"%.1f\" y=\"44\" font-size=\"12\">kick, wake-up</text>\n",
		x + 30);
}

/* Returns the smallest number of at least `least` that is 1, 2 or 5 times a power of ten. */
static double round_step(double least)
{
	double power = pow(10, floor(log10(least)));

	if (power >= least)
		return power;
	return 2 * power >= least ? 2 * power : 5 * power >= least ? 5 * power : 10 * power;
}

/* Draws the axis: time since the log's first event, as in the Perfetto file. */
static void draw_axis(const struct picture *picture)
{
	const struct timeline_view *view = picture->view;
	double from = trace_us(view->run, view->run->start, view->from);
	double span = trace_us(view->run, view->from, view->to);
	double unit = span >= 2000000 ? 1000000 : span >= 2000 ? 1000 : 1;
	double step = round_step(span / TICKS), y = lane_top(picture, view->lane_count) + 2;
	int digits = step < unit ? (int)ceil(log10(unit / step) - 1e-9) : 0;
	FILE *out = picture->out;

	fprintf(out,
		"<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"currentColor\"/>\n",
		LEFT, LEFT + AREA_WIDTH, y, y);
	for (int i = 0; i <= TICKS; i++) {
		double tick = (ceil(from / step) + i) * step;
		double x = LEFT + AREA_WIDTH * (tick - from) / span;

		if (tick > from + span)
			break;
		fprintf(out,
			"<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" "
			"stroke=\"currentColor\"/>\n"
			"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" "
			"font-size=\"11\">%.*f</text>\n",
			x, x, y, y + 4, x, y + 16, digits, tick / unit);
	}
	fprintf(out,
		"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" font-size=\"11\">%s since the first "
		"event of this log</text>\n",
		LEFT + AREA_WIDTH, y + 32,
		unit > 1000 ? "s"
		: unit > 1  ? "ms"
			    : "us");
}

static double lane_height(size_t lanes)
{
	return lanes <= 12 ? 36 : lanes <= 32 ? 24 : 15;
}

void timeline_draw(FILE *out, const struct timeline_view *view)
{
	struct picture picture = {out, view, lane_height(view->lane_count)};
	double height = lane_top(&picture, view->lane_count) + BOTTOM;

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" role=\"img\" "
		"font-family=\"sans-serif\" fill=\"currentColor\" aria-label=\"Timeline. ",
		WIDTH, height);
	put_caption(out, view);
	fputs("\">\n<text x=\"0\" y=\"18\" font-size=\"12.5\" font-weight=\"bold\">", out);
	put_caption(out, view);
	fputs("</text>\n", out);
	draw_legend(&picture);
	for (size_t lane = 0; lane < view->lane_count; lane++)
		draw_lane(&picture, lane);
	draw_kicks(&picture);
	if (view->find)
		draw_find(&picture);
	draw_axis(&picture);
	fputs("</svg>\n", out);
}
