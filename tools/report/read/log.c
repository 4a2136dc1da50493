/* SPDX-License-Identifier: MIT */
/*
 * Reads a serial log into records: see read.h. A line that starts with `{` is a record
 * (docs/serial-log.md); TAP and text are skipped. At the end judge() checks whether the log is
 * whole.
 *
 * Each record is kept as its JSON tree. The tree of a log of nothing but `[`s would take some 50
 * times the size of the log, so its size is estimated before parsing, and bounded.
 */
#include "tools/report/base/data.h"
#include "tools/report/base/system.h"
#include "tools/report/read/read.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* jansson 2.14 on x86-64 with glibc's malloc: an array takes about 130 bytes, an object 250, and a
 * member of either, for which a comma stands, at most 120. */
#define COST_OF_COMMA  120
#define COST_OF_LIST   130
#define COST_OF_OBJECT 250

#define STAMP_MOST  64
#define STAMP_BYTES "0123456789 \t[](){}<>|:;.,+-/"

struct reading {
	struct log *log;
	struct notes *notes;
	size_t line;      /* the line that the next note is about; 0: the whole file */
	size_t noted;     /* notes of this log so far */
	size_t hidden;    /* notes beyond NOTES_PER_LOG; the last note says how many */
	uint64_t *memory; /* bytes left for records, estimated */
	bool full, damaged;
	bool first_seen, stamped; /* the first record was read; a time stamp is before it */
};

/* Adds a note "path:line: text". */
static void note(struct reading *reading, bool damage, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void note(struct reading *reading, bool damage, const char *format, ...)
{
	char text[512], place[24] = "";
	va_list arguments;

	reading->damaged |= damage;
	if (reading->noted++ >= NOTES_PER_LOG) {
		reading->hidden++;
		return;
	}
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (reading->line != 0)
		snprintf(place, sizeof(place), ":%zu", reading->line);
	note_add(reading->notes, damage, "%s%s: %s", reading->log->path, place, text);
}

/* Estimates the bytes that the JSON tree of a line will take. */
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

/* Appends a record if it is valid. Takes ownership of the JSON. */
static void keep_record(struct reading *reading, json_t *json)
{
	struct log *log = reading->log;
	struct record record = {.line = reading->line, .json = json};
	char why[SCHEMA_WHY_BYTES];

	if (!schema_check(json, &record.type, why)) {
		note(reading, true, "%s: left out", why);
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

static void parse(struct reading *reading, const char *line, size_t length)
{
	uint64_t cost = estimate(line, length);
	json_error_t error;
	json_t *json;

	if (cost > *reading->memory) {
		note(reading, true,
		     "no room for its records (1 GiB in all): those from here on are left out");
		reading->full = true;
		return;
	}
	*reading->memory -= cost;
	json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		note(reading, true, "a broken record, left out: %s", error.text);
	else
		keep_record(reading, json);
}

static const char record_start[] = "{\"type\":";

/*
 * Returns the length of a time stamp that a serial program put before the record of this line
 * ("[12:00:00.000] ", "Nov 29 12:00:00 "): digits, punctuation and words of at most three letters.
 * Returns 0 if the line has no record, or if the text before it is no time stamp.
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

/* Returns the length of the line's time stamp. Either all lines have one or none has: the first
 * record decides. */
static size_t find_stamp(struct reading *reading, const char *line, size_t length)
{
	size_t stamp;

	if (reading->first_seen && !reading->stamped)
		return 0;
	stamp = stamp_length(line, length);
	if (!reading->first_seen && stamp != 0) {
		reading->stamped = true;
		note(reading, false,
		     "its lines begin with time stamps, as some serial programs write them: "
		     "ignored");
	}
	return stamp;
}

static void take_line(struct reading *reading, enum line_result result, const char *line,
		      size_t length)
{
	size_t stamp = find_stamp(reading, line, length);

	line += stamp;
	length -= stamp;
	if (length > 0 && line[0] == '{') {
		reading->first_seen = true;
		if (result == LINE_TOO_LONG)
			note(reading, true, "a record longer than %zu KiB: left out",
			     LINE_BYTES >> 10);
		else
			parse(reading, line, length);
	} else if (memmem(line, length, record_start, sizeof(record_start) - 1)) {
		note(reading, true,
		     "a record begins inside the line: two writers, or a lost newline; left "
		     "out");
	}
}

/*
 * A log is whole if it is as docs/serial-log.md promises: boot is first, end is last, each seq 1,
 * 2, 3... comes once, and `end` has their number. Each deviation becomes a note, and the log is
 * damaged.
 */

/* Orders records by seq, and records with equal seq as in the file. */
static int by_seq(const void *left, const void *right)
{
	const struct record *a = *(const struct record *const *)left;
	const struct record *b = *(const struct record *const *)right;

	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return (a > b) - (a < b);
}

static void note_gap(struct reading *reading, uint64_t from, uint64_t to)
{
	if (from == to)
		note(reading, true, "seq %" PRIu64 " is missing", from);
	else
		note(reading, true, "seq %" PRIu64 " to %" PRIu64 " are missing", from, to);
}

/* Notes gaps. If a seq comes twice, marks the second record for removal by setting its seq to 0. */
static void check_seq(struct reading *reading, struct record **sorted)
{
	uint64_t due = 1;

	for (size_t i = 0; i < reading->log->count; i++) {
		reading->line = sorted[i]->line;
		if (sorted[i]->seq > due)
			note_gap(reading, due, sorted[i]->seq - 1);
		if (sorted[i]->seq < due) {
			note(reading, true, "seq %" PRIu64 " comes twice: left out%s",
			     sorted[i]->seq,
			     sorted[i]->type == RECORD_BOOT
				     ? "; a second boot record: two logs in one file?"
				     : "");
			json_decref(sorted[i]->json);
			sorted[i]->json = NULL;
			sorted[i]->seq = 0;
			continue;
		}
		due = sorted[i]->seq + 1;
	}
}

static void drop_marked(struct log *log)
{
	size_t kept = 0;

	for (size_t i = 0; i < log->count; i++) {
		if (log->records[i].seq != 0)
			log->records[kept++] = log->records[i];
	}
	log->count = kept;
}

static void check_order(struct reading *reading)
{
	const struct log *log = reading->log;

	for (size_t i = 1; i < log->count; i++) {
		if (log->records[i].seq < log->records[i - 1].seq) {
			reading->line = log->records[i].line;
			note(reading, true,
			     "seq %" PRIu64 " comes after %" PRIu64
			     ": two writers, or two logs in one file?",
			     log->records[i].seq, log->records[i - 1].seq);
			return; /* one note is enough */
		}
	}
}

/* Drops records whose seq comes twice, and notes gaps and wrong order. */
static void check_sequence(struct reading *reading)
{
	struct log *log = reading->log;
	struct record **sorted = memory_new(log->count, sizeof(*sorted));

	for (size_t i = 0; i < log->count; i++)
		sorted[i] = &log->records[i];
	qsort(sorted, log->count, sizeof(*sorted), by_seq);
	check_seq(reading, sorted);
	free(sorted);
	drop_marked(log);
	check_order(reading);
}

static void find_boot(struct reading *reading)
{
	struct log *log = reading->log;

	for (size_t i = 0; i < log->count; i++) {
		const struct record *record = &log->records[i];

		if (record->type != RECORD_BOOT)
			continue;
		reading->line = record->line;
		if (log->boot != NULL)
			note(reading, true, "a second boot record: two logs in one file?");
		else if (i != 0)
			note(reading, true, "the boot record is not the first");
		log->boot = log->boot ? log->boot : record;
	}
	reading->line = 0;
	if (log->boot == NULL)
		note(reading, true,
		     "no boot record: nothing says what it ran on, so its runs are left out");
	else if (record_u64(log->boot, "schema") != SCHEMA_VERSION)
		note(reading, true,
		     "schema %" PRIu64
		     ", this pvspin-report reads schema %d: its runs are left out",
		     record_u64(log->boot, "schema"), SCHEMA_VERSION);
	else
		log->usable = true;
}

static void find_end(struct reading *reading)
{
	struct log *log = reading->log;

	reading->line = 0;
	for (size_t i = 0; i < log->count && log->end == NULL; i++) {
		if (log->records[i].type == RECORD_END)
			log->end = &log->records[i];
	}
	if (log->end == NULL) {
		note(reading, true, "no end record: the log is cut off");
		return;
	}
	reading->line = log->end->line;
	if (log->end != &log->records[log->count - 1])
		note(reading, true, "records come after the end record");
	if (record_u64(log->end, "records") != log->count)
		note(reading, true, "the end record counts %" PRIu64 " records, here are %zu",
		     record_u64(log->end, "records"), log->count);
	if (strcmp(record_text(log->end, "verdict"), "ok") != 0)
		note(reading, false, "the guest's verdict is %s (reason: %s)",
		     record_text(log->end, "verdict"), record_text(log->end, "reason"));
}

/* A hang record without a lock says that the guest hung outside of runs and lock tests. */
static void note_hang(struct reading *reading, const struct record *record)
{
	const char *lock = record_text(record, "lock");

	note(reading, false, "%s hung: %s", *lock != '\0' ? lock : "the guest",
	     record_text(record, "what"));
}

/* Notes the records that explain why a log is damaged. */
static void note_accidents(struct reading *reading)
{
	const struct log *log = reading->log;

	for (size_t i = 0; i < log->count; i++) {
		const struct record *record = &log->records[i];

		reading->line = record->line;
		if (record->type == RECORD_PANIC)
			note(reading, false, "the guest crashed: %s",
			     record_text(record, "reason"));
		else if (record->type == RECORD_HANG)
			note_hang(reading, record);
		else if (record->type == RECORD_ERROR)
			note(reading, true, "the guest could not write a %s record: %s",
			     record_text(record, "record"), record_text(record, "reason"));
	}
}

/* Checks the whole log; sets boot, end, complete and usable. */
static void judge(struct reading *reading)
{
	struct log *log = reading->log;

	check_sequence(reading);
	find_boot(reading);
	note_accidents(reading);
	find_end(reading);
	log->complete = !reading->damaged;
	if (reading->hidden == 0)
		return;
	note_add(reading->notes, reading->damaged, "%s: and %zu more like these", log->path,
		 reading->hidden);
}

bool log_read(const char *path, struct log *log, struct notes *notes, uint64_t *memory)
{
	struct reading reading = {.log = log, .notes = notes, .memory = memory};
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
		note(&reading, true, "%s", lines.error);
	if (lines.bytes == 0 && lines.error == NULL)
		note(&reading, true, "is empty");
	lines_close(&lines);
	judge(&reading);
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
