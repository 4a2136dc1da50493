/* SPDX-License-Identifier: MIT */
/*
 * Compares tools/report/read/schema.c, the one list of records and their fields, with the sources
 * of the guests, with docs/serial-log.md and its tables, and with the logs of a real guest.
 */
#include "tests/host/test.h"

#include "bench/quoting.h"
#include "locks/core/stats.h"
#include "tests/host/report_logs.h"
#include "tools/report/base/data.h"
#include "tools/report/read/read.h"
#include "tools/report/tables/tables.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE "docs/serial-log.md"

static char *load(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(file);
	assert_non_null(text);
	assert_in_range(fread(text, 1, (1 << 20) - 1, file), 1, (1 << 20) - 2);
	fclose(file);
	return text;
}

static bool described(const char *page, const char *name)
{
	char quoted[80];

	snprintf(quoted, sizeof(quoted), "`%s`", name);
	return strstr(page, quoted) != NULL;
}

/* A type has a heading, "## boot: ...", or is in a paragraph. */
static bool type_described(const char *page, const char *type)
{
	char heading[80];

	snprintf(heading, sizeof(heading), "\n## %s:", type);
	return described(page, type) || strstr(page, heading);
}

static void the_page_describes_the_schema(void **state)
{
	char *page = load(PAGE);
	size_t missing = 0;

	(void)state;
	for (int type = 0; type < RECORD_OTHER; type++) {
		const struct schema *schema = schema_of(type);

		if (!type_described(page, schema->type)) {
			print_error("not in " PAGE ": record %s\n", schema->type);
			missing++;
		}
		for (size_t i = 0; i < schema->count; i++) {
			const char *name = schema->fields[i].name;

			if (described(page, name))
				continue;
			print_error("not in " PAGE ": %s.%s\n", schema->type, name);
			missing++;
		}
	}
	free(page);
	assert_int_equal(missing, 0);
}

static bool schema_has(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (strcmp(schema->fields[i].name, name) == 0)
			return true;
	}
	return strcmp(name, "type") == 0 || strcmp(name, "seq") == 0;
}

/* Checks the names in the first column of the page's tables. */
static void the_tables_of_the_page_have_only_the_schema(void **state)
{
	static const enum record_type types[] = {RECORD_BOOT, RECORD_RUN};
	char *page = load(PAGE), *line, *rest = page;
	const struct schema *schema = NULL;
	size_t wrong = 0, rows = 0;

	(void)state;
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *cell = strncmp(line, "| `", 3) == 0 ? strtok(line + 2, "|") : NULL, *name;

		for (size_t i = 0; i < COUNT_OF(types) && strncmp(line, "## ", 3) == 0; i++) {
			const struct schema *one = schema_of(types[i]);
			size_t length = strlen(one->type);
			bool here = strncmp(line + 3, one->type, length) == 0 &&
				    line[3 + length] == ':';

			schema = here ? one : i == 0 ? NULL : schema;
		}
		if (!schema || !cell)
			continue;
		strsep(&cell, "`");
		for (rows++; cell && (name = strsep(&cell, "`")) != NULL; strsep(&cell, "`")) {
			if (schema_has(schema, name))
				continue;
			print_error("in the table of " PAGE " only: %s.%s\n", schema->type, name);
			wrong++;
		}
	}
	free(page);
	assert_true(rows > 40);
	assert_int_equal(wrong, 0);
}

/* Finds the sources of the guests, from the top of the tree. */
static void find_sources(glob_t *sources)
{
	static const char *const patterns[] = {
		"bench/*.c",   "bench/*/*.c", "guest/*.c",  "hosted/*.c", "kernel/*.c",
		"bench/*.def", "lib/*.c",     "linux/*.c",  "sim/*.c",    "locks/core/*.c",
		"port/*.c",    "port/*/*.c",  "port/*/*.h", "sim/*/*.c",  "tests/suites/*.c"};

	memset(sources, 0, sizeof(*sources));
	for (size_t i = 0; i < COUNT_OF(patterns); i++)
		glob(patterns[i], i > 0 ? GLOB_APPEND : 0, NULL, sources);
	assert_true(sources->gl_pathc > 50);
}

/* At a call of lib/record.h, copies the name that it writes, if that is a literal. */
static bool field_written(const char *call, char name[40])
{
	static const char *const calls[] = {"begin",  "number", "signed",     "bool",
					    "string", "hex",    "open_array", "open_object"};
	char function[40];
	int length = 0;

	if (sscanf(call, "record_%39[a-z_](%n", function, &length) != 1 || length == 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		if (strcmp(calls[i], function) == 0)
			return sscanf(call + length, "%*[^,\"], \"%39[a-z0-9_]\"", name) == 1;
	}
	return false;
}

/* True if the record that the function begins has this field, or any record if that is unknown. */
static bool is_listed(const struct schema *schema, const char *name)
{
	bool found = schema && schema_has(schema, name);

	for (int type = 0; !schema && type < RECORD_OTHER; type++)
		found |= schema_has(schema_of(type), name);
	return found;
}

static const struct schema *schema_named(const char *type)
{
	for (int i = 0; i < RECORD_OTHER; i++) {
		if (strcmp(schema_of(i)->type, type) == 0)
			return schema_of(i);
	}
	return NULL;
}

/* Returns the number of calls of lib/record.h with a name that is not in the list. */
static size_t count_unlisted(const char *path, const char *text, size_t *calls)
{
	const struct schema *schema = NULL;
	size_t wrong = 0;

	for (const char *at = text; *at != '\0'; at++) {
		char name[40];

		if (strncmp(at, "\n}\n", 3) == 0)
			schema = NULL;
		if (!field_written(at, name))
			continue;
		++*calls;
		if (strncmp(at, "record_begin(", 13) == 0)
			schema = schema_named(name);
		else if (is_listed(schema, name))
			continue;
		if (schema_named(name))
			continue;
		print_error("%s writes what is not in schema.c: %s\n", path, name);
		wrong++;
	}
	return wrong;
}

static void guests_write_only_the_schema(void **state)
{
	size_t wrong = 0, calls = 0;
	glob_t sources;

	(void)state;
	find_sources(&sources);
	for (size_t i = 0; i < sources.gl_pathc; i++) {
		char *text = load(sources.gl_pathv[i]);

		wrong += count_unlisted(sources.gl_pathv[i], text, &calls);
		free(text);
	}
	globfree(&sources);
	for (int event = 0; event <= EV_KICK_CYCLES; event++) {
		if (schema_has(schema_of(RECORD_RUN), lock_event_names[event]))
			continue;
		print_error("a counter that is not in schema.c: %s\n", lock_event_names[event]);
		wrong++;
	}
	assert_true(calls > 150);
	assert_int_equal(wrong, 0);
}

/* Returns all sources in one string. The caller frees it. */
static char *all_sources(void)
{
	size_t bytes = 0;
	char *all = NULL;
	FILE *memory = open_memstream(&all, &bytes);
	glob_t sources;

	assert_non_null(memory);
	find_sources(&sources);
	for (size_t i = 0; i < sources.gl_pathc; i++) {
		char *text = load(sources.gl_pathv[i]);

		fputs(text, memory);
		free(text);
	}
	globfree(&sources);
	fclose(memory);
	return all;
}

static bool written_somewhere(const char *sources, const char *name)
{
	char literal[80], listed[80];

	snprintf(literal, sizeof(literal), "\"%s\"", name);
	snprintf(listed, sizeof(listed), "(%s,", name); /* plan_keys.def */
	return strstr(sources, literal) != NULL || strstr(sources, listed) != NULL;
}

static void the_schema_has_only_what_guests_write(void **state)
{
	char *sources = all_sources();
	size_t stale = 0;

	(void)state;
	for (int type = 0; type < RECORD_OTHER; type++) {
		const struct schema *schema = schema_of(type);

		for (size_t i = 0; i < schema->count; i++) {
			if (written_somewhere(sources, schema->fields[i].name))
				continue;
			print_error("nobody writes %s.%s\n", schema->type, schema->fields[i].name);
			stale++;
		}
	}
	free(sources);
	assert_int_equal(stale, 0);
}

static size_t unknown_fields(const struct record *record)
{
	size_t unknown = 0;
	const char *name;
	json_t *value;

	if (record->type == RECORD_OTHER)
		return 1;
	json_object_foreach(record->json, name, value)
	{
		if (schema_has(schema_of(record->type), name))
			continue;
		print_error("not in schema.c: %s.%s\n", schema_of(record->type)->type, name);
		unknown++;
	}
	return unknown;
}

static void the_schema_has_what_guests_write(void **state)
{
	static const char *const paths[] = {"tests/report/nested/serial-0.log",
					    "tests/report/nested/serial-1.log"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		uint64_t memory = SET_MEMORY_BYTES;
		struct notes notes = {0};
		struct log serial;
		size_t unknown = 0;

		assert_true(log_read(paths[i], &serial, &notes, &memory));
		assert_true(serial.complete);
		assert_true(serial.count > 30);
		for (size_t record = 0; record < serial.count; record++)
			unknown += unknown_fields(&serial.records[record]);
		assert_int_equal(unknown, 0);
		log_free(&serial);
		notes_free(&notes);
	}
}

/* The first limit of a log's figures is the sentence about its accelerator class. */
static void expect_sentence(const char *accel, const char *sentence)
{
	const char *path = logs_path("accel.log");
	struct made log = log_begin("accel.log", accel);
	struct notes limits = {0};
	struct set set;
	char wanted[512];

	log_run(&log, 1, "tas", 1, 1, &(const unsigned){1}, "");
	log_end(&log);
	assert_true(set_read(&path, 1, &set));
	limits_of(&set, &limits);
	assert_int_not_equal(limits.count, 0);
	snprintf(wanted, sizeof(wanted), "accel %s: %s", accel, sentence);
	assert_string_equal(limits.list[0].text, wanted);
	notes_free(&limits);
	set_free(&set);
}

static void each_accel_class_has_a_sentence(void **state)
{
	const char *unknown = accel_sentence("unknown");
	char *page = load(PAGE);

	(void)state;
	assert_true(strlen(unknown) > 0);
	for (int class = 0; class < ACCEL_COUNT; class ++) {
		const char *name = accel_names[class], *sentence;

		assert_non_null(name);
		sentence = accel_sentence(name);
		assert_non_null(sentence);
		if (class != ACCEL_UNKNOWN)
			assert_string_not_equal(sentence, unknown);
		assert_true(described(page, name));
		expect_sentence(name, sentence);
	}
	expect_sentence("of-tomorrow", unknown);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_describes_the_schema),
		cmocka_unit_test(the_tables_of_the_page_have_only_the_schema),
		cmocka_unit_test(guests_write_only_the_schema),
		cmocka_unit_test(the_schema_has_only_what_guests_write),
		cmocka_unit_test(the_schema_has_what_guests_write),
		cmocka_unit_test(each_accel_class_has_a_sentence),
	};

	return cmocka_run_group_tests_name("report_schema", tests, logs_begin, logs_end);
}
