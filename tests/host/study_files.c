/* SPDX-License-Identifier: MIT */
/* See study_files.h. */
#define _GNU_SOURCE
#include "tests/host/study_files.h"

#include "tests/host/test.h"
#include "tools/report/base/data.h"
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 400

char study_directory[] = "/tmp/pvspin-test-study-XXXXXX";

FILE *create(const char *file)
{
	char path[PATH_BYTES];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", study_directory, file);
	for (char *slash = strchr(path + sizeof(study_directory), '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	out = fopen(path, "w");
	assert_non_null(out);
	return out;
}

void boot(FILE *out)
{
	fputs("{\"type\":\"boot\",\"seq\":1,\"schema\":1,\"version\":\"v\",\"build\":\"b\","
	      "\"loader\":\"multiboot\",\"cmdline\":\"\",\"accel\":\"nested\",\"hypervisor\":"
	      "\"KVM\","
	      "\"kvm_features\":0,\"kvm_hints\":0,\"pv_unhalt\":true,\"cpu_vendor\":\"x\","
	      "\"cpu_model\":\"x\",\"tsc_khz\":1000,\"tsc_source\":\"x\",\"vcpus\":1,"
	      "\"vcpus_online\":1,\"apic_mode\":\"x\",\"boot_cycles\":1}\n",
	      out);
}

void run_record(FILE *out, unsigned seq, const char *lock, double seconds, const char *more)
{
	fprintf(out,
		"{\"type\":\"run\",\"seq\":%u,\"run\":%u,\"lock\":\"%s\",\"workload\":\"kbuild\","
		"\"threads\":1,\"tasks\":2,\"rep\":1,\"dispatch\":\"inline\",\"hold\":0,"
		"\"think\":0,\"elapsed_cycles\":1,\"elapsed_ns\":%.0f,\"ops\":1,\"ops_min\":1,"
		"\"ops_max\":1,\"halts\":0,\"kicks\":0,\"spurious_wakeups\":0,\"yields\":0,"
		"\"lock_steals\":0,\"lhp_events\":0,\"lhp_cycles\":0,\"lwp_events\":0,"
		"\"lwp_cycles\":0,\"steal_ns\":0%s}\n",
		seq, seq - 1, lock, seconds * 1e9, more);
}

void end(FILE *out, unsigned seq)
{
	fprintf(out,
		"{\"type\":\"end\",\"seq\":%u,\"records\":%u,\"verdict\":\"ok\",\"failed\":0,"
		"\"skipped\":0,\"findings\":0,\"reason\":\"\"}\n",
		seq, seq);
}

/* Writes a whole log of one run. */
static void write_log(const char *file, double seconds)
{
	FILE *out = create(file);

	boot(out);
	run_record(out, 2, "mcs", seconds, "");
	end(out, 3);
	fclose(out);
}

void write_logs(const char *run, const char *log, const double *seconds, size_t count)
{
	char file[PATH_BYTES];

	for (size_t i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s/rep-%zu/%s", run, i + 1, log);
		if (seconds[i] > 0)
			write_log(file, seconds[i]);
	}
}

void write_experiment(const char *accel, const char *run_a, const char *lock_a, const char *run_b,
		      const char *where_b, const char *kind)
{
	FILE *out = create("experiment.json");
	const char *runs[2] = {run_a, run_b};

	fprintf(out,
		"{\"schema\":1,\"name\":\"x\",\"title\":\"t\",\"study\":\"s\",\"accel\":\"%s\","
		"\"host_cpus\":2,\"vcpus\":2,\"runs\":6,\"skipped\":null,\"summary\":false,"
		"\"cells\":[",
		accel);
	for (int i = 0; i < 2; i++) {
		fprintf(out, "%s{\"name\":\"%c\",\"run\":\"%s\",\"where\":\"%s\",\"label\":\"%c\",",
			i ? "," : "", 'a' + i, runs[i], i ? where_b : "vm", 'A' + i);
		fprintf(out, "\"field\":\"elapsed_ns\",\"lock\":");
		fprintf(out, !i && lock_a[0] ? "\"%s\"," : "null,", lock_a);
		fprintf(out, "\"study\":%s,\"directories\":[",
			i ? "{\"low\":200,\"high\":300}" : "{\"mean\":500,\"sd\":50}");
		for (int n = 1; n <= 6; n++)
			fprintf(out, "%s\"%s/rep-%d\"", n > 1 ? "," : "", runs[i], n);
		fputs("]}", out);
	}
	fprintf(out,
		"],\"findings\":[{\"kind\":\"%s\",\"cell\":\"a\",\"other\":\"b\",\"text\":\"f\"}]}"
		"\n",
		kind);
	fclose(out);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type;
	return walk->level ? remove(path) : 0;
}

struct study study;
struct notes notes;

int study_setup(void **state)
{
	(void)state;
	memset(&notes, 0, sizeof(notes));
	return 0;
}

int study_teardown(void **state)
{
	(void)state;
	study_free(&study);
	notes_free(&notes);
	return nftw(study_directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int study_make_directory(void **state)
{
	(void)state;
	return mkdtemp(study_directory) ? 0 : -1;
}

int study_remove_directory(void **state)
{
	(void)state;
	return remove(study_directory);
}

const struct study_finding *judged(void)
{
	assert_true(study_exists(study_directory));
	assert_true(study_read(study_directory, &study, &notes));
	assert_int_equal(study.finding_count, 1);
	return &study.findings[0];
}
