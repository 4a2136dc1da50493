/* SPDX-License-Identifier: MIT */
/*
 * One call of gnuplot: a script in, a picture out, both in memory. gnuplot never gets a name of a
 * file, reads no init file, and has a bounded time; a script gets into it on stdin, so whatever
 * comes from logs must be escaped for gnuplot (escape.h) and nothing else.
 */
#ifndef PVSPIN_TOOLS_REPORT_PLOT_GNUPLOT_H
#define PVSPIN_TOOLS_REPORT_PLOT_GNUPLOT_H

#include <stdbool.h>
#include <stddef.h>

/* Pictures are small: a CDF of 22 locks takes gnuplot 0.1 s. */
#define GNUPLOT_MS        20000
#define GNUPLOT_MAX_BYTES (32u << 20)

enum gnuplot_status {
	GNUPLOT_OK,
	GNUPLOT_MISSING, /* not installed */
	GNUPLOT_FAILED,  /* *error says how */
};

/* What gnuplot wrote to stdout for `script` is in *output (to be freed, with a 0 behind it). If not
 * GNUPLOT_OK, *error (to be freed) is one sentence. `program`: "gnuplot", or another for tests. */
enum gnuplot_status gnuplot_run(const char *program, const char *script, char **output,
				size_t *bytes, char **error);

#endif
