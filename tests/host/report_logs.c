/* SPDX-License-Identifier: MIT */
/* See report_logs.h. */
#include "tests/host/report_logs.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/pvspin report XXXXXX"; /* with a space, as paths may have */

int logs_begin(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat;
	(void)type;
	(void)walk;
	return remove(path);
}

int logs_end(void **state)
{
	(void)state;
	return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *logs_path(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			abort();
		*slash = '/';
	}
}

struct made log_empty(const char *name)
{
	struct made log = {.seq = 0};
	FILE *file;

	snprintf(log.path, sizeof(log.path), "%s", logs_path(name));
	make_directories(log.path);
	file = fopen(log.path, "w");
	if (file == NULL || fclose(file) != 0)
		abort();
	return log;
}

static void append(const struct made *log, const char *format, va_list arguments)
{
	FILE *file = fopen(log->path, "a");

	if (file == NULL || vfprintf(file, format, arguments) < 0 || fclose(file) != 0)
		abort();
}

void log_line(struct made *log, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	append(log, format, arguments);
	va_end(arguments);
}

void log_record(struct made *log, const char *type, const char *format, ...)
{
	va_list arguments;

	log_line(log, "{\"type\":\"%s\",\"seq\":%u,", type, ++log->seq);
	va_start(arguments, format);
	append(log, format, arguments);
	va_end(arguments);
	log_line(log, "}\n");
}

struct made log_begin(const char *name, const char *accel)
{
	struct made log = log_empty(name);

	log_record(&log, "boot",
		   "\"schema\":1,\"version\":\"v\",\"build\":\"gcc\",\"loader\":\"multiboot\","
		   "\"cmdline\":\"\",\"accel\":\"%s\",\"hypervisor\":\"KVM\",\"kvm_features\":0,"
		   "\"kvm_hints\":0,\"pv_unhalt\":true,\"steal_time\":true,\"cpu_vendor\":\"v\","
		   "\"cpu_model\":\"m\",\"tsc_khz\":1000000,\"tsc_source\":\"pit\",\"vcpus\":4,"
		   "\"vcpus_online\":4,\"apic_mode\":\"xapic\",\"boot_cycles\":1",
		   accel);
	return log;
}

void log_run(struct made *log, unsigned run, const char *lock, unsigned rep, unsigned threads,
	     const unsigned *ops, const char *more)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < threads; i++)
		sum += ops[i];
	log_record(
		log, "run",
		"\"run\":%u,\"lock\":\"%s\",\"workload\":\"contended\",\"threads\":%u,\"tasks\":%u,"
		"\"rep\":%u,\"dispatch\":\"inline\",\"hold\":1,\"think\":2,\"pv_backend\":\"kvm\","
		"\"elapsed_cycles\":1000000000,\"elapsed_ns\":1000000000,\"ops\":%u,"
		"\"ops_min\":0,\"ops_max\":%u,\"halts\":4,\"kicks\":3,\"spurious_wakeups\":0,"
		"\"yields\":0,\"lock_steals\":0,\"lhp_events\":2,\"lhp_cycles\":7,\"lhp_wait_"
		"cycles\":21,"
		"\"lwp_events\":1,\"lwp_cycles\":5,\"wait_max_cycles\":900,\"steal_ns\":0%s",
		run, lock, threads, threads, rep, sum, sum, more);
	for (unsigned i = 0; i < threads; i++)
		log_record(
			log, "vcpu",
			"\"run\":%u,\"lock\":\"%s\",\"cpu\":%u,\"apic_id\":%u,\"ops\":%u,"
			"\"wait_cycles\":400000000,\"wait_max_cycles\":1,\"halts\":1,\"kicks\":0,"
			"\"spurious_wakeups\":0,\"yields\":0,\"halt_cycles\":100000000,"
			"\"steal_ns\":500000000",
			run, lock, i, i, ops[i]);
}

void log_end(struct made *log)
{
	log_record(log, "end",
		   "\"records\":%u,\"verdict\":\"ok\",\"failed\":0,\"skipped\":0,\"reason\":\"\"",
		   log->seq + 1);
}

bool has_note(const struct notes *notes, const char *part)
{
	for (size_t i = 0; i < notes->count; i++) {
		if (strstr(notes->list[i].text, part))
			return true;
	}
	return false;
}

bool any_damage(const struct notes *notes)
{
	for (size_t i = 0; i < notes->count; i++) {
		if (notes->list[i].damage)
			return true;
	}
	return false;
}
