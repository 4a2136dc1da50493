/* SPDX-License-Identifier: MIT */
/* --compare finds the counterparts and makes their table; stats.h has the statistics. */
#include "tools/report/base/data.h"
#include "tools/report/base/system.h"
#include "tools/report/cells/cells.h"
#include "tools/report/cells/stats.h"
#include "tools/report/tables/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct table_column columns[] = {
	{"A and B differ in", "", "differ", true, true},
	{"merit", "", "merit", true, true},
	{"A", "", "a_mean", false, false},
	{"± sd", "%", "a_sd_percent", false, false},
	{"n", "", "a_reps", false, false},
	{"boots", "", "a_boots", false, false},
	{"B", "", "b_mean", false, false},
	{"± sd", "%", "b_sd_percent", false, false},
	{"n", "", "b_reps", false, false},
	{"boots", "", "b_boots", false, false},
	{"B / A", "", "ratio", false, false},
	{"from", "95 %", "ratio_low", false, false},
	{"to", "95 %", "ratio_high", false, false},
	{"p", "", "p", false, false},
	{"Holm", "", "p_holm", false, false},
	{"test", "", "test", true, false},
	{"B is", "", "verdict", true, false},
};

bool compare_allowed(const struct set *a, const struct set *b)
{
	if (a->accel == NULL || b->accel == NULL || strcmp(a->accel, b->accel) == 0)
		return true;
	accel_mismatch(a->name, a->accel, b->name, b->accel, "compared");
	return false;
}

/* Counterparts may differ in these parts of the key. */
#define KEY_FREE (KEY_INSTANCE | KEY_INSTANCES | KEY_DAMAGED | KEY_SETUP | KEY_SETTINGS)

/* False for one of several instances: it has no counterpart in a set of lone instances. */
static bool represents_all_instances(const struct cell_key *key)
{
	return !key->damaged && (key->instances == 1 || key->instance == CELL_JOINED);
}

/* Returns the only cell that may be a counterpart of this key; NULL if there are none or several.
 */
static const struct cell *only_candidate(const struct set *set, const struct cell_key *key)
{
	const struct cell *found = NULL;

	for (size_t i = 0; i < set->cell_count; i++) {
		const struct cell *cell = &set->cells[i];

		if (!represents_all_instances(&cell->key) || !keys_match(&cell->key, key, KEY_FREE))
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
		if (keys_match(&b->cells[i].key, &cell->key, 0))
			return &b->cells[i];
	}
	if (only_candidate(a, &cell->key) != cell)
		return NULL;
	other = only_candidate(b, &cell->key);
	return other && other->fixed_work == cell->fixed_work ? other : NULL;
}

/* Appends the words of `from` that `other` lacks: "A: spin_threshold=1024". */
static void add_difference(char *text, size_t size, const char *side, const char *from,
			   const char *other)
{
	char *copy = memory_copy(from), *rest = copy, *word;
	char *padded = memory_print(" %s ", other);

	while ((word = strsep(&rest, " ")) != NULL) {
		char *searched = memory_print(" %s ", word);
		size_t used = strlen(text);

		if (strstr(padded, searched) == NULL)
			snprintf(text + used, size - used, "%s%s: %s", used ? ", " : "", side,
				 word);
		free(searched);
	}
	free(copy);
	free(padded);
}

static char *all_settings(const struct cell_key *key)
{
	return memory_print("dispatch=%s backend=%s instances=%u %s", key->dispatch,
			    key->pv_backend, key->instances, key->settings);
}

static void add_differences(struct table *table, const struct cell *a, const struct cell *b)
{
	char *of_a = all_settings(&a->key), *of_b = all_settings(&b->key), text[512] = "";

	add_difference(text, sizeof(text), "A", of_a, of_b);
	add_difference(text, sizeof(text), "B", of_b, of_a);
	table_text(table, text);
	free(of_a);
	free(of_b);
}

/* Two counterparts: a row of the table. */
struct pair {
	const struct cell *a, *b;
	size_t a_boots, b_boots;
	struct two_sample result;
	double p_holm;
};

static struct pair pair_of(const struct cell *a, const struct cell *b)
{
	struct pair pair = {.a = a, .b = b};
	struct sample of_a = cell_independent(a, SAMPLE_MERIT, &pair.a_boots);
	struct sample of_b = cell_independent(b, SAMPLE_MERIT, &pair.b_boots);

	pair.result = two_sample(of_a.value, of_a.count, of_b.value, of_b.count);
	free(of_a.value);
	free(of_b.value);
	return pair;
}

static void correct_by_holm(struct pair *pairs, size_t count)
{
	double *p = memory_new(count + 1, sizeof(*p));

	for (size_t i = 0; i < count; i++)
		p[i] = pairs[i].result.p;
	holm(p, count);
	for (size_t i = 0; i < count; i++)
		pairs[i].p_holm = p[i];
	free(p);
}

static void add_side(struct table *table, const struct cell *cell, size_t boots)
{
	struct stats merit = stats_of(&cell->sample[SAMPLE_MERIT]);
	double percent = merit.mean > 0 ? merit.sd / merit.mean * 100 : NAN;

	table_count(table, merit.mean);
	table_percent(table, percent);
	table_number(table, (double)merit.count, "%zu", merit.count);
	table_number(table, (double)boots, "%zu", boots);
}

static const char *const test_names[] = {
	[TEST_NONE] = "none",
	[TEST_WELCH] = "Welch",
	[TEST_MANN_WHITNEY_EXACT] = "Mann-Whitney",
	[TEST_MANN_WHITNEY_NORMAL] = "M-W, normal",
};

/* A higher rate is faster, and so is a shorter time. */
static const char *verdict(const struct pair *pair)
{
	const struct two_sample *result = &pair->result;
	bool higher = result->ratio > 1;

	if (result->test == TEST_NONE || isnan(result->p))
		return "unknown";
	if (result->least_p > ALPHA)
		return "? too few";
	if (pair->p_holm > ALPHA || isnan(result->ratio) || result->ratio == 1)
		return "~ no difference";
	return higher == !pair->a->fixed_work ? "faster" : "SLOWER";
}

/* Prints three decimals near 1, three digits far from it. */
static void add_ratio(struct table *table, double ratio)
{
	table_number(table, ratio, ratio >= 0.1 && ratio < 10 ? "%.3f" : "%.3g", ratio);
}

static void add_result(struct table *table, const struct pair *pair)
{
	const struct two_sample *result = &pair->result;

	add_ratio(table, result->ratio);
	add_ratio(table, result->low);
	add_ratio(table, result->high);
	table_number(table, result->p, result->p < 0.0001 ? "< 0.0001" : "%.4f", result->p);
	table_number(table, pair->p_holm, pair->p_holm < 0.0001 ? "< 0.0001" : "%.4f",
		     pair->p_holm);
	table_text(table, test_names[result->test]);
	table_text(table, verdict(pair));
}

static void add_footnotes(struct table *table, const struct set *a, const struct pair *pairs)
{
	size_t few = 0, one_boot = 0;

	for (size_t row = 0; row < table->row_count; row++) {
		few += pairs[row].result.least_p > ALPHA;
		one_boot += pairs[row].a_boots == 1 || pairs[row].b_boots == 1;
	}
	identity_footnotes(table, a);
	table_footnote(table,
		       "~: p by Holm for %zu rows > 0.05. That does not prove equality: the "
		       "interval says how large a difference may hide.",
		       table->row_count);
	if (few > 0)
		table_footnote(table,
			       "? too few: in %zu of %zu rows not even complete separation gives "
			       "p <= 0.05.",
			       few, table->row_count);
	if (one_boot > 0)
		table_footnote(
			table,
			"boots: repetitions of one boot share placement and the host's state, "
			"so p and interval claim too much in %zu of %zu rows (run.sh --runs=).",
			one_boot, table->row_count);
}

static void note_left_out(struct notes *notes, const char *side, const struct cell *cell)
{
	note_add(notes, false, "%s: %s%s, threads %llu: %s", side, cell->key.lock,
		 cell->key.instance == CELL_JOINED ? " (all instances)" : "",
		 (unsigned long long)cell->key.threads,
		 cell->key.damaged ? "from damaged logs, not compared"
				   : "no counterpart, or more than one");
}

static void note_unused(const struct set *b, const bool *used, struct notes *notes)
{
	for (size_t i = 0; i < b->cell_count; i++) {
		if (!used[i])
			note_left_out(notes, "only in B", &b->cells[i]);
	}
}

/* Fills `pairs` with the counterparts. Returns their number, at most the number of A's cells. */
static size_t find_pairs(const struct set *a, const struct set *b, struct pair *pairs,
			 struct notes *notes)
{
	bool *used = memory_new(b->cell_count, sizeof(*used));
	size_t count = 0;

	for (size_t i = 0; i < a->cell_count; i++) {
		const struct cell *cell = &a->cells[i];
		const struct cell *other = compare_counterpart(a, cell, b);

		if (other == NULL) {
			note_left_out(notes, "only in A", cell);
			continue;
		}
		used[other - b->cells] = true;
		pairs[count++] = pair_of(cell, other);
	}
	note_unused(b, used, notes);
	free(used);
	return count;
}

struct table *compare_table(const struct set *a, const struct set *b, struct notes *notes)
{
	size_t width = COUNT_OF(columns), count;
	struct table_column *all = identity_columns(columns, width);
	struct table *table = table_new("B against A", all, IDENTITY_COLUMNS + width);
	struct pair *pairs = memory_new(a->cell_count + 1, sizeof(*pairs));

	free(all);
	count = find_pairs(a, b, pairs, notes);
	correct_by_holm(pairs, count);
	for (size_t i = 0; i < count; i++) {
		const struct pair *pair = &pairs[i];

		identity_add(table, a, pair->a);
		add_differences(table, pair->a, pair->b);
		table_text(table, pair->a->fixed_work ? "elapsed s" : "ops/s");
		add_side(table, pair->a, pair->a_boots);
		add_side(table, pair->b, pair->b_boots);
		add_result(table, pair);
	}
	add_footnotes(table, a, pairs);
	free(pairs);
	return table;
}
