/* SPDX-License-Identifier: MIT */
/* Comma-separated values: see machine.h. */
#include "tools/report/base/format.h"
#include "tools/report/base/memory.h"
#include "tools/report/cells/cells.h"
#include "tools/report/cells/distribution.h"
#include "tools/report/cells/stats.h"
#include "tools/report/print/machine.h"
#include "tools/report/tables/identity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4180, 2.5 to 2.7; a row is a line, as control characters are \xHH. */
static void put_field(FILE *out, const char *text)
{
	char *safe = format_copy(text);

	if (safe[strcspn(safe, ",\"")] == '\0') {
		fputs(safe, out);
	} else {
		fputc('"', out);
		for (const char *at = safe; *at != '\0'; at++) {
			if (*at == '"')
				fputc('"', out);
			fputc(*at, out);
		}
		fputc('"', out);
	}
	free(safe);
}

static void put_value(FILE *out, const struct table_column *column, const struct table_cell *cell)
{
	if (column->text)
		put_field(out, cell->text);
	else if (!isnan(cell->number))
		fprintf(out, "%.15g", cell->number);
}

void csv_table(FILE *out, const struct table *table)
{
	for (size_t i = 0; i < table->column_count; i++) {
		fputs(i ? "," : "", out);
		put_field(out, table->columns[i].key);
	}
	fputc('\n', out);
	for (size_t row = 0; row < table->row_count; row++) {
		for (size_t i = 0; i < table->column_count; i++) {
			fputs(i ? "," : "", out);
			put_value(out, &table->columns[i], table_at(table, row, i));
		}
		fputc('\n', out);
	}
}

/* What is known of each sample, by column suffix. */
enum { MEAN, SD, MEDIAN, MIN, MAX, FIGURES };
static const char *const suffixes[FIGURES] = {"_mean", "_sd", "_median", "_min", "_max"};

static const struct table_column key_columns[] = {
	{"", "", "lock", true, true},       {"", "", "damaged", true, true},
	{"", "", "workload", true, true},   {"", "", "threads", false, true},
	{"", "", "tasks", false, true},     {"", "", "instances", false, true},
	{"", "", "instance", true, true},   {"", "", "hold", false, true},
	{"", "", "think", false, true},     {"", "", "dispatch", true, true},
	{"", "", "pv_backend", true, true}, {"", "", "settings", true, true},
	{"", "", "reps", false, true},      {"", "", "incomplete", false, true},
	{"", "", "merit_unit", true, true},
};

static const char *const quantile_keys[] = {
	"wait_count", "wait_p50_ns", "wait_p90_ns", "wait_p99_ns", "wait_p999_ns", "wait_max_ns",
	"hold_count", "hold_p50_ns", "hold_p90_ns", "hold_p99_ns", "hold_p999_ns", "hold_max_ns",
};

#define KEY_COLUMNS      (sizeof(key_columns) / sizeof(key_columns[0]))
#define QUANTILE_COLUMNS (sizeof(quantile_keys) / sizeof(quantile_keys[0]))
#define WIDE_COLUMNS     (KEY_COLUMNS + SAMPLES * FIGURES + QUANTILE_COLUMNS)

static void make_columns(struct table_column column[WIDE_COLUMNS])
{
	static char names[SAMPLES][FIGURES][40]; /* as long as the program: tables point to them */
	struct table_column *next = column + KEY_COLUMNS;

	memcpy(column, key_columns, sizeof(key_columns));
	for (int sample = 0; sample < SAMPLES; sample++) {
		for (int figure = 0; figure < FIGURES; figure++) {
			snprintf(names[sample][figure], sizeof(names[0][0]), "%s%s",
				 sample_list[sample].name, suffixes[figure]);
			*next++ =
				(struct table_column){"", "", names[sample][figure], false, false};
		}
	}
	for (size_t i = 0; i < QUANTILE_COLUMNS; i++)
		*next++ = (struct table_column){"", "", quantile_keys[i], false, false};
}

static void put_number(struct table *table, double number)
{
	table_number(table, number, "%.15g", number);
}

static void put_key(struct table *table, const struct cell *cell)
{
	const struct cell_key *key = &cell->key;
	char instance[16] = "all";

	if (key->instance != CELL_TOGETHER)
		snprintf(instance, sizeof(instance), "%d", key->instance);
	table_text(table, key->lock);
	table_text(table, key->damaged ? "yes" : "no");
	table_text(table, key->workload);
	put_number(table, (double)key->threads);
	put_number(table, (double)key->tasks);
	put_number(table, key->instances);
	table_text(table, instance);
	put_number(table, (double)key->hold);
	put_number(table, (double)key->think);
	table_text(table, key->dispatch);
	table_text(table, key->pv_backend);
	table_text(table, key->settings);
	put_number(table, (double)cell->reps);
	put_number(table, (double)cell->incomplete);
	table_text(table, cell->fixed_work ? "s" : "ops/s");
}

static void put_quantiles(struct table *table, const struct cell *cell,
			  const struct distribution *of)
{
	static const double levels[] = {0.5, 0.9, 0.99, 0.999, 1};

	put_number(table, (double)of->count);
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		put_number(table,
			   distribution_quantile(of, levels[i]) * 1e6 / (double)cell->tsc_khz);
}

struct table *wide_table(const struct set *set)
{
	struct table_column column[WIDE_COLUMNS];
	struct table *table;

	make_columns(column);
	table = table_new("", column, WIDE_COLUMNS);
	for (size_t i = 0; i < set->cell_count; i++) {
		const struct cell *cell = &set->cells[i];

		put_key(table, cell);
		for (int sample = 0; sample < SAMPLES; sample++) {
			struct stats stats = stats_of(cell_sample(cell, sample));
			const double figures[FIGURES] = {stats.mean, stats.sd, stats.median,
							 stats.min, stats.max};

			for (int figure = 0; figure < FIGURES; figure++)
				put_number(table, figures[figure]);
		}
		put_quantiles(table, cell, &cell->wait);
		put_quantiles(table, cell, &cell->hold);
	}
	return table;
}
