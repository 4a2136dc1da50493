/* SPDX-License-Identifier: MIT */
/* Tests tools/report/read/log.c and the schema: whole logs are read, and notes name each defect of
 * any other log with its line. */
#include "tests/host/test.h"

#include "tests/host/report_logs.h"
#include "tools/report/base/data.h"
#include "tools/report/read/read.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const unsigned two[] = {30, 10};

static struct log serial;
static struct notes notes;

static void read_again(const char *path)
{
	uint64_t memory = SET_MEMORY_BYTES;

	log_free(&serial);
	notes_free(&notes);
	assert_true(log_read(path, &serial, &notes, &memory));
}

static int forget(void **state)
{
	(void)state;
	log_free(&serial);
	notes_free(&notes);
	return 0;
}

static void a_whole_log_is_complete(void **state)
{
	struct made made = log_begin("whole.log", "kvm");

	(void)state;
	log_line(&made, "text for people\r\nTAP version 14\r\nok 1 - x\r\n");
	log_run(&made, 1, "tas", 1, 2, two, "");
	log_end(&made);
	read_again(made.path);
	assert_true(serial.complete && serial.usable);
	assert_int_equal(notes.count, 0);
	assert_int_equal(serial.count, 5);
	assert_ptr_equal(serial.boot, &serial.records[0]);
	assert_ptr_equal(serial.end, &serial.records[4]);
	assert_int_equal(serial.records[1].type, RECORD_RUN);
	assert_int_equal(serial.records[1].line, 5);
	assert_int_equal(record_u64(&serial.records[1], "ops"), 40);
}

/* Puts each line between boot and end. A note has to name it with its number, and another note its
 * missing seq. */
static void broken_lines_are_named(void **state)
{
	static const struct {
		const char *line, *says;
	} lines[] = {
		{"{\"type\":\"run\",\"seq\":2,\"run\":1", "broken record"},
		{"{\"type\":\"x\",\"seq\":2}{\"type\":\"y\",\"seq\":3}", "broken record"},
		{"{\"type\":\"x\",\"seq\":2,\"a\":1,\"a\":2}", "broken record"},
		{"{\"type\":\"x\",\"seq\":2,\"a\":\"\xff\"}", "broken record"},
		{"{\"type\":\"x\",\"seq\":2,\"a\":99999999999999999999}", "broken record"},
		{"{\"type\":\"x\"}", "without seq"},
		{"{\"seq\":2}", "without type"},
		{"{\"type\":\"x\",\"seq\":-2}", "seq -2, not an integer from 1"},
		{"{\"type\":\"x\",\"seq\":\"2\"}", "seq \"2\", not an integer"},
		{"{\"type\":\"x\",\"seq\":2.0}", "seq 2, not an integer"},
		{"{\"type\":\"ready\",\"seq\":2,\"run\":1}", "ready record without runs"},
		{"{\"type\":\"ready\",\"seq\":2,\"run\":1,\"runs\":1,\"last\":0}",
		 "last 0, not true or false"},
		{"{\"type\":\"ready\",\"seq\":2,\"run\":1,\"runs\":1,\"lock\":\"a b\"}",
		 "lock a string, not a name"},
		{"{\"type\":\"event\",\"seq\":2,\"run\":1,\"cpu\":4096,\"tsc\":1,\"what\":\"x\"}",
		 "cpu 4096, not an integer from 0 to 4095"},
		{"kernel: {\"type\":\"x\",\"seq\":2}", "begins inside the line"},
		{"12.5 {\"type\":\"x\",\"seq\":2}", "begins inside the line"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct made made = log_begin("line.log", "kvm");

		log_line(&made, "%s\n", lines[i].line);
		made.seq++;
		log_end(&made);
		read_again(made.path);
		if (!has_note(&notes, lines[i].says) || !has_note(&notes, "line.log:2: "))
			fail_msg("%s: said instead: %s", lines[i].line,
				 notes.count ? notes.list[0].text : "nothing");
		assert_true(has_note(&notes, "seq 2 is missing"));
		assert_false(serial.complete);
		assert_true(serial.usable);
	}
}

static void unknown_types_and_fields_are_fine(void **state)
{
	struct made made = log_begin("newer.log", "kvm");

	(void)state;
	log_record(&made, "telepathy", "\"of\":[1,2.5,null]");
	log_run(&made, 1, "tas", 1, 2, two, ",\"mood\":\"good\"");
	log_end(&made);
	read_again(made.path);
	assert_true(serial.complete);
	assert_int_equal(serial.records[1].type, RECORD_OTHER);
}

/* Stamps as picocom, tio or `ts` write them. */
static void stamps_of_serial_programs_are_removed(void **state)
{
	static const char *const stamps[] = {"[12:00:00.000] ", "Nov 29 12:00:00 ",
					     "[    0.001234] ", "2026-11-29T12:00:00Z: "};

	(void)state;
	for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
		struct made plain = log_begin("plain.log", "kvm"), made = log_empty("stamped.log");
		char line[4096];
		FILE *file;

		log_end(&plain);
		log_line(&made, "%stext for people\n", stamps[i]);
		file = fopen(plain.path, "r");
		while (fgets(line, sizeof(line), file))
			log_line(&made, "%s%s", stamps[i], line);
		fclose(file);
		read_again(made.path);
		assert_true(serial.complete && serial.usable);
		assert_int_equal(serial.count, 2);
		assert_int_equal(notes.count, 1);
		assert_true(has_note(&notes, "time stamps"));
	}
}

/* Outside of runs and lock tests a hang record has no lock. */
static void a_hang_without_a_lock_is_noted(void **state)
{
	struct made made = log_begin("hang.log", "kvm");

	(void)state;
	log_record(&made, "hang", "\"what\":\"between two runs or tests\",\"bound_ms\":120000");
	log_record(&made, "hang_cpu", "\"cpu\":0,\"halted\":false,\"answered\":true");
	log_end(&made);
	read_again(made.path);
	assert_true(serial.complete);
	assert_true(has_note(&notes, "the guest hung: between two runs or tests"));
}

static void another_schema_is_rejected(void **state)
{
	struct made made = log_empty("schema.log");
	struct made good = log_begin("good.log", "kvm");
	char line[2048], *at;
	FILE *file = fopen(good.path, "r");

	(void)state;
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	at = strstr(line, "\"schema\":1");
	assert_non_null(at);
	at[strlen("\"schema\":")] = '2';
	log_line(&made, "%s", line);
	made.seq = 1;
	log_end(&made);
	read_again(made.path);
	assert_false(serial.usable || serial.complete);
	assert_true(has_note(&notes, "schema 2"));
}

static void gaps_doubles_and_order_are_named(void **state)
{
	struct made made = log_begin("order.log", "kvm");

	(void)state;
	made.seq = 3; /* 2 and 3 are lost */
	log_record(&made, "x", "\"a\":1");
	log_record(&made, "x", "\"a\":2");
	made.seq = 4;
	log_record(&made, "x", "\"a\":3"); /* 5 again */
	made.seq = 7;
	log_record(&made, "x", "\"a\":4");
	made.seq = 6;
	log_record(&made, "x", "\"a\":5"); /* 7 after 8 */
	made.seq = 8;
	log_end(&made);
	read_again(made.path);
	assert_true(has_note(&notes, "order.log:2: seq 2 to 3 are missing"));
	assert_true(has_note(&notes, "order.log:4: seq 5 comes twice"));
	assert_true(has_note(&notes, "order.log:6: seq 7 comes after 8"));
	assert_true(has_note(&notes, "seq 6 is missing"));
	assert_true(has_note(&notes, "counts 9 records, here are 6"));
	assert_int_equal(serial.count, 6);
	assert_false(serial.complete);
}

static void boot_and_end_records_are_required(void **state)
{
	struct made cut = log_begin("cut.log", "kvm"), headless = log_empty("headless.log");
	struct made both = log_begin("both.log", "kvm"), empty = log_empty("empty.log");

	(void)state;
	read_again(cut.path);
	assert_true(serial.usable && !serial.complete && has_note(&notes, "no end record"));
	log_end(&headless);
	read_again(headless.path);
	assert_true(!serial.usable && has_note(&notes, "no boot record"));
	log_end(&both);
	log_record(&both, "x", "\"a\":1");
	read_again(both.path);
	assert_true(!serial.complete && has_note(&notes, "come after the end record"));
	read_again(empty.path);
	assert_true(!serial.complete && has_note(&notes, "is empty"));
}

static void two_logs_in_one_file_are_noticed(void **state)
{
	struct made made = log_begin("two.log", "kvm");

	(void)state;
	log_end(&made);
	made.seq = 0;
	log_record(&made, "x", "\"a\":1");
	read_again(made.path);
	assert_true(has_note(&notes, "two.log:3: seq 1 comes twice"));
	assert_false(serial.complete);
}

static void write_times(struct made *made, const char *text, size_t times)
{
	FILE *file = fopen(made->path, "a");

	assert_non_null(file);
	for (size_t i = 0; i < times; i++)
		assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Text and a record of 4 MiB are skipped up to their newlines; the next record is read. */
static void long_lines_are_skipped(void **state)
{
	struct made made = log_begin("long.log", "kvm");

	(void)state;
	write_times(&made, "text ", 1 << 20);
	log_line(&made, "\n{\"type\":\"x\",\"seq\":2,\"a\":\"");
	write_times(&made, "aaaaaaaa", 1 << 19);
	log_line(&made, "\"}\n");
	made.seq = 2;
	log_end(&made);
	read_again(made.path);
	assert_true(has_note(&notes, "long.log:3: a record longer than 256 KiB"));
	assert_non_null(serial.end);
	assert_int_equal(serial.end->line, 4);
}

static void deep_nesting_and_zero_bytes_do_no_harm(void **state)
{
	struct made made = log_begin("deep.log", "kvm");
	FILE *file;

	(void)state;
	log_line(&made, "{\"type\":\"x\",\"seq\":2,\"a\":");
	write_times(&made, "[", 100000);
	log_line(&made, "\n");
	file = fopen(made.path, "a");
	assert_int_equal(fwrite("{\"type\":\"x\0\",\"seq\":3}\n\0\0\n", 1, 26, file), 26);
	fclose(file);
	read_again(made.path);
	assert_true(has_note(&notes, "deep.log:2: a broken record"));
	assert_true(has_note(&notes, "deep.log:3: a broken record"));
}

static void notes_are_bounded_and_counted(void **state)
{
	struct made made = log_begin("noisy.log", "kvm");

	(void)state;
	write_times(&made, "{\n", 5000);
	read_again(made.path);
	assert_true(notes.count <= NOTES_PER_LOG + 1);
	/* 5000 lines and two missing records, less the notes that are kept */
	assert_true(has_note(&notes, "and 4981 more like these"));
	assert_true(any_damage(&notes));
}

static void memory_is_bounded(void **state)
{
	struct made made = log_begin("big.log", "kvm");
	uint64_t memory = 100000; /* a boot record and some more */

	(void)state;
	for (int i = 0; i < 1000; i++)
		log_record(&made, "x", "\"a\":[1,2,3]");
	log_free(&serial);
	assert_true(log_read(made.path, &serial, &notes, &memory));
	assert_true(has_note(&notes, "no room for its records"));
	assert_true(serial.count > 1 && serial.count < 200);
	assert_false(serial.complete);
}

static void a_pipe_nobody_writes_to_does_not_hang(void **state)
{
	const char *path = logs_path("pipe.log");

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	lines_pipe_ms = 50;
	read_again(path);
	assert_true(has_note(&notes, "nothing came for a long time"));
	assert_false(serial.complete);
}

static void histograms_have_to_add_up(void **state)
{
	static const struct {
		const char *count_min_max, *buckets;
		bool valid;
	} hists[] = {
		{"\"count\":3,\"min\":1,\"max\":9", "[[1,1,1],[8,9,2]]", true},
		{"\"count\":0,\"min\":0,\"max\":0", "[]", true},
		{"\"count\":4,\"min\":1,\"max\":9", "[[1,1,1],[8,9,2]]", false},
		{"\"count\":2,\"min\":1,\"max\":9", "[[1,1,1],[8,9,2]]", false},
		{"\"count\":3,\"min\":2,\"max\":9", "[[1,1,1],[8,9,2]]", false},
		{"\"count\":3,\"min\":1,\"max\":10", "[[1,1,1],[8,9,2]]", false},
		{"\"count\":3,\"min\":8,\"max\":1", "[[8,9,2],[1,1,1]]", false},
		{"\"count\":3,\"min\":1,\"max\":9", "[[1,8,1],[8,9,2]]", false},
		{"\"count\":1,\"min\":1,\"max\":1", "[[1,1]]", false},
		{"\"count\":1,\"min\":1,\"max\":1", "[[1,1,1.5]]", false},
		{"\"count\":1,\"min\":1,\"max\":1", "[7]", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hists) / sizeof(hists[0]); i++) {
		struct made made = log_begin("hist.log", "kvm");

		log_record(&made, "hist",
			   "\"run\":1,\"lock\":\"tas\",\"workload\":\"contended\",\"threads\":1,"
			   "\"rep\":1,\"cpu\":\"all\",\"what\":\"wait\",\"unit\":\"cycles\",%s,"
			   "\"buckets\":%s",
			   hists[i].count_min_max, hists[i].buckets);
		log_end(&made);
		read_again(made.path);
		if (serial.complete != hists[i].valid)
			fail_msg("%s %s", hists[i].count_min_max, hists[i].buckets);
	}
}

static void the_schema_has_no_double_fields(void **state)
{
	(void)state;
	for (int type = 0; type < RECORD_OTHER; type++) {
		const struct schema *schema = schema_of(type);

		assert_non_null(schema->type);
		for (size_t i = 0; i < schema->count; i++) {
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(schema->fields[i].name,
							schema->fields[j].name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_whole_log_is_complete, forget),
		cmocka_unit_test_teardown(broken_lines_are_named, forget),
		cmocka_unit_test_teardown(unknown_types_and_fields_are_fine, forget),
		cmocka_unit_test_teardown(stamps_of_serial_programs_are_removed, forget),
		cmocka_unit_test_teardown(a_hang_without_a_lock_is_noted, forget),
		cmocka_unit_test_teardown(another_schema_is_rejected, forget),
		cmocka_unit_test_teardown(gaps_doubles_and_order_are_named, forget),
		cmocka_unit_test_teardown(boot_and_end_records_are_required, forget),
		cmocka_unit_test_teardown(two_logs_in_one_file_are_noticed, forget),
		cmocka_unit_test_teardown(long_lines_are_skipped, forget),
		cmocka_unit_test_teardown(deep_nesting_and_zero_bytes_do_no_harm, forget),
		cmocka_unit_test_teardown(notes_are_bounded_and_counted, forget),
		cmocka_unit_test_teardown(memory_is_bounded, forget),
		cmocka_unit_test_teardown(a_pipe_nobody_writes_to_does_not_hang, forget),
		cmocka_unit_test_teardown(histograms_have_to_add_up, forget),
		cmocka_unit_test(the_schema_has_no_double_fields),
	};

	return cmocka_run_group_tests_name("report_log", tests, logs_begin, logs_end);
}
