/* SPDX-License-Identifier: MIT */
/*
 * See record.h. There is one buffer, so only one record is built at a time. A record begun while
 * another is open (a panic in the middle of one) takes its place and its number. JSON: RFC 8259.
 * Output is plain ASCII: any byte that is not printable ASCII becomes \u00XX, as if it were
 * Latin-1, so that every input gives valid JSON and no byte is lost.
 */
#include "lib/record.h"

#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"

#define CLOSING_BYTES 2 /* "}\n" */

static char buffer[RECORD_BYTES];
static uint64_t records;

static void put(struct record *record, const char *bytes, size_t count)
{
	if (record->overflow || count > sizeof(buffer) - CLOSING_BYTES - record->length) {
		record->overflow = true;
		return;
	}
	memcpy(buffer + record->length, bytes, count);
	record->length += count;
}

static void put_text(struct record *record, const char *text)
{
	put(record, text, strlen(text));
}

static void put_escaped(struct record *record, char c)
{
	char escape[8];

	if (c == '"' || c == '\\') {
		escape[0] = '\\';
		escape[1] = c;
		put(record, escape, 2);
	} else if (c >= 0x20 && c < 0x7f) {
		put(record, &c, 1);
	} else {
		ksnprintf(escape, sizeof(escape), "\\u%04x", (unsigned int)(unsigned char)c);
		put_text(record, escape);
	}
}

static void put_quoted(struct record *record, const char *text)
{
	put_text(record, "\"");
	for (; *text != '\0'; text++)
		put_escaped(record, *text);
	put_text(record, "\"");
}

/* Puts the comma and, outside arrays, the name. The caller then puts the value. */
static void put_name(struct record *record, const char *name)
{
	if (record->comma)
		put_text(record, ",");
	record->comma = true;
	if (name != NULL) {
		put_quoted(record, name);
		put_text(record, ":");
	}
}

void record_begin(struct record *record, const char *type)
{
	*record = (struct record){.type = type};
	put_text(record, "{");
	record_string(record, "type", type);
	record_number(record, "seq", records + 1);
}

void record_number(struct record *record, const char *name, uint64_t value)
{
	char text[24];

	put_name(record, name);
	ksnprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	put_text(record, text);
}

void record_signed(struct record *record, const char *name, int64_t value)
{
	char text[24];

	put_name(record, name);
	ksnprintf(text, sizeof(text), "%lld", (long long)value);
	put_text(record, text);
}

void record_bool(struct record *record, const char *name, bool value)
{
	put_name(record, name);
	put_text(record, value ? "true" : "false");
}

/* NULL becomes JSON's null. */
void record_string(struct record *record, const char *name, const char *value)
{
	put_name(record, name);
	if (value != NULL)
		put_quoted(record, value);
	else
		put_text(record, "null");
}

void record_hex(struct record *record, const char *name, uint64_t value)
{
	char text[24];

	put_name(record, name);
	ksnprintf(text, sizeof(text), "\"0x%llx\"", (unsigned long long)value);
	put_text(record, text);
}

static void open_nested(struct record *record, const char *name, const char *bracket)
{
	put_name(record, name);
	put_text(record, bracket);
	record->comma = false;
}

static void close_nested(struct record *record, const char *bracket)
{
	put_text(record, bracket);
	record->comma = true;
}

void record_open_array(struct record *record, const char *name)
{
	open_nested(record, name, "[");
}

void record_close_array(struct record *record)
{
	close_nested(record, "]");
}

void record_open_object(struct record *record, const char *name)
{
	open_nested(record, name, "{");
}

void record_close_object(struct record *record)
{
	close_nested(record, "}");
}

static void replace_by_error(struct record *record)
{
	const char *type = record->type;

	record_begin(record, "error");
	record_string(record, "record", type);
	record_string(record, "reason", "record-too-long");
	record_number(record, "limit_bytes", RECORD_BYTES);
}

void record_end(struct record *record)
{
	if (record->overflow)
		replace_by_error(record);
	buffer[record->length] = '}';
	buffer[record->length + 1] = '\n';
	records++;
	log_write(buffer, record->length + CLOSING_BYTES);
}

uint64_t record_count(void)
{
	return records;
}
