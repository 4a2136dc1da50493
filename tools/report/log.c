/* SPDX-License-Identifier: MIT */
/*
 * Serial log -> records: see log.h. A line that starts with `{` is a record (docs/serial-log.md);
 * TAP and text are skipped. Whether the log is whole is judged at the end, by order.c.
 *
 * Memory: a record is kept as its JSON tree. A log of nothing but `[`s would need some 50 times its
 * own size for that, so the size is estimated before parsing and bounded.
 */
#include "tools/report/log.h"

#include "tools/report/lines.h"
#include "tools/report/log_order.h"
#include "tools/report/memory.h"
#include "tools/report/schema.h"

#include <stdlib.h>
#include <string.h>

/* jansson 2.14 on x86-64, glibc malloc: an array takes about 130 bytes, an object 250, a member of
 * either is announced by a comma and takes at most 120. */
#define COST_OF_COMMA  120
#define COST_OF_LIST   130
#define COST_OF_OBJECT 250

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
	json_error_t error;
	json_t *json;

	reading->cost += estimate(line, length);
	if (reading->cost > LOG_MEMORY_BYTES) {
		log_note(reading, true,
			 "its records need more than 1 GiB of memory: those from here on are left "
			 "out");
		reading->full = true;
		return;
	}
	json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		log_note(reading, true, "a broken record, left out: %s", error.text);
	else
		keep(reading, json);
}

static void take_line(struct log_reading *reading, enum line_result result, const char *line,
		      size_t length)
{
	static const char start[] = "{\"type\":";

	if (length > 0 && line[0] == '{') {
		if (result == LINE_TOO_LONG)
			log_note(reading, true, "a record longer than %zu KiB: left out",
				 LINE_BYTES >> 10);
		else
			parse(reading, line, length);
	} else if (memmem(line, length, start, sizeof(start) - 1)) {
		log_note(reading, true,
			 "a record begins inside the line: two writers, or a lost newline; left "
			 "out");
	}
}

bool log_read(const char *path, struct log *log, struct notes *notes)
{
	struct log_reading reading = {.log = log, .notes = notes};
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
