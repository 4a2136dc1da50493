/* SPDX-License-Identifier: MIT */
/* What the figures of a set may not be used for, as sentences. */
#ifndef PVSPIN_TOOLS_REPORT_LIMITS_H
#define PVSPIN_TOOLS_REPORT_LIMITS_H

#include "tools/report/data.h"

/* Into `limits`, in the order of importance; not damage. */
void limits_of(const struct set *set, struct notes *limits);

#endif
