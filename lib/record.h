/* SPDX-License-Identifier: MIT */
/*
 * Records: one JSON object per line, written whole, numbered by "seq" from 1 (docs/serial-log.md).
 * A record is built in memory and handed to log_write as one piece by record_end. Usage:
 *
 *	struct record record;
 *	record_begin(&record, "run");
 *	record_string(&record, "lock", "mcs");
 *	record_number(&record, "ops", ops);
 *	record_end(&record);
 *
 * CPU 0 only, outside measured phases. Strings are escaped as JSON asks (control characters as
 * \u00XX). A record that outgrows its buffer is replaced by a record of type "error" that names the
 * type, so there is never half a line.
 */
#ifndef PVSPIN_LIB_RECORD_H
#define PVSPIN_LIB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_BYTES 65536 /* longest line, newline included: `counts` of 1024 CPUs */

struct record {
	const char *type;
	size_t length;
	bool overflow;
	bool comma; /* whether the next item needs a comma before it */
};

void record_begin(struct record *record, const char *type);
void record_number(struct record *record, const char *name, uint64_t value);
void record_signed(struct record *record, const char *name, int64_t value);
void record_bool(struct record *record, const char *name, bool value);
void record_string(struct record *record, const char *name, const char *value);
/* For bit patterns and addresses of 64 bits: writes a string "0x...". */
void record_hex(struct record *record, const char *name, uint64_t value);
/* Nested: name may be NULL inside an array. Numbers and strings inside an array: name NULL. */
void record_open_array(struct record *record, const char *name);
void record_close_array(struct record *record);
void record_open_object(struct record *record, const char *name);
void record_close_object(struct record *record);
void record_end(struct record *record);

/* Records written so far: the seq of the last one. */
uint64_t record_count(void);

#endif
