/* SPDX-License-Identifier: MIT */
/*
 * From the paths that a user names to checked records: find.c finds the logs, lines.c reads their
 * lines, schema.c lists the records and their fields, check.c checks a record against that list,
 * log.c checks whether a log is whole.
 */
#ifndef PVSPIN_TOOLS_REPORT_READ_READ_H
#define PVSPIN_TOOLS_REPORT_READ_READ_H

#include "tools/report/base/data.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The logs that a path stands for: a file is a log; an --out directory has a log in each
 * serial-<instance>.log, also in its run-<n>/, each with the manifest.json of its directory; any
 * other directory has the logs of the --out directories below it.
 */
struct found {
	char *path;
	char *manifest; /* NULL: none in its directory */
	unsigned instance, instances, call_run;
	size_t call; /* equal for the logs of one directory */
	dev_t device;
	ino_t inode;
};

struct found_list {
	struct found *list;
	size_t count, calls;
	size_t seen; /* counts a log as often as it was named */
};

/* Appends the logs of a path, each once: a log with two names would double every sample. Returns
 * false, after a message on stderr, if the path does not exist or has no log. */
bool find_logs(const char *path, struct found_list *found);
void find_free(struct found_list *found);

/*
 * The lines of any file. The length of a line, the bytes read and the time that a pipe may stay
 * silent have bounds.
 */

/* Longer lines are cut. The guest writes at most 16 KiB (RECORD_BYTES of lib/record.h). */
#define LINE_BYTES ((size_t)256 << 10)
/* No more than this is read of one file. */
#define FILE_BYTES ((uint64_t)1 << 30)
/* How long a pipe may stay silent: 10 s, less in the tests. */
extern int lines_pipe_ms;

enum line_result {
	LINE_WHOLE,
	LINE_UNFINISHED, /* the last line has no newline */
	LINE_TOO_LONG,   /* these are its first LINE_BYTES */
	LINE_NONE,       /* there is no line left; lines->error says why */
};

struct lines {
	int fd;
	char *buffer;
	size_t size;       /* of the buffer; grows up to LINE_BYTES */
	size_t start, end; /* of the bytes in the buffer that were not returned yet */
	bool finished, skipping;
	uint64_t bytes;
	size_t number;     /* of the line returned last: 1, 2, 3... */
	const char *error; /* NULL: the file was read to its end */
};

/* Opens a file. Returns false with errno if that fails. Opening a FIFO does not wait for its
 * writer; reading it does. */
bool lines_open(struct lines *lines, const char *path);
/* Returns the next line without its newline (a CR before it is white space to JSON). The line has
 * no terminating zero and is valid until the next call. */
enum line_result lines_next(struct lines *lines, const char **line, size_t *length);
void lines_close(struct lines *lines);

/*
 * The one list of record types and their fields: name, JSON type, range, whether required. A test
 * compares it with the guest's sources, with real logs and with docs/serial-log.md.
 */

#define SCHEMA_VERSION   1
#define SCHEMA_WHY_BYTES 256

enum field_kind {
	FIELD_NUMBER, /* an integer, min..max */
	FIELD_BOOL,
	FIELD_NAME, /* a string of 1 to 64 characters of [A-Za-z0-9._+-]: safe to print */
	FIELD_TEXT, /* any string */
	FIELD_LIST,
	FIELD_OBJECT,
	FIELD_CPU, /* an index, or "all" */
};

struct field {
	const char *name;
	enum field_kind kind;
	bool required;
	int64_t min, max; /* for FIELD_NUMBER */
};

struct schema {
	const char *type;
	const struct field *fields;
	size_t count;
};

/* Returns NULL for RECORD_OTHER. */
const struct schema *schema_of(enum record_type type);

/* Finds the type of a record and returns whether the record is valid; if not, `why` tells people
 * the reason. Accepts fields that the schema does not list: newer logs have them. */
bool schema_check(const json_t *json, enum record_type *type, char why[SCHEMA_WHY_BYTES]);

/* Bound on the estimated memory (log.c) of all records of a set; further records are left out. */
#define SET_MEMORY_BYTES ((uint64_t)1 << 30)

/* Reads a log; the caller sets its instance, call and manifest. Each defect of the content becomes
 * a note and clears log->complete or log->usable. *memory is the memory that the set has left.
 * Returns false with errno if the log cannot be opened. Call log_free() in either case. */
bool log_read(const char *path, struct log *log, struct notes *notes, uint64_t *memory);
void log_free(struct log *log);

#endif
