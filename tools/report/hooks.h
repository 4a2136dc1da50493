/* SPDX-License-Identifier: MIT */
/*
 * Parts of pvspin-report that a build may be without (report.mk compiles what is there): weak, so
 * they are NULL then, and main.c says so.
 */
#ifndef PVSPIN_TOOLS_REPORT_HOOKS_H
#define PVSPIN_TOOLS_REPORT_HOOKS_H

#include "tools/report/data.h"
#include "tools/report/options.h"

#include <stdio.h>

/* False, with a message on stderr: it could not be written. */
bool html_write(FILE *out, const struct set *sets, size_t count) __attribute__((weak));
bool plot_write_all(const char *directory, const struct set *set) __attribute__((weak));
bool perfetto_write(FILE *out, const struct set *set) __attribute__((weak));
/* A directory with an experiment.json. Returns the program's status. */
int study_write(FILE *out, const char *directory, enum format format) __attribute__((weak));

#endif
