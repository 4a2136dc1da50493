/* SPDX-License-Identifier: MIT */
/* A set, or a comparison of two, in the format that was asked for. */
#ifndef PVSPIN_TOOLS_REPORT_PRINT_OUTPUT_H
#define PVSPIN_TOOLS_REPORT_PRINT_OUTPUT_H

#include "tools/report/base/data.h"
#include "tools/report/options.h"

#include <stdio.h>

/* False, with a message on stderr: it could not be written. */
bool output_set(FILE *out, enum format format, const struct set *set);
bool output_comparison(FILE *out, enum format format, const struct set pair[2]);

#endif
