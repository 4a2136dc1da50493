/* SPDX-License-Identifier: MIT */
/*
 * Is a log whole? Boot first, end last, seq 1, 2, 3... once each, as many as `end` says: what
 * docs/serial-log.md promises. Anything else is named in a note and makes the log a damaged one.
 */
#include "tools/report/read/log_order.h"

#include "tools/report/base/notes.h"
#include "tools/report/read/schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void log_note(struct log_reading *reading, bool damage, const char *format, ...)
{
	char text[512], place[24] = "";
	va_list arguments;

	reading->damaged |= damage;
	if (reading->said++ >= NOTES_PER_LOG) {
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

/* By seq; of equal ones the first in the file comes first. */
static int by_seq(const void *left, const void *right)
{
	const struct record *a = *(const struct record *const *)left;
	const struct record *b = *(const struct record *const *)right;

	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return (a > b) - (a < b);
}

static void note_gap(struct log_reading *reading, uint64_t from, uint64_t to)
{
	if (from == to)
		log_note(reading, true, "seq %" PRIu64 " is missing", from);
	else
		log_note(reading, true, "seq %" PRIu64 " to %" PRIu64 " are missing", from, to);
}

/* The second record of a seq is forgotten (its JSON too); gaps are named. */
static void check_seq(struct log_reading *reading, struct record **sorted)
{
	uint64_t due = 1;

	for (size_t i = 0; i < reading->log->count; i++) {
		reading->line = sorted[i]->line;
		if (sorted[i]->seq > due)
			note_gap(reading, due, sorted[i]->seq - 1);
		if (sorted[i]->seq < due) {
			log_note(reading, true, "seq %" PRIu64 " comes twice: left out%s",
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

static void drop_forgotten(struct log *log)
{
	size_t kept = 0;

	for (size_t i = 0; i < log->count; i++) {
		if (log->records[i].seq != 0)
			log->records[kept++] = log->records[i];
	}
	log->count = kept;
}

static void check_order(struct log_reading *reading)
{
	const struct log *log = reading->log;

	for (size_t i = 1; i < log->count; i++) {
		if (log->records[i].seq < log->records[i - 1].seq) {
			reading->line = log->records[i].line;
			log_note(reading, true,
				 "seq %" PRIu64 " comes after %" PRIu64
				 ": two writers, or two logs in one file?",
				 log->records[i].seq, log->records[i - 1].seq);
			return; /* the first place is enough */
		}
	}
}

static void sort_out(struct log_reading *reading)
{
	struct log *log = reading->log;
	struct record **sorted = reallocarray(NULL, log->count + 1, sizeof(*sorted));

	if (sorted == NULL) {
		log_note(reading, true, "no memory to check it");
		return;
	}
	for (size_t i = 0; i < log->count; i++)
		sorted[i] = &log->records[i];
	qsort(sorted, log->count, sizeof(*sorted), by_seq);
	check_seq(reading, sorted);
	free(sorted);
	drop_forgotten(log);
	check_order(reading);
}

static void find_boot(struct log_reading *reading)
{
	struct log *log = reading->log;

	for (size_t i = 0; i < log->count; i++) {
		const struct record *record = &log->records[i];

		if (record->type != RECORD_BOOT)
			continue;
		reading->line = record->line;
		if (log->boot != NULL)
			log_note(reading, true, "a second boot record: two logs in one file?");
		else if (i != 0)
			log_note(reading, true, "the boot record is not the first");
		log->boot = log->boot ? log->boot : record;
	}
	reading->line = 0;
	if (log->boot == NULL)
		log_note(reading, true,
			 "no boot record: nothing says what it ran on, so its runs are left out");
	else if (record_u64(log->boot, "schema") != SCHEMA_VERSION)
		log_note(reading, true,
			 "schema %" PRIu64
			 ", this pvspin-report reads schema %d: its runs are left out",
			 record_u64(log->boot, "schema"), SCHEMA_VERSION);
	else
		log->usable = true;
}

static void find_end(struct log_reading *reading)
{
	struct log *log = reading->log;

	reading->line = 0;
	for (size_t i = 0; i < log->count && log->end == NULL; i++) {
		if (log->records[i].type == RECORD_END)
			log->end = &log->records[i];
	}
	if (log->end == NULL) {
		log_note(reading, true, "no end record: the log is cut off");
		return;
	}
	reading->line = log->end->line;
	if (log->end != &log->records[log->count - 1])
		log_note(reading, true, "records come after the end record");
	if (record_u64(log->end, "records") != log->count)
		log_note(reading, true, "the end record counts %" PRIu64 " records, here are %zu",
			 record_u64(log->end, "records"), log->count);
	if (strcmp(record_text(log->end, "verdict"), "ok") != 0)
		log_note(reading, false, "the guest's verdict is %s (reason: %s)",
			 record_text(log->end, "verdict"), record_text(log->end, "reason"));
}

/* Without a lock: the guest hung outside of runs and lock tests. */
static void note_hang(struct log_reading *reading, const struct record *record)
{
	const char *lock = record_text(record, "lock");

	log_note(reading, false, "%s hung: %s", *lock != '\0' ? lock : "the guest",
		 record_text(record, "what"));
}

/* Records that say why a log is as it is. */
static void note_accidents(struct log_reading *reading)
{
	const struct log *log = reading->log;

	for (size_t i = 0; i < log->count; i++) {
		const struct record *record = &log->records[i];

		reading->line = record->line;
		if (record->type == RECORD_PANIC)
			log_note(reading, false, "the guest crashed: %s",
				 record_text(record, "reason"));
		else if (record->type == RECORD_HANG)
			note_hang(reading, record);
		else if (record->type == RECORD_ERROR)
			log_note(reading, true, "the guest could not write a %s record: %s",
				 record_text(record, "record"), record_text(record, "reason"));
	}
}

void log_judge(struct log_reading *reading)
{
	struct log *log = reading->log;

	sort_out(reading);
	find_boot(reading);
	note_accidents(reading);
	find_end(reading);
	log->complete = !reading->damaged;
	if (reading->hidden == 0)
		return;
	note_add(reading->notes, reading->damaged, "%s: and %zu more like these", log->path,
		 reading->hidden);
}
