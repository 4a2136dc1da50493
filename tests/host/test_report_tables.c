/* SPDX-License-Identifier: MIT */
/* Tests tools/report from a log to the tables for people: each column shows the log's fields. */
#include "tests/host/test.h"

#include "tests/host/report_logs.h"
#include "tools/report/base/data.h"
#include "tools/report/base/system.h"
#include "tools/report/tables/tables.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const unsigned ops[] = {30, 10};

static struct set set;
static struct table *table[SUMMARY_TABLES];
static size_t tables;

static void read_log(const struct made *log)
{
	const char *path = log->path;

	assert_true(set_read(&path, 1, &set));
	assert_int_equal(set.status, STATUS_OK);
	tables = summary_tables(&set, table);
}

static int forget(void **state)
{
	(void)state;
	for (size_t i = 0; i < tables; i++)
		table_free(table[i]);
	tables = 0;
	set_free(&set);
	return 0;
}

/* Returns a cell of the first table that has the column and the row; NULL if none has. */
static const struct table_cell *find(const char *key, size_t row)
{
	for (size_t i = 0; i < tables; i++) {
		for (size_t column = 0; column < table[i]->column_count; column++) {
			if (strcmp(table[i]->columns[column].key, key) == 0 &&
			    row < table[i]->row_count)
				return table_at(table[i], row, column);
		}
	}
	return NULL;
}

static void assert_near(const char *key, size_t row, double wanted)
{
	const struct table_cell *cell = find(key, row);

	assert_non_null(cell);
	if (fabs(cell->number - wanted) > 1e-9 * fabs(wanted))
		fail_msg("%s is %g, not %g", key, cell->number, wanted);
}

#define LOCK_TIME                                                                               \
	",\"held_cycles\":500000000,\"held_stolen_cycles\":200000000,\"gap_nobody_cycles\":"    \
	"10000000,\"gap_passed_cycles\":40000000,\"gap_stolen_cycles\":300000000,\"gap_halted_" \
	"cycles\":100000000,\"gap_running_cycles\":50000000"

/* In 1 s the lock was held for 0.5 s, 0.2 s of it with the holder off its CPU; five gaps are the
 * rest. */
static void the_locks_time_adds_up_to_the_phase(void **state)
{
	struct made log = log_begin("lock-time.log", "kvm");

	(void)state;
	log_run(&log, 1, "tas", 1, 2, ops, LOCK_TIME);
	log_run(&log, 2, "mcs", 1, 2, ops, "");
	log_end(&log);
	read_log(&log);
	assert_near("lock_work_percent", 0, 30);
	assert_near("lock_holder_off_percent", 0, 20);
	assert_near("lock_handover_percent", 0, 5);
	assert_near("lock_waking_percent", 0, 10);
	assert_near("lock_grantee_off_percent", 0, 30);
	assert_near("lock_passed_percent", 0, 4);
	assert_near("lock_unwanted_percent", 0, 1);
	assert_near("lock_sum_percent", 0, 100);
	assert_null(find("lock_sum_percent", 1)); /* a run without the fields has no row */
	assert_null(find("lwp_events_mean", 0));  /* no measure to compare locks by */
	assert_null(find("lwp_ns_mean", 0));
}

/* Without a steal-time page 0 means unknown, not that no vCPU was off its CPU. */
static void unknown_absences_are_no_zeros(void **state)
{
	struct made log = log_empty("no-steal.log");

	(void)state;
	log_record(&log, "boot",
		   "\"schema\":1,\"version\":\"v\",\"build\":\"gcc\",\"loader\":\"multiboot\","
		   "\"cmdline\":\"\",\"accel\":\"tcg\",\"hypervisor\":\"none\",\"kvm_features\":0,"
		   "\"kvm_hints\":0,\"pv_unhalt\":false,\"steal_time\":false,\"cpu_vendor\":\"v\","
		   "\"cpu_model\":\"m\",\"tsc_khz\":1000000,\"tsc_source\":\"pit\",\"vcpus\":4,"
		   "\"vcpus_online\":4,\"apic_mode\":\"xapic\",\"boot_cycles\":1");
	log_run(&log, 1, "tas", 1, 2, ops,
		",\"held_cycles\":600000000,\"held_stolen_cycles\":0,\"gap_nobody_cycles\":0,"
		"\"gap_passed_cycles\":0,\"gap_stolen_cycles\":0,\"gap_halted_cycles\":0,"
		"\"gap_running_cycles\":400000000");
	log_end(&log);
	read_log(&log);
	assert_near("lock_work_percent", 0, 60);
	assert_string_equal(find("lock_holder_off_percent", 0)->text, "-");
	assert_string_equal(find("lock_grantee_off_percent", 0)->text, "-");
	assert_near("lock_sum_percent", 0, 100);
}

static void fair_vcpu(struct made *log, unsigned cpu, unsigned p50, unsigned p99,
		      const char *windows)
{
	log_record(log, "vcpu",
		   "\"run\":1,\"cpu\":%u,\"ops\":40,\"wait_cycles\":0,\"wait_max_cycles\":0,"
		   "\"halts\":0,\"kicks\":0,\"spurious_wakeups\":0,\"yields\":0,\"steal_ns\":0,"
		   "\"wait_p50_cycles\":%u,\"wait_p99_cycles\":%u,\"window_ops\":[%s]",
		   cpu, p50, p99, windows);
}

static void waits(struct made *log, const char *what, const char *rest)
{
	log_record(log, "hist",
		   "\"run\":1,\"lock\":\"tas\",\"workload\":\"contended\",\"threads\":2,"
		   "\"rep\":1,\"cpu\":\"all\",\"what\":\"%s\",\"unit\":\"cycles\",%s",
		   what, rest);
}

/* Two vCPUs that take turns: one has the lock in a window, the other in the next. */
static void turns(const char *name, unsigned scheduled_in)
{
	struct made log = log_begin(name, "kvm");

	log_record(&log, "run",
		   "\"run\":1,\"lock\":\"tas\",\"workload\":\"contended\",\"threads\":2,"
		   "\"tasks\":2,\"rep\":1,\"dispatch\":\"inline\",\"hold\":1,\"think\":2,"
		   "\"elapsed_cycles\":1000000000,\"elapsed_ns\":1000000000,\"ops\":80,"
		   "\"ops_min\":40,\"ops_max\":40,\"halts\":0,\"kicks\":0,"
		   "\"spurious_wakeups\":0,\"yields\":0,\"lock_steals\":0,\"lhp_events\":0,"
		   "\"lhp_cycles\":0,\"lwp_events\":0,\"lwp_cycles\":0,\"steal_ns\":5,"
		   "\"scheduled_in\":%u",
		   scheduled_in);
	fair_vcpu(&log, 0, 100, 900, "10,0,10,0,10,0,10,0");
	fair_vcpu(&log, 1, 300, 5000, "0,10,0,10,0,10,0,10");
	/* by number the median is short; 5/6 of the time is in the long ones */
	waits(&log, "wait",
	      "\"count\":12,\"min\":10,\"max\":1000,"
	      "\"buckets\":[[10,10,2],[20,20,9],[1000,1000,1]]");
	waits(&log, "wait_net",
	      "\"count\":12,\"min\":10,\"max\":30,\"buckets\":[[10,10,11],[30,30,1]]");
	log_end(&log);
	read_log(&log);
}

static void fairness_is_over_windows_and_vcpus(void **state)
{
	turns("turns.log", 0); /* nobody lost its CPU: each window counts */
	assert_near("jain_mean", 0, 1);
	assert_near("jain_windows_mean", 0, 0.5);
	assert_near("middle_vcpu_wait_p50_ns", 0, 300);
	assert_near("worst_vcpu_wait_p99_ns", 0, 5000);
	assert_near("wait_net_p50_ns", 0, 10);
	assert_near("wait_net_p99_ns", 0, 30);
	assert_near("wait_p50_ns", 0, 20);
	assert_near("wait_by_time_p50_ns", 0, 1000);
	forget(state);
	turns("joined.log", 32); /* 16 turns each: 4 turns are two windows */
	assert_near("jain_windows_mean", 0, 1);
	forget(state);
	turns("short.log", 8); /* 4 turns each: the phase is one window */
	assert_string_equal(find("jain_windows_mean", 0)->text, "-");
}

/* 2 CPUs, 4 vCPUs: r = 2. A run of log_run() is of 1 s, so ops are the rate. */
static void efficiency_is_set_beside_its_bounds(void **state)
{
	static const unsigned two[] = {500, 500}, good[] = {200, 200, 200, 200},
			      poor[] = {100, 100, 100, 100};
	struct made log = log_begin("eff/serial-0.log", "kvm");
	const char *path;
	char *file = memory_copy(logs_path("eff/manifest.json"));

	(void)state;
	log_run(&log, 1, "tas", 1, 2, two, "");
	log_run(&log, 2, "mcs", 1, 2, two,
		",\"held_cycles\":900000000,\"gap_nobody_cycles\":100000000");
	log_run(&log, 3, "tas", 1, 4, good, ",\"scheduled_in\":1600");
	log_run(&log, 4, "mcs", 1, 4, poor, "");
	log_run(&log, 5, "paq", 1, 4, good, ""); /* was not measured with 2 */
	log_end(&log);
	assert_true(file_write(file, "{\"host\":{\"cpus\":2}}", 19));
	free(file);
	path = logs_path("eff");
	assert_true(set_read(&path, 1, &set));
	tables = 1;
	table[0] = efficiency_table(&set);
	assert_non_null(table[0]);
	assert_int_equal(table[0]->row_count, 2);
	assert_near("efficiency_percent", 0, 80);
	assert_near("blind_bound_percent", 0, 50);
	/* a slice is 4 s / 1600 = 2.5 ms, a switch a thousandth of it */
	assert_near("reactive_bound_percent", 0, 100 / 1.001);
	assert_string_equal(find("above_blind", 0)->text, "yes");
	assert_near("efficiency_percent", 1, 40);
	assert_near("utilisation", 1, 0.9);
	assert_near("blind_bound_percent", 1, 100 / 1.9);
	assert_string_equal(find("reactive_bound_percent", 1)->text, "-");
	assert_string_equal(find("above_blind", 1)->text, "no");
}

static bool limit_says(const char *part)
{
	struct notes limits = {0};
	bool has;

	limits_of(&set, &limits);
	has = has_note(&limits, part);
	notes_free(&limits);
	return has;
}

static void speeds(const char *name, unsigned before, unsigned after)
{
	struct made log = log_begin(name, "kvm");
	const unsigned cycles[] = {before, after};

	log_run(&log, 1, "tas", 1, 2, ops, "");
	for (int i = 0; i < 2; i++)
		log_record(&log, "speed",
			   "\"when\":\"before\",\"threads\":2,\"pause_cycles\":40,"
			   "\"work_iterations\":1000,\"work_cycles\":%u",
			   cycles[i]);
	log_end(&log);
	read_log(&log);
}

static void a_clock_that_changes_is_said(void **state)
{
	speeds("steady.log", 1000, 1040);
	assert_false(limit_says("speed"));
	forget(state);
	speeds("slowed.log", 1000, 1200);
	assert_true(limit_says("took 1.00 to 1.20 TSC cycles"));
}

static void manifest(const char *directory, const char *kernel, const char *slice)
{
	char *path = memory_print("%s/manifest.json", logs_path(directory));
	char *text = memory_print("{\"host\":{\"kernel\":\"%s\",\"cpu_model\":\"m\","
				  "\"load\":{\"before\":%s},\"settings\":{\"/x/same\":\"1\","
				  "\"/x/slice\":\"%s\"}}}",
				  kernel, slice, slice);

	assert_true(file_write(path, text, strlen(text)));
	free(text);
	free(path);
}

/* Hosts that differ are named even if both logs have the same plan and accelerator class. */
static void different_hosts_are_said(void **state)
{
	const char *const names[] = {"hosts/a", "hosts/b", "hosts/c"};
	struct set sets[3];
	struct notes found = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		char *name = memory_print("%s/serial-0.log", names[i]), *directory;
		struct made log = log_begin(name, "kvm");
		const char *path;

		log_run(&log, 1, "tas", 1, 2, ops, "");
		log_end(&log);
		manifest(names[i], i == 2 ? "Linux 6.1" : "Linux 6.12", i == 1 ? "700000" : "3");
		directory = memory_copy(logs_path(names[i]));
		path = directory;
		assert_true(set_read(&path, 1, &sets[i]));
		free(directory);
		free(name);
	}
	hosts_compare_sets(&sets[0], &sets[0], &found);
	assert_int_equal(found.count, 0);
	hosts_compare_sets(&sets[0], &sets[1], &found);
	assert_int_equal(found.count, 1); /* not the load */
	assert_true(has_note(&found, "/x/slice: A 3, B 700000"));
	assert_false(has_note(&found, "DIFFERENT"));
	hosts_compare_sets(&sets[0], &sets[2], &found);
	assert_true(has_note(&found, "DIFFERENT HOSTS: host's kernel: A Linux 6.12, B Linux 6.1"));
	notes_free(&found);
	for (int i = 0; i < 3; i++)
		set_free(&sets[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_locks_time_adds_up_to_the_phase, forget),
		cmocka_unit_test_teardown(unknown_absences_are_no_zeros, forget),
		cmocka_unit_test_teardown(fairness_is_over_windows_and_vcpus, forget),
		cmocka_unit_test(different_hosts_are_said),
		cmocka_unit_test_teardown(efficiency_is_set_beside_its_bounds, forget),
		cmocka_unit_test_teardown(a_clock_that_changes_is_said, forget),
	};

	return cmocka_run_group_tests_name("report_tables", tests, logs_begin, logs_end);
}
