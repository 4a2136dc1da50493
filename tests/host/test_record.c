/* SPDX-License-Identifier: MIT */
/* Tests lib/record.c with a log_write() that keeps its input: exact lines, escapes, and records at
 * and beyond the maximal length. */
#include "tests/host/test.h"

#include "lib/log.h"
#include "lib/record.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char written[RECORD_BYTES + 1];
static size_t written_bytes;
static int writes;

void log_write(const char *bytes, size_t count)
{
	assert_true(count <= RECORD_BYTES);
	memcpy(written, bytes, count);
	written[count] = '\0';
	written_bytes = count;
	writes++;
}

/* The last write was exactly one line with the current sequence number. */
static void assert_line(const char *type, const char *rest)
{
	char line[512];

	snprintf(line, sizeof(line), "{\"type\":\"%s\",\"seq\":%llu%s}\n", type,
		 (unsigned long long)record_count(), rest);
	assert_string_equal(written, line);
}

static void fields_are_exact(void **state)
{
	uint64_t before = record_count();
	struct record record;

	(void)state;
	writes = 0;
	record_begin(&record, "run");
	record_number(&record, "max", UINT64_MAX);
	record_signed(&record, "low", INT64_MIN);
	record_bool(&record, "yes", true);
	record_bool(&record, "no", false);
	record_hex(&record, "rip", 0xffffffff80000000);
	record_string(&record, "lock", "mcs");
	record_string(&record, "none", NULL);
	assert_int_equal(writes, 0);
	assert_int_equal(record_count(), before);
	record_end(&record);
	assert_int_equal(writes, 1);
	assert_int_equal(record_count(), before + 1);
	assert_line("run", ",\"max\":18446744073709551615,\"low\":-9223372036854775808,"
			   "\"yes\":true,\"no\":false,\"rip\":\"0xffffffff80000000\","
			   "\"lock\":\"mcs\",\"none\":null");
}

static void commas_only_separate(void **state)
{
	struct record record;

	(void)state;
	record_begin(&record, "hist");
	record_open_array(&record, "empty");
	record_close_array(&record);
	record_open_array(&record, "buckets");
	for (uint64_t i = 0; i < 2; i++) {
		record_open_array(&record, NULL);
		record_number(&record, NULL, i);
		record_string(&record, NULL, "x");
		record_close_array(&record);
	}
	record_close_array(&record);
	record_open_object(&record, "events");
	record_number(&record, "a", 1);
	record_open_object(&record, "b");
	record_close_object(&record);
	record_close_object(&record);
	record_number(&record, "last", 2);
	record_end(&record);
	assert_line("hist", ",\"empty\":[],\"buckets\":[[0,\"x\"],[1,\"x\"]],"
			    "\"events\":{\"a\":1,\"b\":{}},\"last\":2");
}

static void every_byte_is_escaped_to_ascii_json(void **state)
{
	char bytes[256];
	struct record record;

	(void)state;
	record_begin(&record, "boot");
	record_string(&record, "s", "\"\\/\b\t\n\x1f\x20\x7e\x7f\x80\xff");
	record_end(&record);
	assert_line("boot",
		    ",\"s\":\"\\\"\\\\/\\u0008\\u0009\\u000a\\u001f ~\\u007f\\u0080\\u00ff\"");
	for (int i = 0; i < 255; i++)
		bytes[i] = (char)(i + 1);
	bytes[255] = '\0';
	record_begin(&record, "boot");
	record_string(&record, "s", bytes);
	record_end(&record);
	for (size_t i = 0; i + 1 < written_bytes; i++)
		assert_true(written[i] >= 0x20 && written[i] < 0x7f);
}

/* Writes a record whose line has exactly `bytes` bytes, if that fits. */
static void write_line_of(size_t bytes)
{
	struct record record;
	size_t other;
	char *text;

	record_begin(&record, "long");
	other = record.length + strlen(",\"t\":\"\"}\n");
	text = malloc(bytes - other + 1);
	memset(text, 'x', bytes - other);
	text[bytes - other] = '\0';
	record_string(&record, "t", text);
	record_end(&record);
	free(text);
}

static void a_record_that_is_too_long_becomes_an_error(void **state)
{
	const char *error = ",\"record\":\"long\",\"reason\":\"record-too-long\","
			    "\"limit_bytes\":65536";
	struct record record;

	(void)state;
	for (size_t bytes = RECORD_BYTES - 3; bytes <= RECORD_BYTES; bytes++) {
		write_line_of(bytes);
		assert_int_equal(written_bytes, bytes);
		assert_memory_equal(written + bytes - 4, "x\"}\n", 4);
	}
	for (size_t bytes = RECORD_BYTES + 1; bytes < RECORD_BYTES + 5; bytes++) {
		write_line_of(bytes);
		assert_line("error", error);
	}
	/* later fields that would fit again do not hide that one did not fit */
	record_begin(&record, "long");
	for (int i = 0; i < 10000; i++)
		record_number(&record, "n", i % 2 ? UINT64_MAX : 1);
	record_end(&record);
	assert_line("error", error);
}

static void a_second_record_replaces_an_unfinished_one(void **state)
{
	uint64_t before = record_count();
	struct record run, panic;

	(void)state;
	record_begin(&run, "run");
	record_number(&run, "half", 1);
	record_begin(&panic, "panic");
	record_end(&panic);
	assert_int_equal(record_count(), before + 1);
	assert_line("panic", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_exact),
		cmocka_unit_test(commas_only_separate),
		cmocka_unit_test(every_byte_is_escaped_to_ascii_json),
		cmocka_unit_test(a_record_that_is_too_long_becomes_an_error),
		cmocka_unit_test(a_second_record_replaces_an_unfinished_one),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
