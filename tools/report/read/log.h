/* SPDX-License-Identifier: MIT */
/* One serial log: its lines to checked records, and whether it is whole. Also set_read()'s part. */
#ifndef PVSPIN_TOOLS_REPORT_READ_LOG_H
#define PVSPIN_TOOLS_REPORT_READ_LOG_H

#include "tools/report/base/data.h"

/* What the records of all logs of a set may take: an estimate, see log.c. The rest is left out. */
#define SET_MEMORY_BYTES ((uint64_t)1 << 30)

/* Fills `log` but for instance, call and manifest. What is wrong with the content goes to notes and
 * clears log->complete, log->usable. `memory` is what the set has left. False, with errno: it
 * cannot be opened. log_free() is due in any case. */
bool log_read(const char *path, struct log *log, struct notes *notes, uint64_t *memory);
void log_free(struct log *log);

#endif
