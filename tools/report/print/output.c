/* SPDX-License-Identifier: MIT */
/* Chooses the format: see print.h. Text and Markdown have the same parts in the same order. */
#include "tools/report/print/print.h"

#include "tools/report/base/data.h"
#include "tools/report/base/format.h"
#include "tools/report/html/html.h"
#include "tools/report/tables/tables.h"

#include <stdlib.h>

/* How text and Markdown print their parts. */
struct style {
	void (*table)(FILE *out, const struct table *table);
	void (*line)(FILE *out, const char *line);
	const char *heading;
};

static const struct style text_style = {text_table, text_line, ""};
static const struct style markdown_style = {markdown_table, markdown_line, "### "};

static void print_notes(FILE *out, const struct style *style, const char *title,
			const struct notes *notes)
{
	if (notes->count == 0)
		return;
	fprintf(out, "%s%s\n%s", style->heading, title, style->heading[0] ? "\n" : "");
	for (size_t i = 0; i < notes->count; i++)
		style->line(out, notes->list[i].text);
	if (notes->hidden > 0)
		fprintf(out, "- and %zu more\n", notes->hidden);
	fputc('\n', out);
}

/* Prints "out/x: accel hosted, 2 logs (1 DAMAGED); ms=300 latency=on". */
static void print_head(FILE *out, const char *side, const struct set *set)
{
	char *settings = identity_common_settings(set);
	size_t damaged = set_damaged_logs(set);

	fputs(side, out);
	format_safe(out, set->name);
	fprintf(out, ": accel %s, %zu log%s", set->accel ? set->accel : "unknown", set->log_count,
		set->log_count == 1 ? "" : "s");
	if (damaged > 0)
		fprintf(out, " (%zu DAMAGED)", damaged);
	fputs(settings[0] ? "; " : "", out);
	format_safe(out, settings);
	fputs("\n\n", out);
	free(settings);
}

static void print_set(FILE *out, const struct style *style, const struct set *set)
{
	struct table *table[SUMMARY_TABLES];
	size_t count = summary_tables(set, table);
	struct notes limits = {0};

	limits_of(set, &limits);
	print_head(out, "", set);
	if (count == 0)
		fputs("There is no measurement in these logs.\n\n", out);
	for (size_t i = 0; i < count; i++) {
		style->table(out, table[i]);
		table_free(table[i]);
	}
	print_notes(out, style, "What these figures may not be used for:", &limits);
	print_notes(out, style, "Left out, or doubtful:", &set->notes);
	notes_free(&limits);
}

/* comparison, hosts: NULL without --compare. */
static void print_json(FILE *out, json_t *sets, json_t *comparison, json_t *hosts)
{
	json_t *all = json_object();

	json_object_set_new(all, "schema", json_integer(1));
	json_object_set_new(all, "sets", sets);
	if (comparison)
		json_object_set_new(all, "comparison", comparison);
	if (hosts)
		json_object_set_new(all, "hosts", hosts);
	json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(15) | JSON_ENSURE_ASCII);
	fputc('\n', out);
	json_decref(all);
}

static void print_csv(FILE *out, struct table *table)
{
	csv_table(out, table);
	table_free(table);
}

bool output_set(FILE *out, enum format format, const struct set *set)
{
	switch (format) {
	case FORMAT_TEXT:
	case FORMATS:
		print_set(out, &text_style, set);
		break;
	case FORMAT_MARKDOWN:
		print_set(out, &markdown_style, set);
		break;
	case FORMAT_CSV:
		print_csv(out, wide_table(set));
		break;
	case FORMAT_JSON:
		print_json(out, json_pack("[o]", json_of_set(set)), NULL, NULL);
		break;
	case FORMAT_HTML:
		return html_write(out, set, 1);
	}
	return true;
}

static void print_comparison(FILE *out, const struct style *style, const struct table *table,
			     const struct set pair[2], const struct notes *left,
			     const struct notes *hosts)
{
	struct notes limits = {0};

	print_head(out, "A: ", &pair[0]);
	print_head(out, "B: ", &pair[1]);
	print_notes(out, style, "The hosts of A and B:", hosts);
	if (table->row_count > 0)
		style->table(out, table);
	else
		fputs("Nothing to compare: A and B have no cell in common.\n\n", out);
	limits_of(&pair[0], &limits);
	print_notes(out, style, "What the figures of A may not be used for:", &limits);
	notes_free(&limits);
	limits_of(&pair[1], &limits);
	print_notes(out, style, "What the figures of B may not be used for:", &limits);
	notes_free(&limits);
	print_notes(out, style, "Not compared:", left);
	print_notes(out, style, "Left out of A, or doubtful:", &pair[0].notes);
	print_notes(out, style, "Left out of B, or doubtful:", &pair[1].notes);
}

bool output_comparison(FILE *out, enum format format, const struct set pair[2])
{
	struct notes left = {0}, hosts = {0};
	struct table *table;

	if (format == FORMAT_HTML)
		return html_write(out, pair, 2);
	table = compare_table(&pair[0], &pair[1], &left);
	hosts_compare_sets(&pair[0], &pair[1], &hosts);
	if (format == FORMAT_CSV)
		csv_table(out, table);
	else if (format == FORMAT_JSON)
		print_json(out, json_pack("[o,o]", json_of_set(&pair[0]), json_of_set(&pair[1])),
			   json_of_table(table), json_of_notes(&hosts));
	else
		print_comparison(out, format == FORMAT_MARKDOWN ? &markdown_style : &text_style,
				 table, pair, &left, &hosts);
	table_free(table);
	notes_free(&left);
	notes_free(&hosts);
	return true;
}
