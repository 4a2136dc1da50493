/* SPDX-License-Identifier: MIT */
/*
 * Copies gnuplot's SVG into a page, tag by tag: see html.h. Copies only elements of drawings,
 * without the attributes that could run or load something. gnuplot escapes the text that it gets,
 * but the page must be safe without that.
 */
#include "tools/report/base/format.h"
#include "tools/report/html/html.h"

#include <ctype.h>
#include <string.h>

struct copy {
	FILE *out;
	const char *prefix;
	unsigned depth; /* of nested elements that are being left out */
};

static const char *const drawing[] = {
	"circle",   "defs", "g",   "line", "path",  "polygon",
	"polyline", "rect", "svg", "text", "tspan", "use",
};

static bool is(const char *name, size_t length, const char *other)
{
	return strlen(other) == length && strncmp(name, other, length) == 0;
}

static bool is_drawing(const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(drawing); i++) {
		if (is(name, length, drawing[i]))
			return true;
	}
	return false;
}

/* Copies an attribute if it is safe. `value` excludes its quotes. */
static void copy_attribute(const struct copy *copy, const char *name, size_t name_length,
			   const char *value, size_t length)
{
	bool reference = is(name, name_length, "xlink:href") || is(name, name_length, "href");

	if (strncmp(name, "on", 2) == 0 || strncmp(name, "xmlns", 5) == 0 ||
	    is(name, name_length, "style") || is(name, name_length, "filter") ||
	    (reference && (length == 0 || value[0] != '#')))
		return;
	fprintf(copy->out, " %.*s=\"", (int)name_length, name);
	if (is(name, name_length, "id")) {
		fprintf(copy->out, "%s%.*s", copy->prefix, (int)length, value);
	} else if (reference) {
		fprintf(copy->out, "#%s%.*s", copy->prefix, (int)length - 1, value + 1);
	} else if (is(value, length, "black")) {
		fputs(is(name, name_length, "color") ? "inherit" : "currentColor", copy->out);
	} else {
		for (size_t i = 0; i < length; i++) {
			if (value[i] == '"')
				fputs("&quot;", copy->out);
			else
				fputc(value[i], copy->out);
		}
	}
	fputc('"', copy->out);
}

/* Copies the attributes between the element's name and its '>'. */
static void copy_attributes(const struct copy *copy, const char *at, const char *end)
{
	while (at < end) {
		const char *name, *value, *close;
		size_t length;

		while (at < end && (isspace((unsigned char)*at) || *at == '/'))
			at++;
		name = at;
		while (at < end && *at != '=' && !isspace((unsigned char)*at))
			at++;
		length = (size_t)(at - name);
		while (at < end && *at != '"' && *at != '\'')
			at++;
		if (at >= end)
			return;
		value = at + 1;
		close = memchr(value, *at, (size_t)(end - value));
		if (close == NULL)
			return;
		copy_attribute(copy, name, length, value, (size_t)(close - value));
		at = close + 1;
	}
}

/* Copies the tag between '<' and '>': `at` is after the former, `end` at the latter. */
static void copy_tag(struct copy *copy, const char *at, const char *end, const char *label)
{
	bool closes = *at == '/', empty = end > at && end[-1] == '/';
	const char *name = closes ? at + 1 : at, *after_name = name;

	while (after_name < end && !isspace((unsigned char)*after_name) && *after_name != '/')
		after_name++;
	if (*at == '?' || *at == '!')
		return;
	if (!is_drawing(name, (size_t)(after_name - name)) || copy->depth > 0) {
		if (closes && copy->depth > 0)
			copy->depth--;
		else if (!closes && !empty)
			copy->depth++;
		return;
	}
	fprintf(copy->out, closes ? "</%.*s" : "<%.*s", (int)(after_name - name), name);
	if (!closes)
		copy_attributes(copy, after_name, end);
	if (!closes && is(name, (size_t)(after_name - name), "svg")) {
		fputs(" role=\"img\" aria-label=\"", copy->out);
		escape_html(copy->out, label);
		fputc('"', copy->out);
	}
	fputs(empty ? "/>" : ">", copy->out);
}

void html_svg(FILE *out, const char *svg, const char *prefix, const char *label)
{
	struct copy copy = {.out = out, .prefix = prefix};
	const char *at = svg;

	while (*at != '\0') {
		const char *end;

		if (*at != '<') {
			if (copy.depth == 0)
				fputc(*at, out);
			at++;
			continue;
		}
		end = strchr(at, '>');
		if (end == NULL)
			return;
		copy_tag(&copy, at + 1, end, label);
		at = end + 1;
	}
}
