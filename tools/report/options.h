/* SPDX-License-Identifier: MIT */
/* The command line of pvspin-report. */
#ifndef PVSPIN_TOOLS_REPORT_OPTIONS_H
#define PVSPIN_TOOLS_REPORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum format { FORMAT_TEXT, FORMAT_MARKDOWN, FORMAT_CSV, FORMAT_JSON, FORMAT_HTML, FORMATS };

struct options {
	const char **paths; /* owned; the strings are the command line's */
	size_t path_count;
	enum format format;
	const char *compare[2]; /* NULL: not asked for */
	const char *plot, *perfetto, *output;
	bool help, version;
};

/* False, with a message on stderr: status 2. options_free() is due in any case. */
bool options_read(int count, char **word, struct options *options);
void options_free(struct options *options);
void options_help(void);

#endif
