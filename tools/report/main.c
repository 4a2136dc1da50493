/* SPDX-License-Identifier: MIT */
/* pvspin-report: serial logs to tables. The story is told in data.h; this is its last chapter. */
#include "tools/report/base/data.h"
#include "tools/report/base/memory.h"
#include "tools/report/base/status.h"
#include "tools/report/html/html.h"
#include "tools/report/options.h"
#include "tools/report/plot/plot.h"
#include "tools/report/print/output.h"
#include "tools/report/study/study.h"
#include "tools/report/tables/compare.h"
#include "tools/report/timeline/perfetto.h"
#include "version.h"

#include <errno.h>
#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Before anything is read. */
static bool fit_together(const struct options *options)
{
	if (!options->compare[0] || !(options->plot || options->perfetto))
		return true;
	fprintf(stderr,
		"pvspin-report: --plot and --perfetto are for one set, not for --compare\n");
	return false;
}

static int cannot(const char *path)
{
	fprintf(stderr, "pvspin-report: %s: %s\n", path, strerror(errno));
	return STATUS_UNREADABLE;
}

static int write_trace(const char *path, const struct set *set)
{
	FILE *out = fopen(path, "w");
	bool written;

	if (out == NULL)
		return cannot(path);
	written = perfetto_write(out, set);
	if (fclose(out) != 0)
		return cannot(path);
	return written ? STATUS_OK : STATUS_UNREADABLE;
}

/* What is asked for besides the tables. */
static int write_files(const struct options *options, const struct set *set)
{
	if (options->plot && !plot_write_all(options->plot, set))
		return STATUS_UNREADABLE;
	return options->perfetto ? write_trace(options->perfetto, set) : STATUS_OK;
}

static bool printable(int status)
{
	return status == STATUS_OK || status == STATUS_DAMAGED;
}

static int report(FILE *out, const struct options *options)
{
	struct set set;
	int status = STATUS_OK;

	if (set_read(options->paths, options->path_count, &set))
		status = write_files(options, &set);
	if (status == STATUS_OK && printable(set.status))
		status = output_set(out, options->format, &set) ? set.status : STATUS_UNREADABLE;
	else if (status == STATUS_OK)
		status = set.status;
	set_free(&set);
	return status;
}

static int worse(int a, int b)
{
	return a > b ? a : b;
}

static int compare(FILE *out, const struct options *options)
{
	struct set pair[2] = {0};
	bool read = set_read(&options->compare[0], 1, &pair[0]) &&
		    set_read(&options->compare[1], 1, &pair[1]);
	int status = worse(pair[0].status, pair[1].status);

	if (read && !compare_allowed(&pair[0], &pair[1]))
		status = STATUS_USAGE;
	if (read && printable(status) && !output_comparison(out, options->format, pair))
		status = STATUS_UNREADABLE;
	set_free(&pair[0]);
	set_free(&pair[1]);
	return status;
}

static int run(FILE *out, const struct options *options)
{
	if (options->path_count == 1 && study_here(options->paths[0]))
		return study_write(out, options->paths[0], options->format);
	if (!fit_together(options))
		return STATUS_USAGE;
	return options->compare[0] ? compare(out, options) : report(out, options);
}

static bool same_file(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return a && b && stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino;
}

/* A log is never what is written to. */
static bool is_input(const char *path, const struct options *options)
{
	bool input = same_file(path, options->compare[0]) || same_file(path, options->compare[1]);

	for (size_t i = 0; i < options->path_count; i++)
		input |= same_file(path, options->paths[i]);
	if (input)
		fprintf(stderr, "pvspin-report: %s is to be read: it is not written to\n", path);
	return input;
}

static bool write_file(const char *path, const char *content, size_t bytes)
{
	FILE *out = fopen(path, "w");
	bool good = out != NULL && fwrite(content, 1, bytes, out) == bytes;

	return (out == NULL || fclose(out) == 0) && good;
}

/* The file is touched when all is there that is to be in it: one of an earlier call is not lost to
 * a log that cannot be read. */
static int run_into_file(const char *path, const struct options *options)
{
	char *content = NULL;
	size_t bytes = 0;
	FILE *memory = open_memstream(&content, &bytes);
	int status;

	if (memory == NULL)
		return cannot(path);
	status = run(memory, options);
	if (fclose(memory) != 0)
		status = cannot(path);
	else if (printable(status) && !write_file(path, content, bytes))
		status = cannot(path);
	free(content);
	return status;
}

static int run_into(const char *path, const struct options *options)
{
	int status;

	if (is_input(path, options) || is_input(options->perfetto, options))
		return STATUS_USAGE;
	if (path)
		return run_into_file(path, options);
	status = run(stdout, options);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = cannot("standard output");
	return status;
}

int main(int count, char **word)
{
	struct options options;
	int status = STATUS_OK;

	html_program = "pvspin-report " PVSPIN_VERSION;
	gsl_set_error_handler_off(); /* a figure that cannot be had is a NAN and not an abort */
	if (!options_read(count, word, &options))
		status = STATUS_USAGE;
	else if (options.help)
		options_help();
	else if (options.version)
		printf("pvspin-report %s\n", PVSPIN_VERSION);
	else
		status = run_into(options.output, &options);
	options_free(&options);
	return status;
}
