/* SPDX-License-Identifier: MIT */
/* The parts of a page: see html.h. */
#include "tools/report/base/format.h"
#include "tools/report/html/html.h"

#include <stdlib.h>

/* The style sheet: light or dark like the reader's system, for narrow and wide screens and for
 * print.
 */
static const char style[] =
	":root{--text:#1b1f24;--dim:#57606a;--page:#fff;--box:#f6f8fa;--line:#d0d7de;"
	"--warn:#9a3412;--warnbox:#fff4ed}\n"
	"@media(prefers-color-scheme:dark){:root{--text:#e6edf3;--dim:#9aa4af;--page:#0d1117;"
	"--box:#161b22;--line:#30363d;--warn:#ffb37c;--warnbox:#2a1a10}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif;"
	"overflow-wrap:anywhere}\n"
	"main{max-width:72rem;margin:0 auto;padding:1rem 1.25rem 3rem}\n"
	"h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0 1rem}\n"
	"h2{font-size:1.25rem;margin:2.2rem 0 .6rem}\n"
	"h3{font-size:1.05rem;margin:1.4rem 0 .4rem}\n"
	"p{margin:.4rem 0}ul{margin:.4rem 0;padding-left:1.3rem}li{margin:.25rem 0}\n"
	".summary{background:var(--box);border:1px solid var(--line);border-radius:8px;"
	"padding:.8rem 1rem}\n"
	".warning{background:var(--warnbox);border-left:4px solid var(--warn);border-radius:4px;"
	"padding:.2rem 1rem .6rem;margin-top:1.6rem}\n"
	".warning h2{margin:.6rem 0 .3rem}.damage{color:var(--warn)}\n"
	".scroll{overflow-x:auto;max-width:100%;margin:.8rem 0;border:1px solid var(--line);"
	"border-radius:6px}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:"
	"tabular-nums;overflow-wrap:normal}\n"
	"caption{text-align:left;padding:.5rem .7rem;font-weight:600;overflow-wrap:anywhere;"
	"position:sticky;left:0;max-width:calc(100vw - 2rem)}\n"
	"th,td{padding:.3rem .7rem;text-align:right;white-space:nowrap;"
	"border-top:1px solid var(--line);font-weight:400}\n"
	"thead th{font-weight:600;vertical-align:bottom;background:var(--box)}\n"
	"th.words,td.words{text-align:left}tbody th{font-weight:600}\n"
	"th.words,td.words{min-width:8.5rem;max-width:26rem;overflow-wrap:break-word;white-space:"
	"normal}\n"
	"tbody tr:hover{background:var(--box)}\n"
	".unit{color:var(--dim);font-weight:400}\n"
	".footnote,footer,figcaption{color:var(--dim);font-size:.9rem}\n"
	".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));"
	"gap:1.2rem}\n"
	"figure{margin:0;min-width:0}figure,.timelines{overflow-x:auto}\n"
	"figcaption{margin-bottom:.3rem}figcaption b{color:var(--text)}\n"
	"svg{display:block;width:100%;min-width:32rem;height:auto;color:var(--text)}\n"
	"dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem "
	".9rem;margin:.5rem 0}\n"
	"dt{color:var(--dim)}dd{margin:0}\n"
	"code{font:.85rem/1.45 "
	"ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}\n"
	"details{margin:.5rem 0}summary{cursor:pointer}\n"
	"footer{margin-top:3rem;border-top:1px solid var(--line);padding-top:.6rem}\n"
	"@media(max-width:600px){main{padding:.6rem .8rem "
	"2rem}dl{grid-template-columns:minmax(0,1fr)}"
	"dt{margin-top:.4rem}}\n"
	"@media "
	"print{body{font-size:11px}.scroll{overflow:visible;border:0}details>*{display:block}"
	"h2{break-after:avoid}figure,tr{break-inside:avoid}}\n";

const char *html_program = "pvspin-report";

void html_begin(FILE *out, const char *title, const char *name)
{
	/* If an escape should be missing, the policy keeps the browser from loading or running
	 * anything. */
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" "
	      "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
	      out);
	if (name) { /* first, because a browser's tab shows only the start */
		escape_html(out, name);
		fputs(" - ", out);
	}
	escape_html(out, title);
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<h1>", style);
	escape_html(out, title);
	fputs("</h1>\n", out);
}

void html_end(FILE *out)
{
	fputs("<footer>", out);
	escape_html(out, html_program);
	fputs("</footer>\n</main>\n</body>\n</html>\n", out);
}

static void write_head(FILE *out, const struct table *table)
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

static void write_row(FILE *out, const struct table *table, size_t row)
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

/* Writes the title and the columns that are the same in all rows. */
static void write_caption(FILE *out, const struct table *table)
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
	write_caption(out, table);
	write_head(out, table);
	fputs("<tbody>\n", out);
	for (size_t row = 0; row < table->row_count; row++)
		write_row(out, table, row);
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
