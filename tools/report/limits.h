/* SPDX-License-Identifier: MIT */
/* What the figures of a set may not be used for, as sentences. */
#ifndef PVSPIN_TOOLS_REPORT_LIMITS_H
#define PVSPIN_TOOLS_REPORT_LIMITS_H

#include "tools/report/data.h"

/* What lock papers repeat at least (LiTL, TOCS'19, measured each cell 5 times). bench/notes.c has
 * the same bound. */
#define REPS_TO_QUOTE 5

/* Into `limits`, in the order of importance; not damage. */
void limits_of(const struct set *set, struct notes *limits);

#endif
