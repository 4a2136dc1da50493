/* SPDX-License-Identifier: MIT */
/*
 * Finds out how long CPU quotas have stopped this process, by cgroups of both versions. Files:
 * cgroups(7), Linux Documentation/admin-guide/cgroup-v2.rst (cpu.stat, throttled_usec) and
 * scheduler/sched-bwc.rst (version 1: throttled_time, in ns). Each group counts only the effect of
 * its own quota, so the parent groups count, too, as far as they are mounted here.
 */
#include "port/hosted/sched.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES (2 * PATH_MAX)

/* Whether the comma-separated list has the word. */
static bool lists(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
		if ((at == list || at[-1] == ',') &&
		    (at[length] == ',' || at[length] == '\0' || at[length] == '\n'))
			return true;
	return false;
}

/* /proc/self/cgroup, "ID:CONTROLLERS:PATH": version 2 has ID 0 and no controllers. */
static bool find_group(const char *root, bool second, char path[PATH_MAX])
{
	char line[LINE_BYTES];
	bool found = false;
	FILE *file;

	snprintf(line, sizeof(line), "%s/proc/self/cgroup", root);
	file = fopen(line, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		char *controllers = strchr(line, ':');
		char *group = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!group)
			continue;
		*group++ = '\0';
		group[strcspn(group, "\n")] = '\0';
		found = second ? controllers[1] == '\0' : lists(controllers + 1, "cpu");
		if (found)
			snprintf(path, PATH_MAX, "%s", group);
	}
	if (file)
		fclose(file);
	return found;
}

/* /proc/self/mountinfo, proc(5): "... ROOT MOUNT-POINT OPTIONS ... - TYPE SOURCE SUPER-OPTIONS" */
static bool find_mount(const char *root, bool second, char top[PATH_MAX], char point[PATH_MAX])
{
	static const char format[] = "%*s %*s %*s %4095s %4095s";
	char line[LINE_BYTES], type[16], options[1024];
	bool found = false;
	FILE *file;

	_Static_assert(PATH_MAX == 4096, "as in the format");
	snprintf(line, sizeof(line), "%s/proc/self/mountinfo", root);
	file = fopen(line, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		const char *rest = strstr(line, " - ");

		if (!rest || sscanf(rest, " - %15s %*s %1023s", type, options) != 2)
			continue;
		found = strcmp(type, second ? "cgroup2" : "cgroup") == 0 &&
			(second || lists(options, "cpu")) && sscanf(line, format, top, point) == 2;
	}
	if (file)
		fclose(file);
	return found;
}

static uint64_t throttled_in(const char *directory)
{
	char path[LINE_BYTES + 16], key[64];
	unsigned long long value;
	uint64_t ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/cpu.stat", directory);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fscanf(file, "%63s %llu", key, &value) == 2) {
		if (strcmp(key, "throttled_usec") == 0)
			ns = value * 1000;
		else if (strcmp(key, "throttled_time") == 0)
			ns = value;
	}
	fclose(file);
	return ns;
}

static uint64_t throttled_by(const char *root, bool second)
{
	char group[PATH_MAX], top[PATH_MAX], point[PATH_MAX], directory[LINE_BYTES];
	const char *below = group;
	uint64_t ns = 0;
	size_t least;

	if (!find_group(root, second, group) || !find_mount(root, second, top, point))
		return 0;
	/* in a container, the root of the file system is its own group or a parent */
	if (strcmp(top, "/") != 0)
		below = strncmp(group, top, strlen(top)) == 0 ? group + strlen(top) : "";
	if (strcmp(below, "/") == 0 || strncmp(below, "/..", 3) == 0)
		below = "";
	snprintf(directory, sizeof(directory), "%s%s%s", root, point, below);
	least = strlen(root) + strlen(point);
	while (strlen(directory) >= least) {
		ns += throttled_in(directory);
		*strrchr(directory, '/') = '\0';
	}
	return ns;
}

uint64_t hosted_throttled_ns(const char *root)
{
	return throttled_by(root, false) + throttled_by(root, true);
}
