/* SPDX-License-Identifier: MIT */
/* Writes logs for the analyser's tests, in a directory that is removed at the end. */
#ifndef PVSPIN_TESTS_HOST_REPORT_LOGS_H
#define PVSPIN_TESTS_HOST_REPORT_LOGS_H

#include "tools/report/base/data.h"

/* A log that is being written. */
struct made {
	char path[256];
	unsigned seq;
};

/* Setup and teardown functions for a group of cmocka: make and remove the directory. */
int logs_begin(void **state);
int logs_end(void **state);

/* Creates a file with a boot record at 1 GHz: a cycle is a ns. `name` may include a directory. */
struct made log_begin(const char *name, const char *accel);
struct made log_empty(const char *name);
/* Writes a text as it is. */
void log_line(struct made *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes {"type":<type>,"seq":<next>,<text>}. */
void log_record(struct made *log, const char *type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Writes a run of 1 s and its vcpu records, with each vCPU's ops. `more` is appended to the run
 * record:
 * ",\"x\":1" or "". */
void log_run(struct made *log, unsigned run, const char *lock, unsigned rep, unsigned threads,
	     const unsigned *ops, const char *more);
void log_end(struct made *log);
/* Returns the path of a file or directory; valid until the next call. */
const char *logs_path(const char *name);

/* True if a note contains this text. */
bool has_note(const struct notes *notes, const char *part);
bool any_damage(const struct notes *notes);

#endif
