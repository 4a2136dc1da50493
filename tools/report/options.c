/* SPDX-License-Identifier: MIT */
/* The command line: see options.h. Values as --name=value or --name value. */
#include "tools/report/options.h"

#include "tools/report/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const format_names[FORMATS] = {
	[FORMAT_TEXT] = "text", [FORMAT_MARKDOWN] = "markdown", [FORMAT_CSV] = "csv",
	[FORMAT_JSON] = "json", [FORMAT_HTML] = "html",
};

static const char help[] =
	"Usage: pvspin-report LOG... [options]\n"
	"       pvspin-report --compare A B [options]\n"
	"\n"
	"Tables of pvspin's serial logs. LOG is a log, an --out directory of run.sh (all logs of "
	"all\n"
	"its runs and instances) or a directory of an experiment. Runs with equal settings are\n"
	"repetitions of one thing, from however many logs.\n"
	"\n"
	"  --format=FORMAT  text, markdown, csv, json or html (text)\n"
	"  --compare A B    ratio of B to A for each lock, with confidence interval and p-value\n"
	"  --plot=DIR       plots into a directory\n"
	"  --perfetto=FILE  trace events for ui.perfetto.dev\n"
	"  --output=FILE    instead of the standard output\n"
	"  --help, --version\n"
	"\n"
	"Status: 0 ok; 2 wrong use, or figures that may not be put together; 3 a log is damaged "
	"(what\n"
	"it has is printed and marked); 4 something cannot be read or written.\n"
	"docs/report.md tells how to read the tables, docs/serial-log.md what is in a log.\n";

void options_help(void)
{
	fputs(help, stdout);
}

static bool fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool fail(const char *format, ...)
{
	va_list arguments;

	fputs("pvspin-report: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs(" (--help tells what there is)\n", stderr);
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

/* What is left of the command line. */
struct words {
	char **word;
	int count, at;
};

static const char *next_word(struct words *words)
{
	return words->at < words->count ? words->word[words->at++] : NULL;
}

/* Of --name=value or --name value; NULL: it is another option. *missing: it is this, without one.
 */
static const char *value_of(const char *word, const char *name, struct words *words, bool *missing)
{
	size_t length = strlen(name);
	const char *value;

	if (strncmp(word, name, length) != 0 || (word[length] != '=' && word[length] != '\0'))
		return NULL;
	value = word[length] == '=' ? word + length + 1 : next_word(words);
	*missing = value == NULL || *value == '\0';
	return value ? value : "";
}

static bool read_compare(struct words *words, struct options *options)
{
	for (int i = 0; i < 2; i++) {
		options->compare[i] = next_word(words);
		if (options->compare[i] == NULL || options->compare[i][0] == '-')
			return fail("--compare needs two logs or directories, A and B (one whose "
				    "name begins with -: ./-)");
	}
	return true;
}

static bool read_option(const char *word, struct words *words, struct options *options)
{
	const char *format = NULL;
	bool missing = false;
	const struct {
		const char *name, **value;
	} list[] = {
		{"--format", &format},
		{"--plot", &options->plot},
		{"--perfetto", &options->perfetto},
		{"--output", &options->output},
	};

	if (strcmp(word, "--compare") == 0)
		return read_compare(words, options);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const char *value = value_of(word, list[i].name, words, &missing);

		if (value == NULL)
			continue;
		if (missing)
			return fail("%s needs a value", list[i].name);
		*list[i].value = value;
		return format == NULL || read_format(format, options);
	}
	options->help |= strcmp(word, "--help") == 0;
	options->version |= strcmp(word, "--version") == 0;
	if (options->help || options->version)
		return true;
	return fail("%s: no such option", word);
}

bool options_read(int count, char **word, struct options *options)
{
	struct words words = {word, count, 1};
	bool only_paths = false;
	const char *next;

	*options = (struct options){.paths = memory_new((size_t)count, sizeof(char *))};
	while ((next = next_word(&words)) != NULL) {
		if (only_paths || next[0] != '-')
			options->paths[options->path_count++] = next;
		else if (strcmp(next, "--") == 0)
			only_paths = true;
		else if (!read_option(next, &words, options))
			return false;
	}
	if (options->help || options->version)
		return true;
	if (options->compare[0] && options->path_count > 0)
		return fail("%s: --compare takes two logs or directories and no more; without it "
			    "all logs are one set",
			    options->paths[0]);
	if (!options->compare[0] && options->path_count == 0)
		return fail("which log? Give a serial log or an --out directory");
	return true;
}

void options_free(struct options *options)
{
	free(options->paths);
}
