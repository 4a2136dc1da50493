/* SPDX-License-Identifier: MIT */
/* The page of a set, or of the two of a comparison: see html.h. What a reader needs first stands
 * first: what ran, what came out, and what may not be made of it. */
#include "tools/report/html/html.h"

#include "tools/report/base/escape.h"
#include "tools/report/base/memory.h"
#include "tools/report/plot/sweep.h"
#include "tools/report/tables/compare.h"
#include "tools/report/tables/identity.h"
#include "tools/report/tables/limits.h"
#include "tools/report/tables/summary.h"
#include "tools/report/timeline/timeline.h"

#include <stdlib.h>
#include <string.h>

static size_t damaged(const struct set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->log_count; i++)
		count += !set->logs[i].complete;
	return count;
}

static void plural(FILE *out, size_t count, const char *thing)
{
	fprintf(out, "%zu %s%s", count, thing, count == 1 ? "" : "s");
}

/* Of the cells with most vCPUs in a sweep: the best and the worst lock. */
static void best_and_worst(FILE *out, const struct sweep *sweep)
{
	const struct cell *best = NULL, *worst = NULL, *cell;
	double factor;

	for (size_t i = 0; (cell = sweep_at_most(sweep, i)) != NULL; i++) {
		double merit = sample_mean(&cell->merit);

		/* fixed work: less time is better */
		if (merit <= 0 || cell->key.damaged || cell->excludes_nobody)
			continue;
		if (best == NULL || (merit > sample_mean(&best->merit)) != cell->fixed_work)
			best = cell;
		if (worst == NULL || (merit < sample_mean(&worst->merit)) != cell->fixed_work)
			worst = cell;
	}
	if (best == NULL || best == worst)
		return;
	fputs("<li>", out);
	escape_html(out, sweep->title);
	fprintf(out, ", %llu vCPUs: <b>", (unsigned long long)best->key.threads);
	escape_html(out, best->key.lock);
	fputs("</b> did best, ", out);
	escape_html(out, worst->key.lock);
	factor = sample_mean(&best->merit) / sample_mean(&worst->merit);
	if (best->fixed_work)
		factor = 1 / factor;
	fprintf(out, factor < 1000 ? " worst, by a factor of %.3g" : " worst, by a factor of %.0f",
		factor);
	fprintf(out, " between their means over %zu and %zu repetitions</li>\n", best->merit.count,
		worst->merit.count);
}

static void summary(FILE *out, const struct set *set, const char *side)
{
	char *settings = identity_common_settings(set);
	struct sweeps sweeps = sweeps_of(set);
	size_t bad = damaged(set);

	fprintf(out, "<section class=\"summary\">\n<p>%s<b>", side);
	escape_html(out, set->name);
	fputs("</b>: accel <b>", out);
	escape_html(out, set->accel ? set->accel : "unknown");
	fputs("</b>, ", out);
	plural(out, set->log_count, "log");
	if (bad > 0)
		fprintf(out, ", <b class=\"damage\">%zu not whole</b>", bad);
	fputs(", ", out);
	plural(out, set->cell_count, "row");
	if (settings[0] != '\0') {
		fputs("; ", out);
		escape_html(out, settings);
	}
	fputs("</p>\n<ul>\n", out);
	for (size_t i = 0; i < sweeps.count; i++)
		best_and_worst(out, &sweeps.list[i]);
	fputs("</ul>\n</section>\n", out);
	sweeps_free(&sweeps);
	free(settings);
}

static void limits(FILE *out, const char *heading, const struct set *set)
{
	struct notes notes = {0};

	limits_of(set, &notes);
	html_notes(out, heading, "warning", &notes);
	notes_free(&notes);
}

static void plot(FILE *out, const struct plot *plot, size_t set)
{
	char *svg, *error, *prefix = memory_print("s%zu-%s%zu-", set, plot->kind, plot->number);
	size_t bytes;

	if (plot_render(plot, PLOT_FOR_PAGE, &svg, &bytes, &error) == GNUPLOT_OK) {
		fputs("<figure><figcaption>", out);
		escape_html(out, plot->title);
		fputs("</figcaption>\n", out);
		html_svg(out, svg, prefix, plot->alt ? plot->alt : plot->title);
		fputs("</figure>\n", out);
	} else {
		fputs("<p class=\"footnote\">Not drawn: ", out);
		escape_html(out, plot->title);
		fputs(": ", out);
		escape_html(out, error ? error : "gnuplot failed");
		fputs("</p>\n", out);
	}
	free(svg);
	free(error);
	free(prefix);
}

void html_plot_list(FILE *out, const struct plots *plots, size_t number)
{
	fputs("<div class=\"plots\">\n", out);
	for (size_t i = 0; i < plots->count; i++) {
		if (plots->list[i].script)
			plot(out, &plots->list[i], number);
	}
	fputs("</div>\n", out);
	for (size_t i = 0; i < plots->count; i++) {
		if (plots->list[i].script)
			continue;
		fputs("<p class=\"footnote\">No plot \"", out);
		escape_html(out, plots->list[i].title);
		fputs("\": ", out);
		escape_html(out, plots->list[i].missing);
		fputs("</p>\n", out);
	}
}

void html_plots(FILE *out, const struct set *set, const struct palette *palette, size_t number)
{
	struct plots plots = plots_of(set, palette);

	html_plot_list(out, &plots, number);
	plots_free(&plots);
}

static void heading(FILE *out, const char *text, const char *side)
{
	fprintf(out, "<h2>%s%s</h2>\n", text, side);
}

static void tables(FILE *out, const struct set *set, const char *side)
{
	struct table *table[SUMMARY_TABLES];
	size_t count = summary_tables(set, table);

	heading(out, "Figures", side);
	if (count == 0)
		fputs("<p>There is no measurement in these logs.</p>\n", out);
	for (size_t i = 0; i < count; i++) {
		html_table(out, table[i]);
		table_free(table[i]);
	}
}

/* Nothing where no log has events. */
static void timeline(FILE *out, const struct set *set, const char *side)
{
	char *svg = NULL;
	size_t bytes = 0;
	FILE *memory = open_memstream(&svg, &bytes);

	if (memory == NULL)
		return;
	timeline_svg(memory, set);
	fclose(memory);
	if (bytes > 0) {
		heading(out, "What the vCPUs did", side);
		fprintf(out, "<div class=\"timelines\">\n%s</div>\n", svg);
	}
	free(svg);
}

static void comparison(FILE *out, const struct set pair[2])
{
	struct notes left = {0};
	struct table *table = compare_table(&pair[0], &pair[1], &left);

	fputs("<h2>A and B compared</h2>\n", out);
	if (table->row_count > 0)
		html_table(out, table);
	else
		fputs("<p>Nothing to compare: A and B have no row in common.</p>\n", out);
	html_notes(out, "Not compared", "", &left);
	table_free(table);
	notes_free(&left);
}

bool html_write(FILE *out, const struct set *sets, size_t count)
{
	static const char *const alone[] = {""}, *const both[] = {"A: ", "B: "},
				 *const of_both[] = {" of A", " of B"};
	const char *const *before = count == 1 ? alone : both;
	const char *const *of = count == 1 ? alone : of_both;
	struct palette palette = palette_new(sets, count);

	html_begin(out,
		   count == 1 ? "pvspin: spinlocks under virtualisation"
			      : "pvspin: two measurements compared",
		   sets[0].name);
	for (size_t i = 0; i < count; i++)
		summary(out, &sets[i], before[i]);
	for (size_t i = 0; i < count; i++)
		limits(out,
		       count == 1 ? "What these figures may not be used for"
		       : i == 0   ? "What the figures of A may not be used for"
				  : "What the figures of B may not be used for",
		       &sets[i]);
	if (count == 2)
		comparison(out, sets);
	/* The tables of a sweep are long: the pictures stand before them. */
	for (size_t i = 0; i < count; i++) {
		if (sets[i].cell_count > 0) {
			heading(out, "Pictures", of[i]);
			html_plots(out, &sets[i], &palette, i + 1);
		}
		tables(out, &sets[i], of[i]);
		timeline(out, &sets[i], of[i]);
	}
	for (size_t i = 0; i < count; i++)
		html_notes(out, "Left out, or doubtful", "warning", &sets[i].notes);
	for (size_t i = 0; i < count; i++) {
		heading(out, "How it was run", of[i]);
		html_how(out, &sets[i]);
	}
	html_end(out);
	palette_free(&palette);
	return !ferror(out);
}
