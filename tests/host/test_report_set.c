/* SPDX-License-Identifier: MIT */
/* Tests tools/report from directories to cells, and from two sets to a comparison: which runs share
 * a cell, which do not, and what is rejected. */
#include "tests/host/test.h"

#include "tests/host/report_logs.h"
#include "tools/report/base/data.h"
#include "tools/report/cells/cells.h"
#include "tools/report/cells/stats.h"
#include "tools/report/tables/tables.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define near(value, wanted) \
	assert_true(fabs((value) - (double)(wanted)) <= 1e-9 * fabs((double)(wanted)))

static const unsigned few[] = {30, 10}, many[] = {60, 40};

static struct set set;

static int forget(void **state)
{
	(void)state;
	set_free(&set);
	return 0;
}

static bool read_paths(const char *first, const char *second)
{
	const char *paths[] = {first, second};

	return set_read(paths, second ? 2 : 1, &set);
}

/* Reads without printing the messages that these tests provoke. */
static bool silent_read(const char *first, const char *second)
{
	FILE *old = stderr;
	bool read;

	stderr = fopen("/dev/null", "w");
	read = read_paths(first, second);
	fclose(stderr);
	stderr = old;
	return read;
}

static void whole_log(const char *name, const char *accel, const char *lock, const unsigned *ops,
		      const char *extra)
{
	struct made log = log_begin(name, accel);

	log_run(&log, 1, lock, 1, 2, ops, extra);
	log_end(&log);
}

static void runs_of_files_and_reps_are_one_cell(void **state)
{
	struct made log = log_begin("out/run-1/serial-0.log", "kvm");
	const struct cell *cell;

	(void)state;
	log_run(&log, 1, "tas", 1, 2, few, "");
	log_run(&log, 2, "mcs", 1, 2, few, "");
	log_run(&log, 3, "tas", 2, 2, many, ",\"streak_max\":7");
	log_end(&log);
	whole_log("out/run-10/serial-0.log", "kvm", "tas", many, ",\"streak_max\":3");
	whole_log("out/run-2/serial-0.log", "kvm", "tas", few, "");
	assert_true(read_paths(logs_path("out"), NULL));
	assert_int_equal(set.status, STATUS_OK);
	assert_int_equal(set.cell_count, 2);
	cell = &set.cells[0];
	assert_string_equal(cell->key.lock, "tas");
	assert_int_equal(cell->reps, 4);
	near(cell->sample[SAMPLE_MERIT].value[0], 40);
	near(cell->sample[SAMPLE_MERIT].value[1], 100);
	near(cell->sample[SAMPLE_MERIT].value[2], 40); /* run-2 comes before run-10 */
	near(cell->sample[SAMPLE_MERIT].value[3], 100);
	assert_int_equal(cell->origin[2].log->call_run, 2);
	near(cell->sample[SAMPLE_JAIN].value[0], 40 * 40 / (2.0 * (900 + 100)));
	near(cell->vcpu_ops[0], 45);
	near(cell->vcpu_ops[1], 25);
	near(stats_of(&cell->sample[SAMPLE_LHP_NS]).mean, 7);
	near(stats_of(&cell->sample[SAMPLE_LHP_WAIT_NS]).mean, 21);
	near(stats_of(&cell->sample[SAMPLE_LONGEST_WAIT_NS]).max, 900);
	near(stats_of(&cell->sample[SAMPLE_LONGEST_STREAK]).max, 7);
	assert_int_equal(stats_of(&cell->sample[SAMPLE_LONGEST_STREAK]).count,
			 2); /* two of the four have none */
}

static void other_settings_are_other_cells(void **state)
{
	struct made log = log_begin("settings.log", "kvm");

	(void)state;
	log_run(&log, 1, "tas", 1, 2, few, ",\"latency\":\"on\"");
	log_run(&log, 2, "tas", 1, 2, few, ",\"latency\":\"off\"");
	log_run(&log, 3, "tas", 1, 2, few, ",\"latency\":\"on\",\"tunables\":{\"a\":1,\"b\":2}");
	log_run(&log, 4, "tas", 1, 2, few, ",\"latency\":\"on\",\"tunables\":{\"b\":2,\"a\":1}");
	log_run(&log, 5, "tas", 1, 2, few, ",\"latency\":\"on\",\"seed\":7,\"reps\":9");
	log_end(&log);
	assert_true(read_paths(log.path, NULL));
	assert_int_equal(set.cell_count, 3);
	assert_int_equal(set.cells[0].reps, 2); /* the seed makes no difference */
	assert_int_equal(set.cells[1].reps, 1);
	assert_int_equal(set.cells[2].reps, 2); /* nor does the order of tunables */
}

static void classes_are_never_mixed(void **state)
{
	char kvm[256];

	(void)state;
	whole_log("class/a.log", "kvm", "tas", few, "");
	whole_log("class/b.log", "tcg", "tas", few, "");
	snprintf(kvm, sizeof(kvm), "%s", logs_path("class/a.log"));
	assert_false(silent_read(kvm, logs_path("class/b.log")));
	assert_int_equal(set.status, STATUS_USAGE);
	set_free(&set);
	assert_true(read_paths(kvm, NULL)); /* but one class is fine */
}

static void a_log_named_twice_is_read_once(void **state)
{
	char directory[256];

	(void)state;
	whole_log("twice/serial-0.log", "kvm", "tas", few, "");
	assert_int_equal(symlink("serial-0.log", logs_path("twice/serial-1.log")), 0);
	snprintf(directory, sizeof(directory), "%s", logs_path("twice"));
	assert_true(silent_read(directory, logs_path("twice/serial-0.log")));
	assert_int_equal(set.log_count, 1);
	assert_int_equal(set.cell_count, 1);
	assert_int_equal(set.cells[0].reps, 1);
}

static void damaged_logs_have_their_own_cells(void **state)
{
	struct made log = log_begin("mixed/b/serial-0.log", "kvm");

	(void)state;
	log_run(&log, 1, "tas", 1, 2, many, "");
	whole_log("mixed/a/serial-0.log", "kvm", "tas", few, "");
	assert_true(read_paths(logs_path("mixed"), NULL));
	assert_int_equal(set.status, STATUS_DAMAGED);
	assert_int_equal(set.cell_count, 2);
	assert_int_equal(set.cells[0].key.damaged + set.cells[1].key.damaged, 1);
	for (size_t i = 0; i < 2; i++)
		near(set.cells[i].sample[SAMPLE_MERIT].value[0],
		     set.cells[i].key.damaged ? 100 : 40);
	assert_true(has_note(&set.notes, "no end record"));
}

static void unreadable_paths_are_errors(void **state)
{
	(void)state;
	assert_false(silent_read(logs_path("nothing"), NULL));
	assert_int_equal(set.status, STATUS_UNREADABLE);
	set_free(&set);
	log_empty("no logs/readme.txt");
	assert_false(silent_read(logs_path("no logs"), NULL));
	assert_int_equal(set.status, STATUS_UNREADABLE);
	set_free(&set);
	assert_false(silent_read("tests/report/nested", logs_path("no logs")));
	assert_int_equal(set.status, STATUS_UNREADABLE);
}

static void instances_are_also_joined(void **state)
{
	const struct cell *all = NULL;

	(void)state;
	whole_log("two/serial-0.log", "kvm", "tas", few, ",\"streak_max\":20");
	whole_log("two/serial-1.log", "kvm", "tas", many, ",\"streak_max\":9");
	assert_true(read_paths(logs_path("two"), NULL));
	assert_int_equal(set.cell_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(set.cells[i].key.instances, 2);
		if (set.cells[i].key.instance == CELL_JOINED)
			all = &set.cells[i];
	}
	assert_non_null(all);
	assert_int_equal(all->reps, 1);
	near(all->sample[SAMPLE_MERIT].value[0], 140);
	near(all->sample[SAMPLE_HALTS].value[0], 8);
	near(all->sample[SAMPLE_LONGEST_WAIT_NS].value[0], 900);
	near(all->sample[SAMPLE_LONGEST_STREAK].value[0], 20);
	near(all->sample[SAMPLE_STOLEN].value[0], 0.5);
	assert_int_equal(all->vcpus, 4);
	near(all->sample[SAMPLE_JAIN].value[0], 140.0 * 140 / (4 * (900 + 100 + 3600 + 1600)));
}

/* If an instance stopped early, runs that only the other one has are not joined. */
static void a_lone_run_of_an_instance_is_not_joined(void **state)
{
	struct made log = log_begin("lone/serial-0.log", "kvm");

	(void)state;
	log_run(&log, 1, "tas", 1, 2, few, "");
	log_run(&log, 2, "mcs", 1, 2, few, "");
	log_end(&log);
	whole_log("lone/serial-1.log", "kvm", "tas", few, "");
	assert_true(read_paths(logs_path("lone"), NULL));
	assert_int_equal(set.cell_count, 4); /* tas 0, 1, all; mcs 0 */
}

static void the_manifest_is_used(void **state)
{
	struct made manifest = log_empty("manifest/manifest.json");

	(void)state;
	log_line(&manifest,
		 "{\"instances\": ["
		 "{\"instance\": 0, \"verdict\": \"crash\", \"why\": \"QEMU died\"},"
		 "{\"instance\": 1, \"verdict\": \"hang\", \"why\": \"no log of this one\"}]}");
	whole_log("manifest/serial-0.log", "kvm", "tas", few, "");
	assert_true(read_paths(logs_path("manifest"), NULL));
	assert_true(has_note(&set.notes, "2 instances ran, and there are 1 logs"));
	assert_true(has_note(&set.notes, "run.sh's verdict is crash: QEMU died"));
	assert_false(has_note(&set.notes, "no log of this one"));
	assert_int_equal(set.status, STATUS_DAMAGED);
	set_free(&set);
	log_empty("manifest/manifest.json"); /* not JSON: only a note */
	assert_true(read_paths(logs_path("manifest"), NULL));
	assert_true(has_note(&set.notes, "manifest.json: not used"));
	assert_int_equal(set.status, STATUS_OK);
}

static bool limit_says(const char *manifest_text, const char *part)
{
	struct made manifest = log_empty("limits/manifest.json");
	struct notes limits = {0};
	bool found;

	log_line(&manifest, "%s", manifest_text);
	whole_log("limits/serial-0.log", "kvm", "tas", few, "");
	assert_true(read_paths(logs_path("limits"), NULL));
	limits_of(&set, &limits);
	found = has_note(&limits, part);
	notes_free(&limits);
	set_free(&set);
	return found;
}

/* Two vCPUs on a host of 8 CPUs. */
static void only_usable_cpus_count(void **state)
{
	(void)state;
	assert_false(limit_says("{\"host\": {\"cpus\": 8}}", "more vCPUs"));
	assert_false(limit_says("{\"host\": {\"cpus\": 8}, \"instances\": [{\"instance\": 0,"
				" \"vcpus\": [{\"pinned_to\": 3}, {\"pinned_to\": 5}]}]}",
				"more vCPUs"));
	assert_true(limit_says("{\"host\": {\"cpus\": 8}, \"instances\": [{\"instance\": 0,"
			       " \"vcpus\": [{\"pinned_to\": 3}, {\"pinned_to\": 3}]}]}",
			       "more vCPUs than the 1 CPUs they could run on"));
	assert_true(limit_says("{\"host\": {\"cpus\": 8, \"cpu_quota\": {\"quota_us\": 20000,"
			       " \"period_us\": 100000, \"throttled_us\": 331000}}}",
			       "0.20 CPUs and stopped them for 331 ms"));
	assert_false(limit_says("{\"host\": {\"cpus\": 8, \"cpu_quota\": {\"quota_us\": 20000,"
				" \"period_us\": 100000, \"throttled_us\": 0}}}",
				"stopped them"));
}

/* Each vCPU ran 1 s: 0.5 s stolen, 0.4 s waiting, of which 0.1 s halted. The split takes half of
 * each part for stolen. */
static void stolen_time_counts_once(void **state)
{
	const struct cell *cell;

	(void)state;
	whole_log("split.log", "kvm", "tas", few, "");
	assert_true(read_paths(logs_path("split.log"), NULL));
	cell = &set.cells[0];
	near(cell->sample[SAMPLE_STOLEN].value[0], 0.5);
	near(cell->sample[SAMPLE_HALTED].value[0], 0.05);
	near(cell->sample[SAMPLE_SPINNING].value[0], 0.15);
	near(cell->sample[SAMPLE_RUNNING].value[0], 0.3);
	near(cell->sample[SAMPLE_IDLE].value[0], 0);
}

static void fixed_work_is_measured_in_seconds(void **state)
{
	const struct cell *cell;

	(void)state;
	whole_log(
		"kbuild.log", "kvm", "tas", few,
		",\"jobs\":8,\"split_running_ns\":1,\"split_spinning_ns\":2,\"split_halted_ns\":3,"
		"\"split_idle_ns\":4,\"split_stolen_ns\":10");
	assert_true(read_paths(logs_path("kbuild.log"), NULL));
	cell = &set.cells[0];
	assert_true(cell->fixed_work);
	near(cell->sample[SAMPLE_MERIT].value[0], 1);
	near(cell->sample[SAMPLE_IDLE].value[0], 0.2);
	near(cell->sample[SAMPLE_STOLEN].value[0], 0.5);
}

/* Half the work in half the time does not make a lock faster. */
static void unfinished_work_is_left_out(void **state)
{
	(void)state;
	whole_log("unfinished.log", "kvm", "tas", few, ",\"jobs\":8,\"complete\":false");
	assert_true(read_paths(logs_path("unfinished.log"), NULL));
	assert_int_equal(set.cell_count, 0);
	assert_true(has_note(&set.notes, "did not finish"));
	set_free(&set);
	whole_log("short.log", "kvm", "tas", few, ",\"complete\":false"); /* but a rate counts */
	assert_true(read_paths(logs_path("short.log"), NULL));
	assert_int_equal(set.cells[0].incomplete, 1);
}

static void broken_exclusion_is_left_out(void **state)
{
	(void)state;
	whole_log("broken.log", "kvm", "tas", few, ",\"exclusion\":\"broken\"");
	assert_true(read_paths(logs_path("broken.log"), NULL));
	assert_int_equal(set.cell_count, 0);
	assert_true(has_note(&set.notes, "let two vCPUs in at once"));
}

static void make_reps(const char *name, unsigned base, unsigned reps, const char *extra)
{
	struct made log = log_begin(name, "kvm");

	for (unsigned rep = 1; rep <= reps; rep++) {
		const unsigned ops[] = {base + rep, base};

		log_run(&log, rep, "tas", rep, 2, ops, extra);
	}
	log_end(&log);
}

static const char *row_of(const char *a_name, const char *b_name, const char *column)
{
	static char text[128];
	struct notes notes = {0};
	struct set pair[2] = {0};
	struct table *table;
	char paths[2][256];
	const char *path[] = {paths[0], paths[1]};

	snprintf(paths[0], sizeof(paths[0]), "%s", logs_path(a_name));
	snprintf(paths[1], sizeof(paths[1]), "%s", logs_path(b_name));
	assert_true(set_read(&path[0], 1, &pair[0]) && set_read(&path[1], 1, &pair[1]));
	table = compare_table(&pair[0], &pair[1], &notes);
	snprintf(text, sizeof(text), "no row");
	for (size_t i = 0; i < table->column_count && table->row_count == 1; i++) {
		if (strcmp(table->columns[i].key, column) == 0)
			snprintf(text, sizeof(text), "%s", table_at(table, 0, i)->text);
	}
	table_free(table);
	notes_free(&notes);
	set_free(&pair[0]);
	set_free(&pair[1]);
	return text;
}

static void comparisons_have_verdicts(void **state)
{
	(void)state;
	make_reps("a5.log", 1000, 5, "");
	make_reps("b5.log", 2000, 5, "");
	make_reps("a1.log", 1000, 1, "");
	make_reps("b1.log", 2000, 1, "");
	make_reps("t5.log", 1000, 5, ",\"tunables\":{\"a\":1}");
	assert_string_equal(row_of("a5.log", "b5.log", "verdict"), "faster");
	assert_string_equal(row_of("b5.log", "a5.log", "verdict"), "SLOWER");
	assert_string_equal(row_of("a5.log", "a5.log", "verdict"), "~ no difference");
	assert_string_equal(row_of("a1.log", "b1.log", "verdict"), "? too few");
	assert_string_equal(row_of("a5.log", "t5.log", "verdict"), "~ no difference");
	assert_string_equal(row_of("a5.log", "t5.log", "differ"), "B: a=1");
	assert_string_equal(row_of("a5.log", "b5.log", "p"), "< 0.0001");
	assert_string_equal(row_of("a5.log", "b5.log", "test"), "Welch");
	assert_string_equal(row_of("a5.log", "b5.log", "a_boots"), "1");
}

static void less_time_is_faster(void **state)
{
	struct made log = log_begin("never.log", "kvm");
	char extra[] = ",\"jobs\":1";

	(void)state;
	log_end(&log);
	make_reps("k1.log", 10, 5, extra);
	make_reps("k2.log", 90, 5, extra); /* the same time, but more acquisitions */
	assert_string_equal(row_of("k1.log", "k2.log", "merit"), "elapsed s");
	assert_string_equal(row_of("k1.log", "k2.log", "verdict"), "~ no difference");
	assert_string_equal(row_of("k1.log", "never.log", "verdict"), "no row");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(runs_of_files_and_reps_are_one_cell, forget),
		cmocka_unit_test_teardown(other_settings_are_other_cells, forget),
		cmocka_unit_test_teardown(classes_are_never_mixed, forget),
		cmocka_unit_test_teardown(a_log_named_twice_is_read_once, forget),
		cmocka_unit_test_teardown(damaged_logs_have_their_own_cells, forget),
		cmocka_unit_test_teardown(unreadable_paths_are_errors, forget),
		cmocka_unit_test_teardown(instances_are_also_joined, forget),
		cmocka_unit_test_teardown(a_lone_run_of_an_instance_is_not_joined, forget),
		cmocka_unit_test_teardown(the_manifest_is_used, forget),
		cmocka_unit_test_teardown(only_usable_cpus_count, forget),
		cmocka_unit_test_teardown(stolen_time_counts_once, forget),
		cmocka_unit_test_teardown(fixed_work_is_measured_in_seconds, forget),
		cmocka_unit_test_teardown(unfinished_work_is_left_out, forget),
		cmocka_unit_test_teardown(broken_exclusion_is_left_out, forget),
		cmocka_unit_test(comparisons_have_verdicts),
		cmocka_unit_test(less_time_is_faster),
	};

	return cmocka_run_group_tests_name("report_set", tests, logs_begin, logs_end);
}
