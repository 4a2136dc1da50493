/* SPDX-License-Identifier: MIT */
/* JSON and csv for programs: see print.h; docs/report.md lists the fields. */
#include "tools/report/base/data.h"
#include "tools/report/base/format.h"
#include "tools/report/base/system.h"
#include "tools/report/cells/cells.h"
#include "tools/report/cells/overlap.h"
#include "tools/report/cells/stats.h"
#include "tools/report/print/print.h"
#include "tools/report/tables/tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *json_of_text(const char *text)
{
	json_t *string = json_string(text);
	char *safe;

	if (string != NULL)
		return string;
	safe = format_copy(text);
	string = json_string(safe);
	free(safe);
	return string ? string : json_null();
}

json_t *json_of_number(double number)
{
	if (!isfinite(number))
		return json_null();
	/* doubles below 2^53 hold every integer exactly */
	if (number == floor(number) && fabs(number) < 9007199254740992.0)
		return json_integer((json_int_t)number);
	return json_real(number);
}

static json_t *json_of_u64(uint64_t number)
{
	return json_integer((json_int_t)(number > INT64_MAX ? INT64_MAX : number));
}

json_t *json_of_table(const struct table *table)
{
	json_t *rows = json_array();

	for (size_t row = 0; row < table->row_count; row++) {
		json_t *object = json_object();

		for (size_t i = 0; i < table->column_count; i++) {
			const struct table_cell *cell = table_at(table, row, i);

			json_object_set_new(object, table->columns[i].key,
					    table->columns[i].text ? json_of_text(cell->text)
								   : json_of_number(cell->number));
		}
		json_array_append_new(rows, object);
	}
	return rows;
}

static json_t *json_of_sample(const struct sample *sample, const char *unit)
{
	struct stats stats = stats_of(sample);
	json_t *values = json_array();

	for (size_t i = 0; i < sample->count; i++)
		json_array_append_new(values, json_of_number(sample->value[i]));
	return json_pack("{ss,so,so,so,so,so,so,so}", "unit", unit, "values", values, "count",
			 json_of_u64(stats.count), "mean", json_of_number(stats.mean), "sd",
			 json_of_number(stats.sd), "median", json_of_number(stats.median), "min",
			 json_of_number(stats.min), "max", json_of_number(stats.max));
}

static json_t *json_of_distribution(const struct cell *cell, const struct distribution *of)
{
	json_t *object, *buckets = json_array();

	if (of->count == 0) {
		json_decref(buckets);
		return json_null();
	}
	for (size_t i = 0; i < of->buckets; i++)
		json_array_append_new(buckets, json_pack("[I,I,I]", (json_int_t)of->bucket[i].low,
							 (json_int_t)of->bucket[i].high,
							 (json_int_t)of->bucket[i].count));
	object = json_pack("{so,so}", "unit", json_of_text(of->unit), "count",
			   json_of_u64(of->count));
	for (size_t i = 0; i < QUANTILES; i++)
		json_object_set_new(object, quantile_names[i],
				    json_of_number(cell_quantile_ns(cell, of, quantile_levels[i])));
	json_object_set_new(object, "buckets", buckets);
	return object;
}

static json_t *json_of_origins(const struct cell *cell)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cell->reps; i++) {
		const struct origin *origin = &cell->origin[i];

		json_array_append_new(
			list, json_pack("{so,so,so}", "log", json_of_text(origin->log->path), "run",
					json_of_u64(origin->run), "rep", json_of_u64(origin->rep)));
	}
	return list;
}

static json_t *json_of_key(const struct cell_key *key)
{
	json_t *instance =
		key->instance == CELL_JOINED ? json_string("all") : json_integer(key->instance);

	return json_pack(
		"{so,so,so,so,so,so,so,so,so,so,so,sb}", "lock", json_of_text(key->lock),
		"workload", json_of_text(key->workload), "dispatch", json_of_text(key->dispatch),
		"pv_backend", json_of_text(key->pv_backend), "threads", json_of_u64(key->threads),
		"tasks", json_of_u64(key->tasks), "hold", json_of_u64(key->hold), "think",
		json_of_u64(key->think), "settings", json_of_text(key->settings), "instances",
		json_of_u64(key->instances), "instance", instance, "damaged", (int)key->damaged);
}

static json_t *json_of_samples(const struct cell *cell)
{
	json_t *samples = json_object();

	for (int i = 0; i < SAMPLES; i++) {
		const char *unit = sample_list[i].unit;

		if (i == SAMPLE_MERIT)
			unit = cell->fixed_work ? "s" : "ops/s";
		json_object_set_new(samples, sample_list[i].name,
				    json_of_sample(&cell->sample[i], unit));
	}
	return samples;
}

static json_t *json_of_cell(const struct cell *cell)
{
	json_t *object = json_of_key(&cell->key), *vcpus = json_array();

	for (size_t i = 0; i < cell->vcpus; i++)
		json_array_append_new(vcpus, json_of_number(cell->vcpu_ops[i]));
	json_object_update_new(
		object, json_pack("{so,so,sb,sb,so,so,so,so,so}", "reps", json_of_u64(cell->reps),
				  "incomplete", json_of_u64(cell->incomplete), "excludes_nobody",
				  (int)cell->excludes_nobody, "fixed_work", (int)cell->fixed_work,
				  "samples", json_of_samples(cell), "wait",
				  json_of_distribution(cell, &cell->wait), "hold",
				  json_of_distribution(cell, &cell->hold), "vcpu_ops", vcpus,
				  "origin", json_of_origins(cell)));
	return object;
}

static json_t *json_of_log(const struct log *log)
{
	return json_pack("{so,so,so,so,so,sb,sb,sO?}", "path", json_of_text(log->path), "instance",
			 json_of_u64(log->instance), "instances", json_of_u64(log->instances),
			 "call_run", json_of_u64(log->call_run), "records", json_of_u64(log->count),
			 "complete", (int)log->complete, "usable", (int)log->usable, "boot",
			 log->boot ? log->boot->json : NULL);
}

json_t *json_of_notes(const struct notes *notes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < notes->count; i++) {
		const struct note *note = &notes->list[i];

		json_array_append_new(list, json_pack("{so,sb}", "text", json_of_text(note->text),
						      "damage", (int)note->damage));
	}
	return list;
}

json_t *json_of_set(const struct set *set)
{
	json_t *object, *logs = json_array(), *cells = json_array();
	struct table *overlaps = overlap_table(set);
	struct notes limits = {0};

	for (size_t i = 0; i < set->log_count; i++)
		json_array_append_new(logs, json_of_log(&set->logs[i]));
	for (size_t i = 0; i < set->cell_count; i++)
		json_array_append_new(cells, json_of_cell(&set->cells[i]));
	limits_of(set, &limits);
	object = json_pack("{so,ss?,so,so,so,so,so,so}", "name", json_of_text(set->name), "accel",
			   set->accel, "logs", logs, "cells", cells, "beside",
			   overlaps ? json_of_table(overlaps) : json_array(), "limits",
			   json_of_notes(&limits), "notes", json_of_notes(&set->notes),
			   "notes_hidden", json_of_u64(set->notes.hidden));
	notes_free(&limits);
	table_free(overlaps);
	return object;
}

/* Quotes a field as in RFC 4180, 2.5 to 2.7. A row stays one line, because format_copy() escapes
 * line breaks. */
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

/* The statistics of each sample, with the suffixes of their columns. */
#define STATISTICS 5
static const char *const suffixes[STATISTICS] = {"_mean", "_sd", "_median", "_min", "_max"};

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

#define KEY_COLUMNS      (COUNT_OF(key_columns))
#define QUANTILE_COLUMNS (COUNT_OF(quantile_keys))
#define WIDE_COLUMNS     (KEY_COLUMNS + SAMPLES * STATISTICS + QUANTILE_COLUMNS)

static void make_columns(struct table_column column[WIDE_COLUMNS])
{
	static char names[SAMPLES][STATISTICS]
			 [40]; /* static, because tables keep pointers to them */
	struct table_column *next = column + KEY_COLUMNS;

	memcpy(column, key_columns, sizeof(key_columns));
	for (int sample = 0; sample < SAMPLES; sample++) {
		for (int i = 0; i < STATISTICS; i++) {
			snprintf(names[sample][i], sizeof(names[0][0]), "%s%s",
				 sample_list[sample].name, suffixes[i]);
			*next++ = (struct table_column){"", "", names[sample][i], false, false};
		}
	}
	for (size_t i = 0; i < QUANTILE_COLUMNS; i++)
		*next++ = (struct table_column){"", "", quantile_keys[i], false, false};
}

static void add_number(struct table *table, double number)
{
	table_number(table, number, "%.15g", number);
}

static void add_key(struct table *table, const struct cell *cell)
{
	const struct cell_key *key = &cell->key;
	char instance[16] = "all";

	if (key->instance != CELL_JOINED)
		snprintf(instance, sizeof(instance), "%d", key->instance);
	table_text(table, key->lock);
	table_text(table, key->damaged ? "yes" : "no");
	table_text(table, key->workload);
	add_number(table, (double)key->threads);
	add_number(table, (double)key->tasks);
	add_number(table, key->instances);
	table_text(table, instance);
	add_number(table, (double)key->hold);
	add_number(table, (double)key->think);
	table_text(table, key->dispatch);
	table_text(table, key->pv_backend);
	table_text(table, key->settings);
	add_number(table, (double)cell->reps);
	add_number(table, (double)cell->incomplete);
	table_text(table, cell->fixed_work ? "s" : "ops/s");
}

static void add_quantiles(struct table *table, const struct cell *cell,
			  const struct distribution *of)
{
	add_number(table, (double)of->count);
	for (size_t i = 0; i < QUANTILES; i++)
		add_number(table, cell_quantile_ns(cell, of, quantile_levels[i]));
}

struct table *wide_table(const struct set *set)
{
	struct table_column column[WIDE_COLUMNS];
	struct table *table;

	make_columns(column);
	table = table_new("", column, WIDE_COLUMNS);
	for (size_t i = 0; i < set->cell_count; i++) {
		const struct cell *cell = &set->cells[i];

		add_key(table, cell);
		for (int sample = 0; sample < SAMPLES; sample++) {
			struct stats stats = stats_of(&cell->sample[sample]);
			const double number[STATISTICS] = {stats.mean, stats.sd, stats.median,
							   stats.min, stats.max};

			for (int j = 0; j < STATISTICS; j++)
				add_number(table, number[j]);
		}
		add_quantiles(table, cell, &cell->wait);
		add_quantiles(table, cell, &cell->hold);
	}
	return table;
}
