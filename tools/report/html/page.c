/* SPDX-License-Identifier: MIT */
/* The page of a set or a comparison: see html.h. A reader first needs to know what ran, what came
 * out, and what the figures may not be used for, so this comes first. */
#include "tools/report/base/format.h"
#include "tools/report/base/system.h"
#include "tools/report/html/html.h"
#include "tools/report/plot/plot.h"
#include "tools/report/tables/tables.h"
#include "tools/report/timeline/timeline.h"

#include <stdlib.h>
#include <string.h>

static void write_count(FILE *out, size_t count, const char *thing)
{
	fprintf(out, "%zu %s%s", count, thing, count == 1 ? "" : "s");
}

/* Writes which lock did best and worst with the most vCPUs of a sweep. */
static void best_and_worst(FILE *out, const struct sweep *sweep)
{
	const struct cell *best = NULL, *worst = NULL, *cell;
	double factor;

	for (size_t i = 0; (cell = sweep_at_most(sweep, i)) != NULL; i++) {
		double merit = sample_mean(&cell->sample[SAMPLE_MERIT]);

		/* fixed work: less time is better */
		if (merit <= 0 || cell->key.damaged || cell->excludes_nobody)
			continue;
		if (best == NULL ||
		    (merit > sample_mean(&best->sample[SAMPLE_MERIT])) != cell->fixed_work)
			best = cell;
		if (worst == NULL ||
		    (merit < sample_mean(&worst->sample[SAMPLE_MERIT])) != cell->fixed_work)
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
	factor = sample_mean(&best->sample[SAMPLE_MERIT]) /
		 sample_mean(&worst->sample[SAMPLE_MERIT]);
	if (best->fixed_work)
		factor = 1 / factor;
	fprintf(out, factor < 1000 ? " worst, by a factor of %.3g" : " worst, by a factor of %.0f",
		factor);
	fprintf(out, " between their means over %zu and %zu repetitions</li>\n",
		best->sample[SAMPLE_MERIT].count, worst->sample[SAMPLE_MERIT].count);
}

static void write_summary(FILE *out, const struct set *set, const char *side)
{
	char *settings = identity_common_settings(set);
	struct sweeps sweeps = sweeps_of(set);
	size_t bad = set_damaged_logs(set);

	fprintf(out, "<section class=\"summary\">\n<p>%s<b>", side);
	escape_html(out, set->name);
	fputs("</b>: accel <b>", out);
	escape_html(out, set->accel ? set->accel : "unknown");
	fputs("</b>, ", out);
	write_count(out, set->log_count, "log");
	if (bad > 0)
		fprintf(out, ", <b class=\"damage\">%zu not whole</b>", bad);
	fputs(", ", out);
	write_count(out, set->cell_count, "row");
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

static void write_limits(FILE *out, const char *heading, const struct set *set)
{
	struct notes notes = {0};

	limits_of(set, &notes);
	html_notes(out, heading, "warning", &notes);
	notes_free(&notes);
}

static void write_plot(FILE *out, const struct plot *plot, size_t set)
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
			write_plot(out, &plots->list[i], number);
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

static void write_plots(FILE *out, const struct set *set, const struct palette *palette,
			size_t number)
{
	struct plots plots = plots_of(set, palette);

	html_plot_list(out, &plots, number);
	plots_free(&plots);
}

static void write_heading(FILE *out, const char *text, const char *side)
{
	fprintf(out, "<h2>%s%s</h2>\n", text, side);
}

static void write_tables(FILE *out, const struct set *set, const char *side)
{
	struct table *table[SUMMARY_TABLES];
	size_t count = summary_tables(set, table);

	write_heading(out, "Figures", side);
	if (count == 0)
		fputs("<p>There is no measurement in these logs.</p>\n", out);
	for (size_t i = 0; i < count; i++) {
		html_table(out, table[i]);
		table_free(table[i]);
	}
}

/* Writes the timelines, or nothing if no log has events. */
static void write_timelines(FILE *out, const struct set *set, const char *side)
{
	char *svg = NULL;
	size_t bytes = 0;
	FILE *memory = memory_stream(&svg, &bytes);

	timeline_svg(memory, set);
	fclose(memory);
	if (bytes > 0) {
		write_heading(out, "What the vCPUs did", side);
		fprintf(out, "<div class=\"timelines\">\n%s</div>\n", svg);
	}
	free(svg);
}

static void write_comparison(FILE *out, const struct set pair[2])
{
	struct notes left = {0}, hosts = {0};
	struct table *table = compare_table(&pair[0], &pair[1], &left);

	fputs("<h2>A and B compared</h2>\n", out);
	hosts_compare_sets(&pair[0], &pair[1], &hosts);
	html_notes(out, "The hosts of A and B", "warning", &hosts);
	notes_free(&hosts);
	if (table->row_count > 0)
		html_table(out, table);
	else
		fputs("<p>Nothing to compare: A and B have no row in common.</p>\n", out);
	html_notes(out, "Not compared", "", &left);
	table_free(table);
	notes_free(&left);
}

/* Writes one entry of the definition list that says how a log was made; nothing without a text. */
static void write_fact(FILE *out, const char *name, const char *text, bool code)
{
	if (text == NULL || text[0] == '\0')
		return;
	fprintf(out, "<dt>%s</dt><dd>%s", name, code ? "<code>" : "");
	escape_html(out, text);
	fputs(code ? "</code></dd>\n" : "</dd>\n", out);
}

/* Writes the words of a command line after `first`. */
static void write_command(FILE *out, const char *name, const char *first, const json_t *words)
{
	const json_t *word;
	size_t i;

	if (json_array_size(words) == 0)
		return;
	fprintf(out, "<dt>%s</dt><dd><code>%s", name, first);
	json_array_foreach(words, i, word)
	{
		fputs(i > 0 ? " " : "", out);
		escape_html(out, json_string_value(word) ? json_string_value(word) : "?");
	}
	fputs("</code></dd>\n", out);
}

static void write_manifest_facts(FILE *out, const struct log *log)
{
	static const struct {
		const char *name, *a, *b;
	} facts[] = {
		{"started", "started", NULL},    {"accelerator", "accel", "why"},
		{"host", "host", "kernel"},      {"host CPU", "host", "cpu_model"},
		{"nested host", "l1", "kernel"}, {"QEMU", "qemu", NULL},
		{"pinned to", "pin", NULL},
	};
	const json_t *instance =
		json_array_get(log_manifest(log, "instances", NULL), log->instance);

	write_command(out, "call", "./run.sh ", log_manifest(log, "arguments", NULL));
	for (size_t i = 0; i < COUNT_OF(facts); i++)
		write_fact(out, facts[i].name,
			   json_string_value(log_manifest(log, facts[i].a, facts[i].b)), false);
	write_command(out, "QEMU's command line", "", json_object_get(instance, "command"));
}

static void write_boot_facts(FILE *out, const struct record *boot)
{
	static const struct {
		const char *name, *field, *unit; /* unit: NULL for text; a number of 0 is unknown */
	} facts[] = {
		{"pvspin", "version", NULL},          {"built by", "build", NULL},
		{"loaded by", "loader_name", NULL},   {"hypervisor", "hypervisor", NULL},
		{"CPU", "cpu_model", NULL},           {"vCPUs", "vcpus_online", ""},
		{"TSC", "tsc_khz", " kHz"},           {"TSC frequency from", "tsc_source", NULL},
		{"waiters", "pv_backend", NULL},      {"Linux would take", "linux_lock", NULL},
		{"because of", "linux_reason", NULL},
	};

	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		uint64_t number = record_u64(boot, facts[i].field);

		if (facts[i].unit == NULL)
			write_fact(out, facts[i].name, record_text(boot, facts[i].field), false);
		else if (number != 0)
			fprintf(out, "<dt>%s</dt><dd>%llu%s</dd>\n", facts[i].name,
				(unsigned long long)number, facts[i].unit);
	}
}

static void write_log(FILE *out, const struct log *log, bool open)
{
	fprintf(out, "<details%s><summary>", open ? " open" : "");
	escape_html(out, log->path);
	fprintf(out, "%s</summary>\n<dl>\n",
		log->complete ? "" : " <b class=\"damage\">(not whole)</b>");
	if (log->boot)
		write_boot_facts(out, log->boot);
	if (log->manifest)
		write_manifest_facts(out, log);
	if (log->boot)
		write_fact(out, "plan that repeats it", record_text(log->boot, "plan"), true);
	if (log->end)
		write_fact(out, "verdict", record_text(log->end, "verdict"), false);
	fputs("</dl></details>\n", out);
}

#define LOGS_SHOWN 64

/* Writes for each log its host, versions and command lines. */
static void write_logs(FILE *out, const struct set *set)
{
	for (size_t i = 0; i < set->log_count && i < LOGS_SHOWN; i++)
		write_log(out, &set->logs[i], set->log_count == 1);
	if (set->log_count > LOGS_SHOWN)
		fprintf(out, "<p>and %zu more logs</p>\n", set->log_count - LOGS_SHOWN);
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
		write_summary(out, &sets[i], before[i]);
	for (size_t i = 0; i < count; i++)
		write_limits(out,
			     count == 1 ? "What these figures may not be used for"
			     : i == 0   ? "What the figures of A may not be used for"
					: "What the figures of B may not be used for",
			     &sets[i]);
	if (count == 2)
		write_comparison(out, sets);
	/* The tables of a sweep are long, so the pictures come first. */
	for (size_t i = 0; i < count; i++) {
		if (sets[i].cell_count > 0) {
			write_heading(out, "Pictures", of[i]);
			write_plots(out, &sets[i], &palette, i + 1);
		}
		write_tables(out, &sets[i], of[i]);
		write_timelines(out, &sets[i], of[i]);
	}
	for (size_t i = 0; i < count; i++)
		html_notes(out, "Left out, or doubtful", "warning", &sets[i].notes);
	for (size_t i = 0; i < count; i++) {
		write_heading(out, "How it was run", of[i]);
		write_logs(out, &sets[i]);
	}
	html_end(out);
	palette_free(&palette);
	return !ferror(out);
}
