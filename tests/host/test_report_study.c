/* SPDX-License-Identifier: MIT */
/* Tests tools/report/study/read.c, which reads experiment.json and logs into samples. */
#include "tests/host/study_files.h"
#include "tests/host/test.h"
#include "tools/report/base/data.h"
#include <string.h>

static void two_vms_count_as_their_mean(void **state)
{
	const double first[] = {2, 4}, second[] = {4, 8};

	(void)state;
	write_experiment("nested", "one", "", "two", "vm", "slower");
	write_logs("one", "serial-0.log", first, 2);
	write_logs("one", "serial-1.log", second, 2);
	judged();
	assert_int_equal(study.cells[0].time.count, 2);
	NEAR(study.cells[0].time.value[0], 3);
	NEAR(study.cells[0].time.value[1], 6);
	NEAR(study.cells[1].study_mean, 250);
}

/* If a VM died, the other one ran alone afterwards, so the repetition does not count. */
static void a_repetition_with_a_dead_vm_does_not_count(void **state)
{
	const double first[] = {2, 4}, second[] = {4, 8};
	FILE *out;

	(void)state;
	write_experiment("nested", "one", "", "two", "vm", "slower");
	write_logs("one", "serial-0.log", first, 2);
	write_logs("one", "serial-1.log", second, 2);
	out = create("one/rep-2/serial-1.log");
	boot(out);
	run_record(out, 2, "mcs", 8, ""); /* and no end */
	fclose(out);
	judged();
	assert_int_equal(study.cells[0].time.count, 1);
	assert_true(notes.count > 0);
	assert_non_null(strstr(notes.list[notes.count - 1].text, "rep-2/serial-1.log"));
}

static void runs_of_another_lock_and_broken_ones_do_not_count(void **state)
{
	FILE *out;

	(void)state;
	write_experiment("nested", "one", "tas", "two", "vm", "slower");
	out = create("one/rep-1/serial-0.log");
	boot(out);
	run_record(out, 2, "mcs", 7, "");
	run_record(out, 3, "tas", 5, "");
	end(out, 4);
	fclose(out);
	out = create("one/rep-2/serial-0.log");
	boot(out);
	run_record(out, 2, "tas", 5, ",\"complete\":false");
	end(out, 3);
	fclose(out);
	out = create("one/rep-3/serial-0.log");
	boot(out);
	run_record(out, 2, "tas", 5, ",\"exclusion\":\"broken\"");
	end(out, 3);
	fclose(out);
	judged();
	assert_int_equal(study.cells[0].time.count, 2);
	NEAR(study.cells[0].time.value[0], 5);
	assert_false(study.cells[0].cut[0]);
	assert_true(study.cells[0].cut[1]); /* not complete: 5 s is a lower bound */
}

/* Writes an overlap record. `times`: own start and end, the peer's start and end. */
static void overlap_record(FILE *out, unsigned seq, const char *lock, const unsigned times[4])
{
	fprintf(out,
		"{\"type\":\"overlap\",\"seq\":%u,\"run\":1,\"lock\":\"%s\",\"peer\":1,"
		"\"start_ns\":%u,\"end_ns\":%u,\"peer_start_ns\":%u,\"peer_end_ns\":%u}\n",
		seq, lock, times[0], times[1], times[2], times[3]);
}

/* The overlap comes from the overlap records of the cell's lock; without any it is unknown. */
static void reads_the_overlap(void **state)
{
	const double one[] = {1};
	FILE *out;

	(void)state;
	write_experiment("nested", "one", "mcs", "two", "vm", "slower");
	write_logs("two", "serial-0.log", one, 1);
	out = create("one/rep-1/serial-0.log");
	boot(out);
	run_record(out, 2, "mcs", 1, "");
	overlap_record(out, 3, "mcs", (const unsigned[4]){100, 140, 110, 200}); /* 30 of 40 */
	overlap_record(out, 4, "mcs", (const unsigned[4]){100, 140, 140, 180}); /* 0 of 40 */
	overlap_record(out, 5, "tas", (const unsigned[4]){100, 140, 100, 140});
	end(out, 6);
	fclose(out);
	judged();
	NEAR(study.cells[0].overlap[0], 30.0 / 80);
	assert_true(isnan(study.cells[1].overlap[0]));
}

static void bad_experiments_are_rejected(void **state)
{
	static const char *const texts[] = {"", "[]", "{\"schema\":2}",
					    "{\"schema\":1,\"findings\":[{}]}"};

	(void)state;
	assert_false(study_exists(study_directory));
	for (size_t i = 0; i < COUNT(texts); i++) {
		FILE *out = create("experiment.json");

		fputs(texts[i], out);
		fclose(out);
		assert_false(study_read(study_directory, &study, &notes));
		study_free(&study);
	}
	memset(&study, 0, sizeof(study));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, study_setup, study_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(two_vms_count_as_their_mean),
		CASE(a_repetition_with_a_dead_vm_does_not_count),
		CASE(runs_of_another_lock_and_broken_ones_do_not_count),
		CASE(reads_the_overlap),
		CASE(bad_experiments_are_rejected),
	};

	return cmocka_run_group_tests_name("study", tests, study_make_directory,
					   study_remove_directory);
}
