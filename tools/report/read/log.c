/* SPDX-License-Identifier: MIT */
/*
 * Serial log -> records: see log.h. A line that starts with `{` is a record (docs/serial-log.md);
 * TAP and text are skipped. Whether the log is whole is judged at the end, by order.c.
 *
 * Memory: a record is kept as its JSON tree. A log of nothing but `[`s would need some 50 times its
 * own size for that, so the size is estimated before parsing and bounded.
 */
#include "tools/report/read/log.h"

#include "tools/report/base/memory.h"
#include "tools/report/read/lines.h"
#include "tools/report/read/log_order.h"
#include "tools/report/read/schema.h"

#include <stdlib.h>
#include <string.h>

/* jansson 2.14 on x86-64, glibc malloc: an array takes about 130 bytes, an object 250, a member of
 * either is announced by a comma and takes at most 120. */
#define COST_OF_COMMA  120
#define COST_OF_LIST   130
#define COST_OF_OBJECT 250

#define STAMP_MOST  64
#define STAMP_BYTES "0123456789 \t[](){}<>|:;.,+-/"

uint64_t record_u64(const struct record *record, const char *field)
{
	json_int_t value = json_integer_value(json_object_get(record->json, field));

	return value > 0 ? (uint64_t)value : 0;
}

bool record_bool(const struct record *record, const char *field)
{
	return json_is_true(json_object_get(record->json, field));
}

const char *record_text(const struct record *record, const char *field)
{
	const char *text = json_string_value(json_object_get(record->json, field));

	return text ? text : "";
}

static uint64_t estimate(const char *line, size_t length)
{
	uint64_t cost = length;

	for (size_t i = 0; i < length; i++) {
		cost += line[i] == ',' ? COST_OF_COMMA : 0;
		cost += line[i] == '[' ? COST_OF_LIST : 0;
		cost += line[i] == '{' ? COST_OF_OBJECT : 0;
	}
	return cost;
}

/* Takes the JSON. */
static void keep(struct log_reading *reading, json_t *json)
{
	struct log *log = reading->log;
	struct record record = {.line = reading->line, .json = json};
	char why[SCHEMA_WHY_BYTES];

	if (!schema_check(json, &record.type, why)) {
		log_note(reading, true, "%s: left out", why);
		json_decref(json);
		return;
	}
	record.seq = record_u64(&record, "seq");
	if (record.type == RECORD_OTHER) {
		json_decref(json);
		record.json = NULL;
	}
	log->records = memory_grow(log->records, log->count, sizeof(record));
	log->records[log->count++] = record;
}

static void parse(struct log_reading *reading, const char *line, size_t length)
{
	uint64_t cost = estimate(line, length);
	json_error_t error;
	json_t *json;

	if (cost > *reading->memory) {
		log_note(reading, true,
			 "no room for its records (1 GiB in all): those from here on are left out");
		reading->full = true;
		return;
	}
	*reading->memory -= cost;
	json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		log_note(reading, true, "a broken record, left out: %s", error.text);
	else
		keep(reading, json);
}

static const char record_start[] = "{\"type\":";

/*
 * The length of a time stamp that a serial program put before the record in this line
 * ("[12:00:00.000] ", "Nov 29 12:00:00 "): digits, punctuation and words of at most three letters.
 * 0: no record, or something else before it.
 */
static size_t stamp_length(const char *line, size_t length)
{
	const char *record = memmem(line, length, record_start, sizeof(record_start) - 1);
	size_t stamp = record ? (size_t)(record - line) : 0, letters = 0;
	bool digit = false;

	if (stamp > STAMP_MOST)
		return 0;
	for (size_t i = 0; i < stamp; i++) {
		bool letter =
			(line[i] >= 'A' && line[i] <= 'Z') || (line[i] >= 'a' && line[i] <= 'z');

		letters = letter ? letters + 1 : 0;
		if (letters > 3 ||
		    (!letter && !memchr(STAMP_BYTES, line[i], sizeof(STAMP_BYTES) - 1)))
			return 0;
		digit |= line[i] >= '0' && line[i] <= '9';
	}
	return digit ? stamp : 0;
}

/* The first record tells: stamps are on every line or on none. */
static size_t find_stamp(struct log_reading *reading, const char *line, size_t length)
{
	size_t stamp;

	if (reading->first_seen && !reading->stamped)
		return 0;
	stamp = stamp_length(line, length);
	if (!reading->first_seen && stamp != 0) {
		reading->stamped = true;
		log_note(reading, false,
			 "its lines begin with time stamps, as some serial programs write them: "
			 "ignored");
	}
	return stamp;
}

static void take_line(struct log_reading *reading, enum line_result result, const char *line,
		      size_t length)
{
	size_t stamp = find_stamp(reading, line, length);

	line += stamp;
	length -= stamp;
	if (length > 0 && line[0] == '{') {
		reading->first_seen = true;
		if (result == LINE_TOO_LONG)
			log_note(reading, true, "a record longer than %zu KiB: left out",
				 LINE_BYTES >> 10);
		else
			parse(reading, line, length);
	} else if (memmem(line, length, record_start, sizeof(record_start) - 1)) {
		log_note(reading, true,
			 "a record begins inside the line: two writers, or a lost newline; left "
			 "out");
	}
}

bool log_read(const char *path, struct log *log, struct notes *notes, uint64_t *memory)
{
	struct log_reading reading = {.log = log, .notes = notes, .memory = memory};
	struct lines lines;
	enum line_result result;
	const char *line;
	size_t length;

	*log = (struct log){.path = memory_copy(path), .instances = 1, .call_run = 1};
	if (!lines_open(&lines, path))
		return false;
	while (!reading.full && (result = lines_next(&lines, &line, &length)) != LINE_NONE) {
		reading.line = lines.number;
		take_line(&reading, result, line, length);
	}
	reading.line = 0;
	if (lines.error)
		log_note(&reading, true, "%s", lines.error);
	if (lines.bytes == 0 && lines.error == NULL)
		log_note(&reading, true, "is empty");
	lines_close(&lines);
	log_judge(&reading);
	return true;
}

void log_free(struct log *log)
{
	for (size_t i = 0; i < log->count; i++)
		json_decref(log->records[i].json);
	free(log->records);
	free(log->path);
	json_decref(log->manifest);
	*log = (struct log){0};
}
