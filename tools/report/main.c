/* SPDX-License-Identifier: MIT */
/* pvspin-report: its options, and the order in which its parts are called. data.h shows the flow of
 * the data. */
#include "tools/report/base/data.h"
#include "tools/report/base/system.h"
#include "tools/report/html/html.h"
#include "tools/report/plot/plot.h"
#include "tools/report/print/print.h"
#include "tools/report/study/study.h"
#include "tools/report/tables/tables.h"
#include "tools/report/timeline/timeline.h"
#include "version.h"

#include <getopt.h>
#include <gsl/gsl_errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct options {
	const char **paths; /* the array is allocated, the strings are the command line's */
	size_t path_count;
	enum format format;
	const char *compare[2]; /* NULL: no --compare */
	const char *plot, *perfetto, *output;
	bool help, version;
};

static const char *const format_names[FORMATS] = {
	[FORMAT_TEXT] = "text", [FORMAT_MARKDOWN] = "markdown", [FORMAT_CSV] = "csv",
	[FORMAT_JSON] = "json", [FORMAT_HTML] = "html",
};

static const char help[] =
	"Usage: pvspin-report LOG... [options]\n"
	"       pvspin-report --compare A B [options]\n"
	"\n"
	"Prints tables of pvspin's serial logs. LOG is a log, an --out directory of run.sh (all\n"
	"logs of its runs and instances) or the directory of an experiment. Runs with equal\n"
	"settings, from any number of logs, are repetitions and make up one row.\n"
	"\n"
	"  --format=FORMAT  text, markdown, csv, json or html (text)\n"
	"  --compare A B    ratio of B to A for each lock, with confidence interval and p-value\n"
	"  --plot=DIR       also write plots into a directory\n"
	"  --perfetto=FILE  also write trace events for ui.perfetto.dev\n"
	"  --output=FILE    write the tables to a file instead of the standard output\n"
	"  --help, --version\n"
	"\n"
	"Status: 0 ok; 2 wrong use, or logs of different accelerator classes; 3 a log is\n"
	"damaged (its valid runs are printed and marked); 4 something cannot be read or written.\n"
	"docs/report.md explains the tables, docs/serial-log.md the logs.\n";

/* Prints what is wrong with the command line. Returns false; the status will be 2. */
static bool fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool fail(const char *format, ...)
{
	va_list arguments;

	fputs("pvspin-report: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs(" (see --help)\n", stderr);
	return false;
}

static bool read_format(const char *name, struct options *options)
{
	for (int i = 0; i < FORMATS; i++) {
		if (strcmp(name, format_names[i]) == 0) {
			options->format = i;
			return true;
		}
	}
	return fail("--format=%s: accepted are text, markdown, csv, json, html", name);
}

/* A is the value that getopt found for the option, B is the next word. */
static bool read_compare(int count, char **word, struct options *options)
{
	options->compare[0] = optarg;
	options->compare[1] = optind < count ? word[optind++] : NULL;
	for (int i = 0; i < 2; i++) {
		if (!options->compare[i] || options->compare[i][0] == '-')
			return fail("--compare needs two logs or directories, A and B (one whose "
				    "name begins with -: ./-)");
	}
	return true;
}

enum {
	OPTION_PATH = 1,
	OPTION_FORMAT,
	OPTION_COMPARE,
	OPTION_PLOT,
	OPTION_PERFETTO,
	OPTION_OUTPUT,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option list[] = {
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"compare", required_argument, NULL, OPTION_COMPARE},
	{"plot", required_argument, NULL, OPTION_PLOT},
	{"perfetto", required_argument, NULL, OPTION_PERFETTO},
	{"output", required_argument, NULL, OPTION_OUTPUT},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

/* Takes the option that getopt found in the word `text`. */
static bool take_option(int found, const char *text, int count, char **word,
			struct options *options)
{
	if (optarg && optarg[0] == '\0' && found != OPTION_PATH)
		return fail("%.*s needs a value", (int)strcspn(text, "="), text);
	switch (found) {
	case OPTION_PATH:
		options->paths[options->path_count++] = optarg;
		return true;
	case OPTION_FORMAT:
		return read_format(optarg, options);
	case OPTION_COMPARE:
		return read_compare(count, word, options);
	case OPTION_PLOT:
		options->plot = optarg;
		return true;
	case OPTION_PERFETTO:
		options->perfetto = optarg;
		return true;
	case OPTION_OUTPUT:
		options->output = optarg;
		return true;
	case OPTION_HELP:
		return options->help = true;
	case OPTION_VERSION:
		return options->version = true;
	case ':':
		if (optopt == OPTION_COMPARE)
			return read_compare(count, word, options);
		return fail("%s needs a value", text);
	default:
		return fail("%s: no such option", text);
	}
}

/* Returns false, after a message on stderr, if the command line is wrong. */
static bool read_options(int count, char **word, struct options *options)
{
	opterr = 0;
	while (optind < count) {
		const char *text = word[optind];
		/* "-" makes getopt return operands as well, in their order */
		int found = getopt_long(count, word, "-:", list, NULL);

		if (found < 0)
			break;
		if (!take_option(found, text, count, word, options))
			return false;
	}
	while (optind < count) /* after "--" */
		options->paths[options->path_count++] = word[optind++];
	if (options->help || options->version)
		return true;
	if (options->compare[0] && options->path_count > 0)
		return fail("%s: --compare takes two logs or directories and no more; without it "
			    "all logs are one set",
			    options->paths[0]);
	if (!options->compare[0] && options->path_count == 0)
		return fail("which log? Give a serial log or an --out directory");
	if (options->compare[0] && (options->plot || options->perfetto))
		return fail("--plot and --perfetto are for one set, not for --compare");
	return true;
}

static int write_trace(const char *path, const struct set *set)
{
	FILE *out = fopen(path, "w");
	bool written;

	if (out == NULL)
		return file_error(path), STATUS_UNREADABLE;
	written = perfetto_write(out, set);
	if (fclose(out) != 0)
		written = file_error(path);
	return written ? STATUS_OK : STATUS_UNREADABLE;
}

/* Writes the files of --plot and --perfetto. */
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

static int print_tables(FILE *out, const struct options *options)
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

static int print_comparison(FILE *out, const struct options *options)
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

static int print_output(FILE *out, const struct options *options)
{
	if (options->path_count == 1 && study_exists(options->paths[0]))
		return study_write(out, options->paths[0], options->format);
	return options->compare[0] ? print_comparison(out, options) : print_tables(out, options);
}

static bool same_file(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return a && b && stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino;
}

/* True, after a message, if the output file is one of the logs to read: it would be destroyed. */
static bool is_input(const char *path, const struct options *options)
{
	bool input = same_file(path, options->compare[0]) || same_file(path, options->compare[1]);

	for (size_t i = 0; i < options->path_count; i++)
		input |= same_file(path, options->paths[i]);
	if (input)
		fprintf(stderr, "pvspin-report: %s is an input: it is not overwritten\n", path);
	return input;
}

/* Opens the file only when its whole content exists, so that a log that cannot be read does not
 * destroy the output of an earlier call. */
static int print_to_file(const char *path, const struct options *options)
{
	char *content = NULL;
	size_t bytes = 0;
	FILE *memory = memory_stream(&content, &bytes);
	int status;

	status = print_output(memory, options);
	fclose(memory);
	if (printable(status) && !file_write(path, content, bytes))
		status = STATUS_UNREADABLE;
	free(content);
	return status;
}

static int print_to(const char *path, const struct options *options)
{
	int status;

	if (is_input(path, options) || is_input(options->perfetto, options))
		return STATUS_USAGE;
	if (path)
		return print_to_file(path, options);
	status = print_output(stdout, options);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		file_error("standard output");
		status = STATUS_UNREADABLE;
	}
	return status;
}

int main(int count, char **word)
{
	struct options options = {.paths = memory_new((size_t)count, sizeof(char *))};
	int status = STATUS_OK;

	html_program = "pvspin-report " PVSPIN_VERSION;
	gsl_set_error_handler_off(); /* GSL returns NAN instead of aborting */
	if (!read_options(count, word, &options))
		status = STATUS_USAGE;
	else if (options.help)
		fputs(help, stdout);
	else if (options.version)
		printf("pvspin-report %s\n", PVSPIN_VERSION);
	else
		status = print_to(options.output, &options);
	free(options.paths);
	return status;
}
