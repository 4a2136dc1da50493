/* SPDX-License-Identifier: MIT */
/* Numbers and strings for people: see format.h. */
#include "tools/report/base/format.h"

#include "tools/report/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

static const char *scaled(char *text, double value, double plain, const char *const units[4])
{
	double size = fabs(value);
	int unit = 0;

	if (isnan(value)) {
		snprintf(text, FORMAT_BYTES, "-");
		return text;
	}
	/* 999.5 is printed as 1000: so it is the next unit's */
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

/* Length of the UTF-8 character at `byte`; 0: none that may be printed. RFC 3629, 4. */
static size_t character(const unsigned char *byte)
{
	size_t length = byte[0] < 0x80                      ? 1
			: byte[0] >= 0xc2 && byte[0] < 0xe0 ? 2
			: byte[0] >= 0xe0 && byte[0] < 0xf0 ? 3
			: byte[0] >= 0xf0 && byte[0] < 0xf5 ? 4
							    : 0;
	uint32_t code = byte[0] & (length == 1 ? 0x7f : 0xff >> (length + 1));

	for (size_t i = 1; i < length; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (byte[i] & 0x3f);
	}
	/* C0, DEL, C1; line, paragraph and direction marks move text about */
	if (code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
	    (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
		return 0;
	return length;
}

void format_safe(FILE *out, const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;

	while (*byte != '\0') {
		size_t length = character(byte);

		if (length == 0)
			fprintf(out, "\\x%02x", *byte);
		else
			fwrite(byte, 1, length, out);
		byte += length ? length : 1;
	}
}

char *format_copy(const char *text)
{
	char *copy = NULL;
	size_t size;
	FILE *memory = open_memstream(&copy, &size);

	if (memory == NULL)
		return memory_copy("");
	format_safe(memory, text);
	fclose(memory);
	return copy ? copy : memory_copy("");
}

size_t format_width(const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;
	size_t width = 0;

	while (*byte != '\0') {
		size_t length = character(byte);

		width += length ? 1 : 4;
		byte += length ? length : 1;
	}
	return width;
}
