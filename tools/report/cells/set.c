/* SPDX-License-Identifier: MIT */
/* Reads logs into a set: set_read() of data.h. */
#include "tools/report/base/data.h"
#include "tools/report/base/system.h"
#include "tools/report/cells/cells.h"
#include "tools/report/read/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_manifest(const char *path, struct log *log, struct notes *notes)
{
	json_error_t error;

	log->manifest = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(log->manifest)) {
		note_add(notes, false, "%s: not used: %s", path,
			 log->manifest ? "not a JSON object" : error.text);
		json_decref(log->manifest);
		log->manifest = NULL;
	}
}

/* Notes what only run.sh knew: how the instance ended, and that a log is missing. */
static void check_manifest(struct log *log, struct notes *notes)
{
	const json_t *instances = log_manifest(log, "instances", NULL);
	size_t count = json_array_size(instances);

	if (count > log->instances && log->instance == 0)
		note_add(notes, true, "%s: %zu instances ran, and there are %u logs", log->path,
			 count, log->instances);
	for (size_t i = 0; i < count; i++) {
		const json_t *instance = json_array_get(instances, i);
		const char *verdict = json_string_value(json_object_get(instance, "verdict"));
		const char *why = json_string_value(json_object_get(instance, "why"));
		const json_t *number = json_object_get(instance, "instance");

		if (!json_is_integer(number) || json_integer_value(number) != log->instance ||
		    verdict == NULL || strcmp(verdict, "ok") == 0)
			continue;
		note_add(notes, false, "%s: run.sh's verdict is %s: %s", log->path, verdict,
			 why ? why : "no reason given");
	}
}

static bool read_log(const struct found *found, struct log *log, struct set *set, uint64_t *memory)
{
	if (!log_read(found->path, log, &set->notes, memory))
		return file_error(found->path);
	log->instance = found->instance;
	log->instances = found->instances;
	log->call_run = found->call_run;
	log->call = found->call;
	if (found->manifest)
		read_manifest(found->manifest, log, &set->notes);
	check_manifest(log, &set->notes);
	return true;
}

static bool find_all(const char *const *paths, size_t count, struct found_list *found)
{
	bool all = true;

	for (size_t i = 0; i < count; i++)
		all &= find_logs(paths[i], found);
	return all;
}

static bool read_logs(const char *const *paths, size_t count, struct set *set)
{
	uint64_t memory = SET_MEMORY_BYTES;
	struct found_list found = {0};
	bool all = find_all(paths, count, &found);

	set->logs = memory_new(found.count, sizeof(set->logs[0]));
	for (size_t i = 0; i < found.count && all; i++)
		all = read_log(&found.list[i], &set->logs[set->log_count++], set, &memory);
	find_free(&found);
	return all;
}

void accel_mismatch(const char *name, const char *accel, const char *other, const char *other_accel,
		    const char *how)
{
	fprintf(stderr,
		"pvspin-report: %s ran under accel %s, %s under accel %s: figures of different "
		"classes are never %s\n",
		name, accel, other, other_accel, how);
}

/* Sets set->accel. Returns false, after a message, if the logs have several accelerator classes: a
 * rate under emulation and one on hardware do not measure the same thing. */
static bool find_class(struct set *set)
{
	const struct log *first = NULL;

	for (size_t i = 0; i < set->log_count; i++) {
		const struct log *log = &set->logs[i];

		if (!log->usable)
			continue;
		if (first == NULL) {
			first = log;
			set->accel = record_text(log->boot, "accel");
		} else if (strcmp(record_text(log->boot, "accel"), set->accel) != 0) {
			accel_mismatch(first->path, set->accel, log->path,
				       record_text(log->boot, "accel"), "mixed");
			return false;
		}
	}
	return true;
}

bool set_read(const char *const *paths, size_t count, struct set *set)
{
	*set = (struct set){.status = STATUS_OK};
	set->name = memory_copy(count == 1 ? paths[0] : "all logs");
	if (!read_logs(paths, count, set)) {
		set->status = STATUS_UNREADABLE;
		return false;
	}
	if (!find_class(set)) {
		set->status = STATUS_USAGE;
		return false;
	}
	cells_make(set);
	for (size_t i = 0; i < set->notes.count; i++) {
		if (set->notes.list[i].damage)
			set->status = STATUS_DAMAGED;
	}
	if (set_damaged_logs(set) > 0)
		set->status = STATUS_DAMAGED;
	return true;
}

void set_free(struct set *set)
{
	cells_free(set);
	for (size_t i = 0; i < set->log_count; i++)
		log_free(&set->logs[i]);
	free(set->logs);
	notes_free(&set->notes);
	free(set->name);
	*set = (struct set){0};
}
