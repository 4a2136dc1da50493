/* SPDX-License-Identifier: MIT */
/* Which cell of B belongs to a cell of A: see compare.h. */
#include "tools/report/tables/compare.h"

#include <string.h>

static bool same_core(const struct cell_key *a, const struct cell_key *b)
{
	return a->threads == b->threads && a->tasks == b->tasks && a->hold == b->hold &&
	       a->think == b->think && strcmp(a->lock, b->lock) == 0 &&
	       strcmp(a->workload, b->workload) == 0;
}

static bool same_key(const struct cell_key *a, const struct cell_key *b)
{
	return same_core(a, b) && a->instances == b->instances && a->instance == b->instance &&
	       strcmp(a->dispatch, b->dispatch) == 0 && strcmp(a->pv_backend, b->pv_backend) == 0 &&
	       strcmp(a->settings, b->settings) == 0;
}

/* One of several instances is not what another set's lone one is compared with. */
static bool stands_for_all(const struct cell_key *key)
{
	return !key->damaged && (key->instances == 1 || key->instance == CELL_TOGETHER);
}

/* The only one of its core; NULL: none, or several. */
static const struct cell *only(const struct set *set, const struct cell_key *key)
{
	const struct cell *found = NULL;

	for (size_t i = 0; i < set->cell_count; i++) {
		const struct cell *cell = &set->cells[i];

		if (!stands_for_all(&cell->key) || !same_core(&cell->key, key))
			continue;
		if (found)
			return NULL;
		found = cell;
	}
	return found;
}

const struct cell *compare_counterpart(const struct set *a, const struct cell *cell,
				       const struct set *b)
{
	const struct cell *other;

	if (cell->key.damaged)
		return NULL;
	for (size_t i = 0; i < b->cell_count; i++) {
		if (!b->cells[i].key.damaged && same_key(&b->cells[i].key, &cell->key))
			return &b->cells[i];
	}
	if (only(a, &cell->key) != cell)
		return NULL;
	other = only(b, &cell->key);
	return other && other->fixed_work == cell->fixed_work ? other : NULL;
}
