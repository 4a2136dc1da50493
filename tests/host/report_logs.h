/* SPDX-License-Identifier: MIT */
/* Logs made by hand for the analyser's tests, in files of a directory that is removed at the end.
 */
#ifndef PVSPIN_TESTS_HOST_REPORT_LOGS_H
#define PVSPIN_TESTS_HOST_REPORT_LOGS_H

#include "tools/report/base/data.h"

/* A log being written. */
struct made {
	char path[256];
	unsigned seq;
};

/* cmocka's group set-up and tear-down: the directory. */
int logs_begin(void **state);
int logs_end(void **state);

/* A new file with a boot record, at 1 GHz: a cycle is a ns. `name` may have a directory before it.
 */
struct made log_begin(const char *name, const char *accel);
struct made log_empty(const char *name);
/* A line as it is, with its newline. */
void log_line(struct made *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* {"type":<type>,"seq":<next>,<rest>} */
void log_record(struct made *log, const char *type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A run of 1 s with its vcpu records; each vCPU's ops. `more` is appended to the run record:
 * ",\"x\":1" or "". */
void log_run(struct made *log, unsigned run, const char *lock, unsigned rep, unsigned threads,
	     const unsigned *ops, const char *more);
void log_end(struct made *log);
const char *logs_path(const char *name); /* of a file or directory; valid until the next call */

/* Is there a note with this in it? */
bool has_note(const struct notes *notes, const char *part);
bool any_damage(const struct notes *notes);

#endif
