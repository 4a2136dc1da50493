/* SPDX-License-Identifier: MIT */
/* Notes how the hosts of two logs differ, by manifest.json: see tables.h. */
#include "tools/report/tables/tables.h"

#include "tools/report/base/system.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SETTINGS 12 /* that are printed */
#define VALUE_CHARS   60

/* Returns a value as text, cut if it is long. The caller frees it. */
static char *text_of(const json_t *value)
{
	char *text = value == NULL           ? memory_copy("not known")
		     : json_is_string(value) ? memory_copy(json_string_value(value))
					     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	if (strlen(text) > VALUE_CHARS)
		strcpy(text + VALUE_CHARS, "...");
	return text;
}

static void note_values(struct notes *notes, const char *sentence, const char *name,
			const json_t *a, const json_t *b)
{
	char *text_a = text_of(a), *text_b = text_of(b);

	note_add(notes, false, "%s%s: A %s, B %s", sentence, name, text_a, text_b);
	free(text_a);
	free(text_b);
}

/* Notes the differences that make B's host another machine or kernel. */
static void note_identity(struct notes *notes, const char *where, const json_t *a, const json_t *b)
{
	static const char *const names[] = {"kernel", "cpu_model", "cpus", "microcode"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const json_t *of_a = json_object_get(a, names[i]),
			     *of_b = json_object_get(b, names[i]);
		char name[32];

		if (of_a == NULL || of_b == NULL || json_equal((json_t *)of_a, (json_t *)of_b))
			continue;
		snprintf(name, sizeof(name), "%s %s", where, names[i]);
		note_values(notes, "DIFFERENT HOSTS: ", name, of_a, of_b);
	}
}

/* Notes the settings (an object of names and values) that differ, or that only one side has. */
static void note_settings(struct notes *notes, const json_t *a, const json_t *b)
{
	const char *name;
	json_t *value;
	size_t count = 0;

	json_object_foreach((json_t *)a, name, value)
	{
		const json_t *other = json_object_get(b, name);

		if (other != NULL && json_equal(value, (json_t *)other))
			continue;
		if (count++ < MOST_SETTINGS)
			note_values(notes, "", name, value, other);
	}
	json_object_foreach((json_t *)b, name, value)
	{
		if (json_object_get(a, name) == NULL && count++ < MOST_SETTINGS)
			note_values(notes, "", name, NULL, value);
	}
	if (count > MOST_SETTINGS)
		note_add(notes, false, "and %zu more settings", count - MOST_SETTINGS);
}

static void note_host(struct notes *notes, const char *where, const json_t *a, const json_t *b)
{
	static const char *const groups[] = {"settings", "per_cpu"};

	note_identity(notes, where, a, b);
	if (json_object_get(a, "words") && json_object_get(b, "words") &&
	    !json_equal(json_object_get(a, "words"), json_object_get(b, "words")))
		note_values(notes, "", "kernel's command line", json_object_get(a, "words"),
			    json_object_get(b, "words"));
	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		const json_t *of_a = json_object_get(a, groups[i]),
			     *of_b = json_object_get(b, groups[i]);

		if (of_a != NULL && of_b != NULL)
			note_settings(notes, of_a, of_b);
	}
}

/* Returns the first usable log; NULL: none. */
static const struct log *first_log(const struct set *set)
{
	for (size_t i = 0; i < set->log_count; i++) {
		if (set->logs[i].usable)
			return &set->logs[i];
	}
	return NULL;
}

void hosts_compare(const struct log *a, const struct log *b, struct notes *notes)
{
	const json_t *host_a = log_manifest(a, "host", NULL),
		     *host_b = log_manifest(b, "host", NULL);
	const json_t *l1_a = log_manifest(a, "l1", NULL), *l1_b = log_manifest(b, "l1", NULL);
	const json_t *qemu_a = log_manifest(a, "qemu", NULL),
		     *qemu_b = log_manifest(b, "qemu", NULL);

	if (host_a == NULL || host_b == NULL) {
		note_add(notes, false,
			 "whether the hosts are the same is not known: %s manifest.json "
			 "that says so.",
			 host_a == NULL && host_b == NULL ? "neither A nor B has a"
			 : host_a == NULL                 ? "A has no"
							  : "B has no");
	} else {
		note_host(notes, "host's", host_a, host_b);
	}
	if (json_is_object(l1_a) && json_is_object(l1_b))
		note_host(notes, "nested host's", l1_a, l1_b);
	if (qemu_a && qemu_b && !json_equal((json_t *)qemu_a, (json_t *)qemu_b))
		note_values(notes, "", "QEMU", qemu_a, qemu_b);
	if (strcmp(record_text(a->boot, "cpu_model"), record_text(b->boot, "cpu_model")) != 0)
		note_values(notes, "DIFFERENT HOSTS: ", "CPU that the guest sees",
			    json_object_get(a->boot->json, "cpu_model"),
			    json_object_get(b->boot->json, "cpu_model"));
}

void hosts_compare_sets(const struct set *a, const struct set *b, struct notes *notes)
{
	const struct log *of_a = first_log(a), *of_b = first_log(b);

	if (of_a != NULL && of_b != NULL)
		hosts_compare(of_a, of_b, notes);
}

/* Compares machine and kernel only: the calls of a set may differ in settings on purpose. */
void hosts_limit(const struct set *set, struct notes *limits)
{
	const struct log *first = NULL;
	struct notes found = {0};

	for (size_t i = 0; i < set->log_count && found.count == 0; i++) {
		const struct log *log = &set->logs[i];

		if (!log->usable || log_manifest(log, "host", NULL) == NULL)
			continue;
		first = first ? first : log;
		note_identity(&found, "host's", log_manifest(first, "host", NULL),
			      log_manifest(log, "host", NULL));
		note_identity(&found, "nested host's", log_manifest(first, "l1", NULL),
			      log_manifest(log, "l1", NULL));
	}
	for (size_t i = 0; i < found.count; i++)
		note_add(limits, false, "%s (two logs of this set)", found.list[i].text);
	notes_free(&found);
}
