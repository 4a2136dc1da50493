/* SPDX-License-Identifier: MIT */
/* The columns that say which cell a row is: see tables.h. */
#include "tools/report/tables/tables.h"

#include "tools/report/base/system.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct table_column columns[IDENTITY_COLUMNS] = {
	{"lock", "", "lock", true, false},         {"workload", "", "workload", true, true},
	{"threads", "", "threads", false, true},   {"tasks", "", "tasks", false, true},
	{"VM", "", "instance", true, true},        {"hold", "", "hold", false, true},
	{"think", "", "think", false, true},       {"dispatch", "", "dispatch", true, true},
	{"backend", "", "pv_backend", true, true}, {"settings", "", "settings", true, true},
};

struct table_column *identity_columns(const struct table_column *more, size_t count)
{
	struct table_column *all = memory_new(IDENTITY_COLUMNS + count, sizeof(columns[0]));

	memcpy(all, columns, sizeof(columns));
	memcpy(all + IDENTITY_COLUMNS, more, count * sizeof(columns[0]));
	return all;
}

static void add_u64(struct table *table, uint64_t number)
{
	table_number(table, (double)number, "%" PRIu64, number);
}

/* True if "name=value" is one of the words of `settings`. */
static bool has_word(const char *settings, const char *word, size_t length)
{
	while (*settings != '\0') {
		size_t here = strcspn(settings, " ");

		if (here == length && strncmp(settings, word, length) == 0)
			return true;
		settings += here + (settings[here] == ' ');
	}
	return false;
}

/* True if all cells of a lock (NULL: of all locks) have this setting. */
static bool all_have(const struct set *set, const char *lock, const char *word, size_t length)
{
	for (size_t i = 0; i < set->cell_count; i++) {
		const struct cell_key *key = &set->cells[i].key;

		if ((lock == NULL || strcmp(key->lock, lock) == 0) &&
		    !has_word(key->settings, word, length))
			return false;
	}
	return true;
}

/* Returns the words of `settings` that all cells of a lock have, or (common false) not all. */
static char *pick_settings(const struct set *set, const char *settings, const char *lock,
			   bool common)
{
	char *picked = memory_new(strlen(settings) + 1, 1), *to = picked;

	while (*settings != '\0') {
		size_t length = strcspn(settings, " ");

		if (all_have(set, lock, settings, length) == common) {
			if (to != picked)
				*to++ = ' ';
			memcpy(to, settings, length);
			to += length;
		}
		settings += length + (settings[length] == ' ');
	}
	return picked;
}

char *identity_common_settings(const struct set *set)
{
	return pick_settings(set, set->cell_count ? set->cells[0].key.settings : "", NULL, true);
}

static void add_and_free(struct table *table, char *text)
{
	table_text(table, text);
	free(text);
}

/* Leaves Tasks empty if there are as many tasks as threads, and VM if there is one VM. */
static void add_tasks_and_vm(struct table *table, const struct cell_key *key)
{
	if (key->tasks == key->threads)
		table_number(table, (double)key->tasks, "%s", "");
	else
		add_u64(table, key->tasks);
	if (key->instances == 1)
		table_text(table, "");
	else if (key->instance == CELL_JOINED)
		add_and_free(table, memory_print("all %u", key->instances));
	else
		add_and_free(table, memory_print("%d of %u", key->instance, key->instances));
}

void identity_add(struct table *table, const struct set *set, const struct cell *cell)
{
	const struct cell_key *key = &cell->key;

	add_and_free(table,
		     memory_print("%s%s%s%s", key->lock, key->damaged ? " *" : "",
				  cell->incomplete ? " +" : "", cell->excludes_nobody ? " ^" : ""));
	table_text(table, key->workload);
	add_u64(table, key->threads);
	add_tasks_and_vm(table, key);
	add_u64(table, key->hold);
	add_u64(table, key->think);
	table_text(table, key->dispatch);
	table_text(table, key->pv_backend);
	add_and_free(table, pick_settings(set, key->settings, key->lock, false));
}

void identity_footnotes(struct table *table, const struct set *set)
{
	bool damaged = false, incomplete = false, null = false;

	for (size_t i = 0; i < set->cell_count; i++) {
		damaged |= set->cells[i].key.damaged;
		incomplete |= set->cells[i].incomplete > 0;
		null |= set->cells[i].excludes_nobody;
	}
	if (damaged)
		table_footnote(table, "*: from damaged logs, apart from whole ones. Do not use.");
	if (incomplete)
		table_footnote(table, "+: a repetition stopped before it had done its ops=.");
	if (null)
		table_footnote(table, "^: excludes nobody: the measuring loop by itself.");
}
