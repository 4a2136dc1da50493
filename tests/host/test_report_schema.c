/* SPDX-License-Identifier: MIT */
/*
 * tools/report/read/schema.c against what it repeats: each of its types and fields is described in
 * docs/serial-log.md, and each field of a real guest's log is in it.
 */
#include "tests/host/test.h"

#include "bench/quoting.h"
#include "tests/host/report_logs.h"
#include "tools/report/base/data.h"
#include "tools/report/read/read.h"
#include "tools/report/tables/tables.h"
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

/* A type has a heading, "## boot: ...", or a paragraph of its own. */
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

static bool in_schema(enum record_type type, const char *name)
{
	const struct schema *schema = schema_of(type);

	for (size_t i = 0; i < schema->count; i++) {
		if (strcmp(schema->fields[i].name, name) == 0)
			return true;
	}
	return strcmp(name, "type") == 0 || strcmp(name, "seq") == 0;
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
		if (in_schema(record->type, name))
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

/* What the report says of a log's class of accelerator: its first limit. */
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
		cmocka_unit_test(the_schema_has_what_guests_write),
		cmocka_unit_test(each_accel_class_has_a_sentence),
	};

	return cmocka_run_group_tests_name("report_schema", tests, logs_begin, logs_end);
}
