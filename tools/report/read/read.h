/* SPDX-License-Identifier: MIT */
/*
 * From the paths that a user names to checked records: which logs are meant (find.c), their lines
 * (lines.c), the list of all records and their fields (schema.c), and whether a log is whole
 * (log.c).
 */
#ifndef PVSPIN_TOOLS_REPORT_READ_READ_H
#define PVSPIN_TOOLS_REPORT_READ_READ_H

#include "tools/report/base/data.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Which logs are meant by a path: a file itself; of an --out directory each serial-<instance>.log,
 * in run-<n>/ too, with the manifest.json beside it; of a directory of those, all of them.
 */
struct found {
	char *path;
	char *manifest; /* NULL: none beside it */
	unsigned instance, instances, call_run;
	size_t call; /* the same for logs of one directory */
	dev_t device;
	ino_t inode;
};

struct found_list {
	struct found *list;
	size_t count, calls;
	size_t seen; /* with those named twice */
};

/* Appends, but nothing twice: a log under two names would double every sample. False, with a
 * message on stderr: there is no such path or no log below it. */
bool find_logs(const char *path, struct found_list *found);
void find_free(struct found_list *found);

/*
 * The lines of a file, whatever the file is: with bounds on the length of a line, on the bytes read
 * and on the time a pipe may keep us waiting.
 */

/* The longest line kept. The guest writes none above 16 KiB (RECORD_BYTES of
 * lib/record.h). */
#define LINE_BYTES ((size_t)256 << 10)
/* All that is read of one file. */
#define FILE_BYTES ((uint64_t)1 << 30)
/* How long a pipe may send nothing, 10 s; the tests are less patient. */
extern int lines_pipe_ms;

enum line_result {
	LINE_WHOLE,
	LINE_UNFINISHED, /* the file ends without a newline behind it */
	LINE_TOO_LONG,   /* its first LINE_BYTES */
	LINE_NONE,       /* no more: see lines->error */
};

struct lines {
	int fd;
	char *buffer;
	size_t size;       /* of it: grows up to LINE_BYTES */
	size_t start, end; /* of what is in the buffer and was not handed out */
	bool finished, skipping;
	uint64_t bytes;
	size_t number;     /* of the line handed out last: 1, 2, 3... */
	const char *error; /* NULL: the file was read to its end */
};

/* False: errno says why. Opening a FIFO does not wait for its writer, reading it
 * does. */
bool lines_open(struct lines *lines, const char *path);
/* The line is without newline (a CR before it is white space to JSON), not terminated, and valid
 * until the next call. */
enum line_result lines_next(struct lines *lines, const char **line, size_t *length);
void lines_close(struct lines *lines);

/*
 * The one list of record types and their fields: name, JSON type, range, whether required. What
 * docs/serial-log.md says in words; a test holds the guest's sources, real logs and that page
 * against it.
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
	int64_t min, max; /* of FIELD_NUMBER */
};

struct schema {
	const char *type;
	const struct field *fields;
	size_t count;
};

/* NULL for RECORD_OTHER. */
const struct schema *schema_of(enum record_type type);

/* Which record a JSON object is, and whether it is a valid one; else why not, for people. Fields
 * that the schema does not have are fine: newer logs have them. */
bool schema_check(const json_t *json, enum record_type *type, char why[SCHEMA_WHY_BYTES]);

/* What the records of all logs of a set may take: an estimate, see log.c. The rest is left out. */
#define SET_MEMORY_BYTES ((uint64_t)1 << 30)

/* Fills `log` but for instance, call and manifest. What is wrong with the content goes to notes and
 * clears log->complete, log->usable. `memory` is what the set has left. False, with errno: it
 * cannot be opened. log_free() is due in any case. */
bool log_read(const char *path, struct log *log, struct notes *notes, uint64_t *memory);
void log_free(struct log *log);

#endif
