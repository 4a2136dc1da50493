/* SPDX-License-Identifier: MIT */
/* Finding logs: see read.h. walk() follows no link to a directory, so it never loops. */
#include "tools/report/read/read.h"

#include "tools/report/base/system.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_LOGS 4096
/* experiment/configuration/run-<n>/, and some levels to spare */
#define MOST_LEVELS 6
/* run.sh writes some KiB per vCPU; a larger file is not its own */
#define MANIFEST_BYTES (16 << 20)

/* If the name is prefix, number, suffix: sets *number and returns true. */
static bool parse_numbered(const char *name, const char *prefix, const char *suffix,
			   unsigned *number)
{
	size_t length = strlen(prefix);
	unsigned long value;
	char *end;

	if (strncmp(name, prefix, length) != 0 || name[length] < '0' || name[length] > '9')
		return false;
	errno = 0;
	value = strtoul(name + length, &end, 10);
	if (errno != 0 || value > INT_MAX || strcmp(end, suffix) != 0)
		return false;
	*number = (unsigned)value;
	return true;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Appends a log and takes ownership of its path. Returns NULL if the log is in the list already. */
static struct found *add_log(struct found_list *found, char *path)
{
	struct stat status = {0};
	bool exists = stat(path, &status) == 0;

	found->seen++;
	for (size_t i = 0; exists && i < found->count; i++) {
		if (found->list[i].inode == status.st_ino &&
		    found->list[i].device == status.st_dev) {
			fprintf(stderr, "pvspin-report: %s: named twice, read once\n", path);
			free(path);
			return NULL;
		}
	}
	found->list = memory_grow(found->list, found->count, sizeof(found->list[0]));
	found->list[found->count] = (struct found){.path = path,
						   .instances = 1,
						   .call_run = 1,
						   .call = found->calls,
						   .device = status.st_dev,
						   .inode = status.st_ino};
	return &found->list[found->count++];
}

static void add_file(const char *path, struct found_list *found)
{
	found->calls += add_log(found, memory_copy(path)) != NULL;
}

static bool is_small_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
	       status.st_size <= MANIFEST_BYTES;
}

/* Adds the logs of one directory. Their instances ran at once. */
static void add_directory(const char *directory, struct dirent **entry, int entries,
			  struct found_list *found)
{
	char *manifest = memory_print("%s/manifest.json", directory);
	bool has_manifest = is_small_file(manifest);
	size_t first = found->count;
	unsigned instance, run = 1;

	parse_numbered(last_part(directory), "run-", "", &run);
	for (int i = 0; i < entries && found->count < MOST_LOGS; i++) {
		struct found *log;

		if (!parse_numbered(entry[i]->d_name, "serial-", ".log", &instance))
			continue;
		log = add_log(found, memory_print("%s/%s", directory, entry[i]->d_name));
		if (log == NULL)
			continue;
		log->instance = instance;
		log->call_run = run;
		log->manifest = has_manifest ? memory_copy(manifest) : NULL;
	}
	for (size_t i = first; i < found->count; i++)
		found->list[i].instances = (unsigned)(found->count - first);
	found->calls += found->count > first;
	free(manifest);
}

static bool is_directory(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0 && S_ISDIR(stat.st_mode);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool walk(const char *directory, int levels, struct found_list *found)
{
	struct dirent **entry;
	int entries = scandir(directory, &entry, visible, versionsort);

	if (entries < 0)
		return file_error(directory);
	add_directory(directory, entry, entries, found);
	for (int i = 0; i < entries; i++) {
		char *path = memory_print("%s/%s", directory, entry[i]->d_name);

		if (levels > 1 && found->count < MOST_LOGS && is_directory(path))
			walk(path, levels - 1, found);
		free(path);
		free(entry[i]);
	}
	free(entry);
	return true;
}

bool find_logs(const char *path, struct found_list *found)
{
	size_t before = found->seen;
	struct stat stat_buffer;

	if (stat(path, &stat_buffer) != 0)
		return file_error(path);
	if (!S_ISDIR(stat_buffer.st_mode)) {
		add_file(path, found);
		return true;
	}
	if (!walk(path, MOST_LEVELS, found))
		return false;
	if (found->seen == before) {
		fprintf(stderr,
			"pvspin-report: %s: no log in this directory or below; "
			"logs are called serial-<instance>.log\n",
			path);
		return false;
	}
	if (found->count >= MOST_LOGS)
		fprintf(stderr, "pvspin-report: %s: only the first %d logs are read\n", path,
			MOST_LOGS);
	return true;
}

void find_free(struct found_list *found)
{
	for (size_t i = 0; i < found->count; i++) {
		free(found->list[i].path);
		free(found->list[i].manifest);
	}
	free(found->list);
	*found = (struct found_list){0};
}
