/* SPDX-License-Identifier: MIT */
/* Between log.c, which reads records, and log_order.c, which judges whether they are all there. */
#ifndef PVSPIN_TOOLS_REPORT_READ_LOG_ORDER_H
#define PVSPIN_TOOLS_REPORT_READ_LOG_ORDER_H

#include "tools/report/base/data.h"

struct log_reading {
	struct log *log;
	struct notes *notes;
	size_t line;      /* that the next note is about; 0: the file */
	size_t said;      /* notes of this log, at most NOTES_PER_LOG */
	size_t hidden;    /* those beyond, of which the last note tells the number */
	uint64_t *memory; /* bytes left for records, estimated */
	bool full, damaged;
	bool first_seen, stamped; /* a record; stamps before it */
};

/* A note "path:line: text". */
void log_note(struct log_reading *reading, bool damage, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Drops records whose seq comes twice; sets boot, end, complete, usable. */
void log_judge(struct log_reading *reading);

#endif
