/* SPDX-License-Identifier: MIT */
/* Tests tools/report/cells/overlap.c: how much of the logs' measured phases overlapped, and for
 * which logs that is unknown. Times are in ms after a moment in 2023. */
#include "tests/host/test.h"

#include "tests/host/report_logs.h"
#include "tools/report/base/data.h"
#include "tools/report/cells/overlap.h"
#include "tools/report/tables/tables.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const unsigned ops[] = {30, 10};

static struct set set;
static struct notes limits;
static struct table *table;

static int forget(void **state)
{
	(void)state;
	notes_free(&limits);
	if (table)
		table_free(table);
	table = NULL;
	set_free(&set);
	return 0;
}

static void write_phase(struct made *log, unsigned run, const char *lock, const char *clock,
			unsigned from, unsigned to)
{
	char more[160];

	snprintf(more, sizeof(more),
		 ",\"clock\":\"%s\",\"start_wall_ns\":%llu,\"end_wall_ns\":%llu", clock,
		 1700000000000000000ULL + from * 1000000ULL,
		 1700000000000000000ULL + to * 1000000ULL);
	log_run(log, run, lock, run, 2, ops, more);
}

/* Begins the log of a call in `directory`. Its manifest has the boot ID `host` unless NULL. */
static struct made begin_call(const char *directory, const char *accel, const char *host)
{
	char name[64];
	struct made manifest, log;

	snprintf(name, sizeof(name), "%s/serial-0.log", directory);
	log = log_begin(name, accel);
	if (host == NULL)
		return log;
	snprintf(name, sizeof(name), "%s/manifest.json", directory);
	manifest = log_empty(name);
	log_line(&manifest, "{\"host\":{\"boot_id\":\"outer\"},\"%s\":{\"boot_id\":\"%s\"}}",
		 strcmp(accel, "nested") == 0 ? "l1" : "was", host);
	return log;
}

static void read_all(const char *directory)
{
	const char *paths[] = {logs_path(directory)};

	assert_true(set_read(paths, 1, &set));
	table = overlap_table(&set);
	limits_of(&set, &limits);
}

static double percent(size_t row, const char *key)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (strcmp(table->columns[i].key, key) == 0)
			return table_at(table, row, i)->number;
	}
	fail_msg("no column %s", key);
	return NAN;
}

static void assert_row(size_t row, double logs, double lock, double calls)
{
	assert_true(fabs(percent(row, "beside_logs_percent") - logs) < 0.01);
	assert_true(fabs(percent(row, "beside_lock_percent") - lock) < 0.01);
	assert_true(fabs(percent(row, "beside_calls_percent") - calls) < 0.01);
}

/* a: tas 0-100, mcs 200-300; b: tas 50-150, tas 250-400. */
static void two_calls(const char *accel, const char *host_a, const char *host_b, const char *clock)
{
	struct made a = begin_call("two/a", accel, host_a), b = begin_call("two/b", accel, host_b);

	write_phase(&a, 1, "tas", clock, 0, 100);
	write_phase(&a, 2, "mcs", clock, 200, 300);
	log_end(&a);
	write_phase(&b, 1, "tas", clock, 50, 150);
	write_phase(&b, 2, "tas", clock, 250, 400);
	log_end(&b);
	read_all("two");
}

static void calls_may_overlap(void **state)
{
	(void)state;
	two_calls("nested", "l1", "l1", "kvmclock");
	assert_int_equal(table->row_count, 3);
	assert_row(0, 50, 50, 50);
	assert_row(1, 50, 0, 50);
	assert_row(2, 40, 20, 40); /* 50 + 50 of 250 ms */
	assert_true(has_note(&limits, "measured at the same time for 44 %"));
	assert_false(has_note(&limits, "in common"));
}

static void another_boot_is_another_clock(void **state)
{
	(void)state;
	two_calls("nested", "l1", "another", "kvmclock");
	assert_null(table);
	assert_true(has_note(&limits, "ran on 2 hosts"));
	assert_false(has_note(&limits, "after the other"));
}

/* The clock is L1's only under nested. Otherwise it is the host's. */
static void without_nested_the_host_counts(void **state)
{
	(void)state;
	two_calls("kvm", "l1", "another", "kvmclock");
	assert_non_null(table); /* both have host.boot_id "outer" */
}

static void without_a_manifest_nothing_is_known(void **state)
{
	(void)state;
	remove(logs_path("two/a/manifest.json"));
	two_calls("nested", NULL, "l1", "kvmclock");
	assert_null(table);
	assert_true(has_note(&limits, "1 of 2 calls have no clock in common"));
	assert_true(has_note(&limits, "no manifest.json"));
	forget(state);
	remove(logs_path("two/b/manifest.json"));
	two_calls("nested", NULL, NULL, "kvmclock");
	assert_null(table);
	assert_true(has_note(&limits, "2 of 2 calls have no clock in common"));
}

static void without_a_clock_nothing_is_known(void **state)
{
	(void)state;
	two_calls("nested", "l1", "l1", "none");
	assert_null(table);
	assert_true(has_note(&limits, "2 of 2 calls have no clock in common"));
	assert_true(has_note(&limits, "--meet"));
}

static void calls_may_follow_each_other(void **state)
{
	struct made a = begin_call("late/a", "nested", "l1"),
		    b = begin_call("late/b", "nested", "l1");

	(void)state;
	write_phase(&a, 1, "tas", "kvmclock", 0, 100);
	log_end(&a);
	write_phase(&b, 1, "tas", "kvmclock", 100, 200);
	log_end(&b);
	read_all("late");
	assert_null(table);
	assert_true(has_note(&limits, "2 calls measured one after the other"));
}

/* Instances of one call need no manifest: they ran on one host. */
static void instances_of_a_call_need_no_manifest(void **state)
{
	struct made a = log_begin("one/serial-0.log", "kvm"),
		    b = log_begin("one/serial-1.log", "kvm");

	(void)state;
	write_phase(&a, 1, "tas", "launcher", 0, 100);
	log_end(&a);
	write_phase(&b, 1, "tas", "launcher", 10, 110);
	log_end(&b);
	read_all("one");
	assert_int_equal(table->row_count, 2);
	assert_row(0, 90, 90, 0);
	assert_row(1, 90, 90, 0);
	assert_false(has_note(&limits, "calls"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(calls_may_overlap, forget),
		cmocka_unit_test_teardown(another_boot_is_another_clock, forget),
		cmocka_unit_test_teardown(without_nested_the_host_counts, forget),
		cmocka_unit_test_teardown(without_a_manifest_nothing_is_known, forget),
		cmocka_unit_test_teardown(without_a_clock_nothing_is_known, forget),
		cmocka_unit_test_teardown(calls_may_follow_each_other, forget),
		cmocka_unit_test_teardown(instances_of_a_call_need_no_manifest, forget),
	};

	return cmocka_run_group_tests_name("report_overlap", tests, logs_begin, logs_end);
}
