/* SPDX-License-Identifier: MIT */
/* See format.h. */
#include "tools/report/base/format.h"
#include "tools/report/base/system.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char *scaled(char *text, double value, double plain, const char *const units[4])
{
	double size = fabs(value);
	int unit = 0;

	if (isnan(value)) {
		snprintf(text, FORMAT_BYTES, "-");
		return text;
	}
	/* 999.5 would be rounded to 1000, so it gets the next unit */
	while (unit < 3 && size >= (unit == 0 ? plain : 999.5)) {
		value /= 1000;
		size /= 1000;
		unit++;
	}
	if (size >= 99.95 || (unit == 0 && value == floor(value)))
		snprintf(text, FORMAT_BYTES, "%.0f%s", value, units[unit]);
	else if (size >= 9.995)
		snprintf(text, FORMAT_BYTES, "%.1f%s", value, units[unit]);
	else
		snprintf(text, FORMAT_BYTES, "%.2f%s", value, units[unit]);
	return text;
}

const char *format_count(char text[FORMAT_BYTES], double value)
{
	static const char *const units[] = {"", " k", " M", " G"};

	return scaled(text, value, 99999.5, units);
}

const char *format_ns(char text[FORMAT_BYTES], double ns)
{
	static const char *const units[] = {" ns", " us", " ms", " s"};

	return scaled(text, ns, 999.5, units);
}

/* Returns the length in bytes of the character at the start of `text`; 0 if it is not valid UTF-8
 * (RFC 3629, 4: no overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_decode(const char *text, uint32_t *character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)text[0];
	size_t length = first < 0x80           ? 1
			: (first >> 5) == 0x06 ? 2
			: (first >> 4) == 0x0e ? 3
			: (first >> 3) == 0x1e ? 4
					       : 0;
	uint32_t value = length < 2 ? first : first & (0x7fu >> length);

	for (size_t i = 1; i < length; i++) {
		unsigned char next = (unsigned char)text[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (next & 0x3f);
	}
	if (length == 0 || value < least[length] || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*character = value;
	return length;
}

/* True for C0, DEL and C1; for the controls of Unicode's bidirectional algorithm (UAX #9, 2),
 * because they let a name rearrange the text around it; for characters without width; for
 * noncharacters. */
static bool is_unprintable(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x61c ||
	       (character >= 0x200b && character <= 0x200f) ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x2069) ||
	       (character >= 0xfdd0 && character <= 0xfdef) || (character & 0xfffe) == 0xfffe;
}

/* Returns the length of the character at the start of `text`; 0 if it may not be printed. */
static size_t printable_length(const char *text)
{
	uint32_t character;
	size_t length = utf8_decode(text, &character);

	return length > 0 && !is_unprintable(character) ? length : 0;
}

void format_safe(FILE *out, const char *text)
{
	while (*text != '\0') {
		size_t length = printable_length(text);

		if (length == 0)
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else
			fwrite(text, 1, length, out);
		text += length ? length : 1;
	}
}

char *format_copy(const char *text)
{
	char *copy = NULL;
	size_t size;
	FILE *memory = memory_stream(&copy, &size);

	format_safe(memory, text);
	fclose(memory);
	return copy;
}

size_t format_width(const char *text)
{
	size_t width = 0;

	while (*text != '\0') {
		size_t length = printable_length(text);

		width += length ? 1 : 4;
		text += length ? length : 1;
	}
	return width;
}

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS    "\xe2\x80\xa6" /* U+2026 */
#define APOSTROPHE  "\xe2\x80\x99" /* U+2019 */

/* Returns the text after one character. *length is 0 if that character is invalid; the caller
 * prints U+FFFD in its place. */
static const char *next_character(const char *text, uint32_t *character, size_t *length)
{
	*character = 0;
	*length = utf8_decode(text, character);
	return text + (*length ? *length : 1);
}

void escape_html(FILE *out, const char *text)
{
	while (*text != '\0') {
		const char *start = text;
		uint32_t character;
		size_t length;

		text = next_character(text, &character, &length);
		if (length == 0 ||
		    (is_unprintable(character) && character != '\n' && character != '\t'))
			fputs(REPLACEMENT, out);
		else if (character == '&')
			fputs("&amp;", out);
		else if (character == '<')
			fputs("&lt;", out);
		else if (character == '>')
			fputs("&gt;", out);
		else if (character == '"')
			fputs("&quot;", out);
		else if (character == '\'')
			fputs("&#39;", out);
		else
			fwrite(start, 1, length, out);
	}
}

/* In single quotes gnuplot expands no backslash, backquote or @macro (gnuplot 5.4 manual, "quote
 * marks"). A quote inside should be doubled, but at the start of a literal 5.4 takes even a doubled
 * one for its end. So quotes become apostrophes. */
static void gnuplot_literal(FILE *out, const char *text, size_t columns, bool percent)
{
	fputc('\'', out);
	for (size_t column = 1; *text != '\0'; column++) {
		const char *start = text;
		uint32_t character;
		size_t length;

		text = next_character(text, &character, &length);
		if (column == columns && *text != '\0') {
			fputs(ELLIPSIS, out);
			break;
		}
		if (length == 0 || is_unprintable(character))
			fputs(REPLACEMENT, out);
		else if (character == '\'')
			fputs(APOSTROPHE, out);
		else if (percent && character == '%')
			fputs("%%", out);
		else
			fwrite(start, 1, length, out);
	}
	fputc('\'', out);
}

void escape_gnuplot(FILE *out, const char *text, size_t columns)
{
	gnuplot_literal(out, text, columns, false);
}

void escape_gnuplot_tic(FILE *out, const char *text, size_t columns)
{
	gnuplot_literal(out, text, columns, true);
}
