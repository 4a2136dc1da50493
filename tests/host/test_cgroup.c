/* SPDX-License-Identifier: MIT */
/* Tests port/hosted/cgroup.c, which finds the time that CPU quotas took, for both versions of
 * cgroups. */
#define _GNU_SOURCE
#include "tests/host/test.h"

#include "port/hosted/sched.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[] = "/tmp/cgroup-XXXXXX";

/* Writes a file below root, and makes its directories. */
static void write_file(const char *path, const char *text)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		mkdir(full, 0700);
		*at = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(strrchr(root, '-'), "-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int drop(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status;
	(void)kind;
	(void)at;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void first_version_counts_groups_above(void **state)
{
	(void)state;
	write_file("/proc/self/cgroup", "3:cpuset:/\n2:cpu,cpuacct:/a/b\n0::/a\n");
	write_file("/proc/self/mountinfo",
		   "30 1 0:20 / /sys/cpuset rw - cgroup cgroup rw,cpuset\n"
		   "31 1 0:21 / /sys/cpu rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n");
	write_file("/sys/cpuset/cpu.stat", "throttled_time 1\n");
	write_file("/sys/cpu/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n");
	write_file("/sys/cpu/a/cpu.stat", "nr_periods 9\nnr_throttled 2\nthrottled_time 5000\n");
	write_file("/sys/cpu/a/b/cpu.stat", "nr_periods 9\nnr_throttled 3\nthrottled_time 70000\n");
	write_file("/sys/cpu/a/c/cpu.stat", "throttled_time 1\n");
	assert_int_equal(hosted_throttled_ns(root), 75000);
}

static void second_version_counts_microseconds(void **state)
{
	(void)state;
	write_file("/proc/self/cgroup", "0::/user.slice/x\n");
	write_file("/proc/self/mountinfo", "30 1 0:20 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	write_file("/sys/fs/cgroup/user.slice/cpu.stat", "usage_usec 7\nthrottled_usec 20\n");
	write_file("/sys/fs/cgroup/user.slice/x/cpu.stat", "usage_usec 7\nthrottled_usec 3\n");
	assert_int_equal(hosted_throttled_ns(root), 23000);
}

/* In a container its own group is the root of the mount, with or without a namespace. */
static void a_container_counts_its_group_once(void **state)
{
	static const char *const cases[][2] = {
		{"0::/\n", "/"}, {"0::/docker/1\n", "/docker/1"}, {"0::/../other\n", "/"}};

	(void)state;
	write_file("/sys/fs/cgroup/cpu.stat", "throttled_usec 4\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char mount[128];

		snprintf(mount, sizeof(mount), "30 1 0:20 %s /sys/fs/cgroup ro - cgroup2 c ro\n",
			 cases[i][1]);
		write_file("/proc/self/cgroup", cases[i][0]);
		write_file("/proc/self/mountinfo", mount);
		assert_int_equal(hosted_throttled_ns(root), 4000);
	}
}

static void without_cgroups_the_time_is_0(void **state)
{
	(void)state;
	assert_int_equal(hosted_throttled_ns(root), 0);
	write_file("/proc/self/cgroup", "no colon\n1:cpu\n2:cpu:/gone\n");
	write_file("/proc/self/mountinfo",
		   "31 1 0:21 / /sys/cpu rw - cgroup cgroup rw,cpu\nshort - x\n");
	assert_int_equal(hosted_throttled_ns(root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(first_version_counts_groups_above, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(second_version_counts_microseconds, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_container_counts_its_group_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(without_cgroups_the_time_is_0, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
