/* SPDX-License-Identifier: MIT */
/*
 * Tests study_why() of tools/report/study/tables.c: where the vCPUs' time went; and study_counts()
 * of counts.c: what KVM counted. The figures are round, so that they can be added up by hand: a
 * cycle is a microsecond, a vCPU's states are in seconds.
 */
#include "tests/host/study_files.h"
#include "tests/host/test.h"
#include "tools/report/cells/stats.h"
#include "tools/report/study/study.h"
#include <string.h>

struct figures {
	double running, spinning, halted, idle, stolen; /* seconds */
	unsigned lhp_events, lhp_us, lhp_wait_us, wait_us;
};

static double total(const struct figures *f)
{
	return f->running + f->spinning + f->halted + f->idle + f->stolen;
}

/* Writes a whole log of one run. `steal_time`: the VM has a steal-time page. */
static void write_why(const char *file, const struct figures *f, bool steal_time)
{
	FILE *out = create(file);

	fprintf(out,
		"{\"type\":\"boot\",\"seq\":1,\"schema\":1,\"version\":\"v\",\"build\":\"b\","
		"\"loader\":\"multiboot\",\"cmdline\":\"\",\"accel\":\"nested\",\"hypervisor\":"
		"\"KVM\",\"kvm_features\":0,\"kvm_hints\":0,\"pv_unhalt\":true,\"cpu_vendor\":"
		"\"x\",\"cpu_model\":\"x\",\"tsc_khz\":1000,\"tsc_source\":\"x\",\"vcpus\":1,"
		"\"vcpus_online\":1,\"apic_mode\":\"x\",\"boot_cycles\":1,\"steal_time\":%s}\n",
		steal_time ? "true" : "false");
	fprintf(out,
		"{\"type\":\"run\",\"seq\":2,\"run\":1,\"lock\":\"mcs\",\"workload\":\"kbuild\","
		"\"threads\":1,\"tasks\":2,\"rep\":1,\"dispatch\":\"inline\",\"hold\":0,"
		"\"think\":0,\"elapsed_cycles\":1,\"elapsed_ns\":%.0f,\"ops\":1,\"ops_min\":1,"
		"\"ops_max\":1,\"halts\":6,\"kicks\":0,\"spurious_wakeups\":0,\"yields\":0,"
		"\"lock_steals\":0,\"lhp_events\":%u,\"lhp_cycles\":%u,\"lhp_wait_cycles\":%u,"
		"\"lwp_events\":0,"
		"\"lwp_cycles\":0,\"steal_ns\":%.0f,\"wait_max_cycles\":%u,\"jobs\":1,",
		total(f) * 1e9, f->lhp_events, f->lhp_us, f->lhp_wait_us, f->stolen * 1e9,
		f->wait_us);
	fprintf(out,
		"\"split_running_ns\":%.0f,\"split_spinning_ns\":%.0f,\"split_halted_ns\":%.0f,"
		"\"split_idle_ns\":%.0f,\"split_stolen_ns\":%.0f}\n",
		f->running * 1e9, f->spinning * 1e9, f->halted * 1e9, f->idle * 1e9,
		f->stolen * 1e9);
	end(out, 3);
	fclose(out);
}

static double mean(size_t cell, enum sample_index index)
{
	return stats_of(&study.cells[cell].why.sample[index]).mean;
}

static const struct figures first_vm = {.running = 1,
					.spinning = 0.5,
					.stolen = 0.5,
					.lhp_events = 4,
					.lhp_us = 9,
					.lhp_wait_us = 24,
					.wait_us = 70};
static const struct figures second_vm = {
	.running = 1, .stolen = 3, .lhp_events = 2, .lhp_wait_us = 6, .wait_us = 50};

static void write_two_vms(bool steal_time)
{
	write_experiment("nested", "one", "", "two", "vm", "slower");
	write_why("one/rep-1/serial-0.log", &first_vm, steal_time);
	write_why("one/rep-1/serial-1.log", &second_vm, steal_time);
}

static void parts_of_two_vms_add_up_to_the_time(void **state)
{
	double sum = 0;

	(void)state;
	write_two_vms(true);
	judged();
	NEAR(study.cells[0].time.value[0], 3);
	NEAR(mean(0, SAMPLE_MERIT), 3);
	NEAR(mean(0, SAMPLE_STOLEN), 3.5 / 6);
	NEAR(mean(0, SAMPLE_SPINNING), 0.5 / 6);
	for (enum sample_index i = SAMPLE_RUNNING; i <= SAMPLE_STOLEN; i++) {
		struct sample seconds = why_seconds(&study.cells[0], i);

		assert_int_equal(seconds.count, 1);
		sum += seconds.value[0];
		free(seconds.value);
	}
	NEAR(sum, 3);
}

/* Returns the value of a column in the first row. */
static const struct table_cell *in_row(const struct table *table, const char *key)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (strcmp(table->columns[i].key, key) == 0)
			return table_at(table, 0, i);
	}
	fail_msg("no column %s", key);
	return NULL;
}

static void counts_are_per_vm_and_second(void **state)
{
	struct figures shorter_wait = first_vm;
	struct table *table;

	(void)state;
	write_two_vms(true);
	shorter_wait.wait_us = 10;
	write_why("one/rep-2/serial-0.log", &shorter_wait, true);
	write_why("one/rep-2/serial-1.log", &second_vm, true);
	judged();
	table = study_why(&study, 1);
	NEAR(in_row(table, "lhp_per_s")->number, 1);           /* (4 + 2) / 2 VMs / 3 s */
	NEAR(in_row(table, "lhp_each_ns")->number, 1500);      /* (9 + 0) us / 6 */
	NEAR(in_row(table, "lhp_each_wait_ns")->number, 5000); /* (24 + 6) us / 6 */
	NEAR(in_row(table, "longest_wait_ns")->number, 70000);
	NEAR(in_row(table, "halts_per_s")->number, 2);
	NEAR(in_row(table, "running_percent")->number, 100 / 3.0);
	table_free(table);
}

static void without_a_steal_time_page_the_split_is_unknown(void **state)
{
	static const char *const unknown[] = {"running_percent", "stolen_percent", "lhp_per_s"};
	struct table *table;

	(void)state;
	write_two_vms(false);
	judged();
	table = study_why(&study, 1);
	for (size_t i = 0; i < COUNT(unknown); i++) {
		assert_true(isnan(in_row(table, unknown[i])->number));
		assert_string_equal(in_row(table, unknown[i])->text, "-");
	}
	NEAR(in_row(table, "halts_per_s")->number, 2);
	table_free(table);
}

/* A VM's manifest; both its vCPUs have halted so often in all. */
static void write_member(FILE *out, const char *role, int halts)
{
	fprintf(out, "{\"role\":\"%s\",\"runs\":[{\"run\":1,\"vcpus\":[", role);
	for (int cpu = 0; cpu < 2; cpu++)
		fprintf(out,
			"%s{\"kvm\":{\"halt_exits\":%d,\"hypercalls\":9,\"preemption_reported\":2,"
			"\"preemption_other\":1}}",
			cpu ? "," : "", halts / 2);
	fputs("]}]}", out);
}

static void kvms_counts_are_per_vm_and_second(void **state)
{
	struct table *table;
	FILE *out;

	(void)state;
	write_two_vms(true); /* they take 2 and 4 s */
	out = create("one/rep-1/manifest.json");
	fputs("{\"instances\":[", out);
	write_member(out, "vm", 10);
	fputs(",", out);
	write_member(out, "vm", 26);
	fputs(",", out);
	write_member(out, "host-peer", 1000);
	fputs("]}", out);
	fclose(out);
	judged();
	assert_null(study_counts(&study)); /* not asked for */
	json_object_set_new(study.json, "counts", json_true());
	table = study_counts(&study);
	NEAR(in_row(table, "halt_exits_per_s")->number, 6); /* (10 + 26) / 2 VMs / 3 s */
	NEAR(in_row(table, "hypercalls_per_s")->number, 6);
	NEAR(in_row(table, "preempted_per_s")->number, 2);
	assert_true(isnan(in_row(table, "job_p999_ns")->number));
	table_free(table);
}

/* The other VM has died, so the repetition counts neither for the times nor here. */
static void a_repetition_left_out_is_left_out_here(void **state)
{
	FILE *out;

	(void)state;
	write_two_vms(true);
	out = create("one/rep-1/serial-1.log");
	boot(out);
	fclose(out);
	judged();
	assert_int_equal(study.cells[0].time.count, 0);
	assert_int_equal(study.cells[0].why.reps, 0);
}

/* Makes the table of two cells with six repetitions each, which differ by a few ms. In halts[0]
 * repetitions of a, and halts[1] of b, the vCPU also halts for 0.6 s. */
static struct table *table_of_two(const struct figures *a, const struct figures *b,
				  const int halts[2])
{
	char file[64];

	write_experiment("nested", "one", "", "two", "vm", "slower");
	for (int n = 1; n <= 6; n++) {
		struct figures x = *a, y = *b;

		x.running += n / 1000.0;
		y.running += (7 - n) / 1000.0;
		x.halted += n <= halts[0] ? 0.6 : 0;
		y.halted += n <= halts[1] ? 0.6 : 0;
		snprintf(file, sizeof(file), "one/rep-%d/serial-0.log", n);
		write_why(file, &x, true);
		snprintf(file, sizeof(file), "two/rep-%d/serial-0.log", n);
		write_why(file, &y, true);
	}
	judged();
	return study_why(&study, 1);
}

static void only_significant_parts_are_named(void **state)
{
	const struct figures slow = {.running = 1, .spinning = 0.5, .stolen = 0.8, .idle = 0.02};
	const struct figures fast = {.running = 1, .spinning = 0.2, .stolen = 0.1};
	struct table *table = table_of_two(&slow, &fast, (const int[]){3, 1});

	(void)state;
	/* idle is significant, but too small; halted, 16 % of it, is not significant */
	assert_string_equal(table->footnotes[0],
			    "A took 1.22 s longer than B. Of each vCPU's time: stolen 700 ms more "
			    "(57 % of it), spinning 300 ms more (25 % of it).");
	table_free(table);
}

static void the_first_cell_may_be_the_faster_one(void **state)
{
	const struct figures fast = {.running = 1, .spinning = 0.5};
	const struct figures slow = {.running = 1, .halted = 1.5, .stolen = 0.25};
	struct table *table = table_of_two(&fast, &slow, (const int[]){0, 0});

	(void)state;
	assert_string_equal(table->footnotes[0],
			    "B took 1.25 s longer than A. Of each vCPU's time: halted 1.50 s more "
			    "(120 % of it), spinning 500 ms less (-40 % of it), stolen 250 ms more "
			    "(20 % of it).");
	table_free(table);
}

static void an_insignificant_difference_is_not_explained(void **state)
{
	const struct figures same = {.running = 1, .spinning = 0.5};
	struct table *table = table_of_two(&same, &same, (const int[]){0, 0});

	(void)state;
	assert_string_equal(table->footnotes[0],
			    "The times of A and B do not differ significantly.");
	table_free(table);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, study_setup, study_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(parts_of_two_vms_add_up_to_the_time),
		CASE(counts_are_per_vm_and_second),
		CASE(kvms_counts_are_per_vm_and_second),
		CASE(without_a_steal_time_page_the_split_is_unknown),
		CASE(a_repetition_left_out_is_left_out_here),
		CASE(only_significant_parts_are_named),
		CASE(the_first_cell_may_be_the_faster_one),
		CASE(an_insignificant_difference_is_not_explained),
	};

	return cmocka_run_group_tests_name("study_why", tests, study_make_directory,
					   study_remove_directory);
}
