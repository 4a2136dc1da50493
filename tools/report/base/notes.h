/* SPDX-License-Identifier: MIT */
/* The list of what was left out or is doubtful (struct notes): bounded, however bad a log is. */
#ifndef PVSPIN_TOOLS_REPORT_BASE_NOTES_H
#define PVSPIN_TOOLS_REPORT_BASE_NOTES_H

#include "tools/report/base/data.h"

/* Per file and in all: who has more than these mends the first ones first. */
#define NOTES_PER_LOG 20
#define NOTES_MOST    400

/* Damage: the log is not whole. Text that comes from logs is printed escaped. */
void note_add(struct notes *notes, bool damage, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void notes_free(struct notes *notes);

#endif
