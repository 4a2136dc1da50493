/* SPDX-License-Identifier: MIT */
/* Which cell a row is: see identity.h. */
#include "tools/report/identity.h"

#include "tools/report/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct table_column columns[IDENTITY_COLUMNS] = {
	{"lock", "", "lock", true, false},        {"workload", "", "workload", true, true},
	{"threads", "", "threads", false, true},  {"tasks", "", "tasks", false, true},
	{"VM", "", "instance", true, true},       {"of", "", "instances", false, true},
	{"hold", "", "hold", false, true},        {"think", "", "think", false, true},
	{"dispatch", "", "dispatch", true, true}, {"backend", "", "pv_backend", true, true},
	{"settings", "", "settings", true, true},
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

void identity_add(struct table *table, const struct cell *cell)
{
	const struct cell_key *key = &cell->key;
	char *lock = memory_print("%s%s%s%s", key->lock, key->damaged ? MARK_DAMAGED : "",
				  cell->incomplete ? MARK_INCOMPLETE : "",
				  cell->excludes_nobody ? MARK_NULL : "");
	char instance[16] = "all";

	if (key->instance != CELL_TOGETHER)
		snprintf(instance, sizeof(instance), "%d", key->instance);
	table_text(table, lock);
	free(lock);
	table_text(table, key->workload);
	add_u64(table, key->threads);
	add_u64(table, key->tasks);
	table_text(table, instance);
	add_u64(table, key->instances);
	add_u64(table, key->hold);
	add_u64(table, key->think);
	table_text(table, key->dispatch);
	table_text(table, key->pv_backend);
	table_text(table, key->settings);
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
