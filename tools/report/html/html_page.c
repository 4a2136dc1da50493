/* SPDX-License-Identifier: MIT */
/* What every page is made of: see html.h. */
#include "tools/report/html/html.h"

#include "tools/report/base/escape.h"

#include <stdlib.h>

const char *html_program = "pvspin-report";

void html_begin(FILE *out, const char *title, const char *name)
{
	/* The policy keeps a browser from loading or running anything, should an escape be missing.
	 */
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" "
	      "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
	      out);
	if (name) { /* first: a browser's tab has room for so much */
		escape_html(out, name);
		fputs(" - ", out);
	}
	escape_html(out, title);
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<h1>", html_style);
	escape_html(out, title);
	fputs("</h1>\n", out);
}

void html_end(FILE *out)
{
	fputs("<footer>", out);
	escape_html(out, html_program);
	fputs("</footer>\n</main>\n</body>\n</html>\n", out);
}

static void head(FILE *out, const struct table *table)
{
	fputs("<thead><tr>", out);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct table_column *column = &table->columns[i];

		if (table_same(table, i))
			continue;
		fprintf(out, "<th scope=\"col\"%s>", column->text ? " class=\"words\"" : "");
		escape_html(out, column->name);
		if (column->unit[0] != '\0') {
			fputs(" <span class=\"unit\">", out);
			escape_html(out, column->unit);
			fputs("</span>", out);
		}
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n", out);
}

static void row_of(FILE *out, const struct table *table, size_t row)
{
	bool named = false;

	fputs("<tr>", out);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct table_column *column = &table->columns[i];
		bool name = column->text && !named;

		if (table_same(table, i))
			continue;
		named = named || name;
		fprintf(out, "<%s%s>", name ? "th scope=\"row\"" : "td",
			column->text ? " class=\"words\"" : "");
		escape_html(out, table_at(table, row, i)->text);
		fputs(name ? "</th>" : "</td>", out);
	}
	fputs("</tr>\n", out);
}

/* What all rows have in common, as the other printers say it above the table. */
static void caption(FILE *out, const struct table *table)
{
	char *common = table_common(table);

	fputs("<caption>", out);
	escape_html(out, table->title);
	fputs(common[0] ? ": " : "", out);
	escape_html(out, common);
	free(common);
	fputs("</caption>\n", out);
}

void html_table(FILE *out, const struct table *table)
{
	/* focusable, so that the keyboard can scroll it */
	fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", out);
	escape_html(out, table->title);
	fputs("\"><table>\n", out);
	caption(out, table);
	head(out, table);
	fputs("<tbody>\n", out);
	for (size_t row = 0; row < table->row_count; row++)
		row_of(out, table, row);
	fputs("</tbody></table></div>\n", out);
	for (size_t i = 0; i < table->footnote_count; i++) {
		fputs("<p class=\"footnote\">", out);
		escape_html(out, table->footnotes[i]);
		fputs("</p>\n", out);
	}
}

void html_notes(FILE *out, const char *heading, const char *class, const struct notes *notes)
{
	if (notes->count == 0)
		return;
	fprintf(out, "<section%s%s%s>\n<h2>%s</h2>\n<ul>\n", class[0] ? " class=\"" : "", class,
		class[0] ? "\"" : "", heading);
	for (size_t i = 0; i < notes->count; i++) {
		fputs(notes->list[i].damage ? "<li class=\"damage\">" : "<li>", out);
		escape_html(out, notes->list[i].text);
		fputs("</li>\n", out);
	}
	if (notes->hidden > 0)
		fprintf(out, "<li>and %zu more</li>\n", notes->hidden);
	fputs("</ul>\n</section>\n", out);
}
