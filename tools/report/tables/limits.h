/* SPDX-License-Identifier: MIT */
/* What the figures of a set may not be used for, as sentences. */
#ifndef PVSPIN_TOOLS_REPORT_TABLES_LIMITS_H
#define PVSPIN_TOOLS_REPORT_TABLES_LIMITS_H

#include "tools/report/base/data.h"

/* Into `limits`, in the order of importance; not damage. */
void limits_of(const struct set *set, struct notes *limits);

#endif
