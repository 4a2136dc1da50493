/* SPDX-License-Identifier: MIT */
/* JSON for programs: see machine.h; docs/report.md lists the fields. */
#include "tools/report/base/format.h"
#include "tools/report/base/notes.h"
#include "tools/report/cells/beside.h"
#include "tools/report/cells/cells.h"
#include "tools/report/cells/distribution.h"
#include "tools/report/cells/stats.h"
#include "tools/report/print/machine.h"
#include "tools/report/tables/limits.h"

#include <math.h>
#include <stdlib.h>

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
	/* counts stay integers as far as a double is exact */
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
	json_t *object = json_object(), *values = json_array();

	for (size_t i = 0; i < sample->count; i++)
		json_array_append_new(values, json_of_number(sample->value[i]));
	json_object_set_new(object, "unit", json_string(unit));
	json_object_set_new(object, "values", values);
	json_object_set_new(object, "count", json_of_u64(stats.count));
	json_object_set_new(object, "mean", json_of_number(stats.mean));
	json_object_set_new(object, "sd", json_of_number(stats.sd));
	json_object_set_new(object, "median", json_of_number(stats.median));
	json_object_set_new(object, "min", json_of_number(stats.min));
	json_object_set_new(object, "max", json_of_number(stats.max));
	return object;
}

static json_t *json_of_distribution(const struct distribution *of, uint64_t tsc_khz)
{
	static const struct {
		const char *name;
		double level;
	} levels[] = {{"p50_ns", 0.5},
		      {"p90_ns", 0.9},
		      {"p99_ns", 0.99},
		      {"p999_ns", 0.999},
		      {"max_ns", 1}};
	json_t *object = json_object(), *buckets = json_array();

	if (of->count == 0) {
		json_decref(object);
		json_decref(buckets);
		return json_null();
	}
	for (size_t i = 0; i < of->buckets; i++)
		json_array_append_new(buckets, json_pack("[I,I,I]", (json_int_t)of->bucket[i].low,
							 (json_int_t)of->bucket[i].high,
							 (json_int_t)of->bucket[i].count));
	json_object_set_new(object, "unit", json_of_text(of->unit));
	json_object_set_new(object, "count", json_of_u64(of->count));
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		json_object_set_new(object, levels[i].name,
				    json_of_number(distribution_quantile(of, levels[i].level) *
						   1e6 / (double)tsc_khz));
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

static void put_key(json_t *object, const struct cell_key *key)
{
	json_object_set_new(object, "lock", json_of_text(key->lock));
	json_object_set_new(object, "workload", json_of_text(key->workload));
	json_object_set_new(object, "dispatch", json_of_text(key->dispatch));
	json_object_set_new(object, "pv_backend", json_of_text(key->pv_backend));
	json_object_set_new(object, "threads", json_of_u64(key->threads));
	json_object_set_new(object, "tasks", json_of_u64(key->tasks));
	json_object_set_new(object, "hold", json_of_u64(key->hold));
	json_object_set_new(object, "think", json_of_u64(key->think));
	json_object_set_new(object, "settings", json_of_text(key->settings));
	json_object_set_new(object, "instances", json_of_u64(key->instances));
	json_object_set_new(object, "instance",
			    key->instance == CELL_TOGETHER ? json_string("all")
							   : json_integer(key->instance));
	json_object_set_new(object, "damaged", json_boolean(key->damaged));
}

static json_t *json_of_cell(const struct cell *cell)
{
	json_t *object = json_object(), *samples = json_object(), *vcpus = json_array();

	put_key(object, &cell->key);
	json_object_set_new(object, "reps", json_of_u64(cell->reps));
	json_object_set_new(object, "incomplete", json_of_u64(cell->incomplete));
	json_object_set_new(object, "excludes_nobody", json_boolean(cell->excludes_nobody));
	json_object_set_new(object, "fixed_work", json_boolean(cell->fixed_work));
	for (int i = 0; i < SAMPLES; i++) {
		const char *unit = sample_list[i].unit;

		if (i == SAMPLE_MERIT)
			unit = cell->fixed_work ? "s" : "ops/s";
		json_object_set_new(samples, sample_list[i].name,
				    json_of_sample(cell_sample(cell, i), unit));
	}
	json_object_set_new(object, "samples", samples);
	json_object_set_new(object, "wait", json_of_distribution(&cell->wait, cell->tsc_khz));
	json_object_set_new(object, "hold", json_of_distribution(&cell->hold, cell->tsc_khz));
	for (size_t i = 0; i < cell->vcpus; i++)
		json_array_append_new(vcpus, json_of_number(cell->vcpu_ops[i]));
	json_object_set_new(object, "vcpu_ops", vcpus);
	json_object_set_new(object, "origin", json_of_origins(cell));
	return object;
}

static json_t *json_of_log(const struct log *log)
{
	json_t *object = json_object();

	json_object_set_new(object, "path", json_of_text(log->path));
	json_object_set_new(object, "instance", json_of_u64(log->instance));
	json_object_set_new(object, "instances", json_of_u64(log->instances));
	json_object_set_new(object, "call_run", json_of_u64(log->call_run));
	json_object_set_new(object, "records", json_of_u64(log->count));
	json_object_set_new(object, "complete", json_boolean(log->complete));
	json_object_set_new(object, "usable", json_boolean(log->usable));
	json_object_set(object, "boot", log->boot ? log->boot->json : json_null());
	return object;
}

static json_t *json_of_notes(const struct notes *notes)
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
	json_t *object = json_object(), *logs = json_array(), *cells = json_array();
	struct notes limits = {0};
	struct table *beside;

	for (size_t i = 0; i < set->log_count; i++)
		json_array_append_new(logs, json_of_log(&set->logs[i]));
	for (size_t i = 0; i < set->cell_count; i++)
		json_array_append_new(cells, json_of_cell(&set->cells[i]));
	beside = beside_table(set);
	limits_of(set, &limits);
	json_object_set_new(object, "name", json_of_text(set->name));
	json_object_set_new(object, "accel", set->accel ? json_string(set->accel) : json_null());
	json_object_set_new(object, "logs", logs);
	json_object_set_new(object, "cells", cells);
	json_object_set_new(object, "beside", beside ? json_of_table(beside) : json_array());
	json_object_set_new(object, "limits", json_of_notes(&limits));
	json_object_set_new(object, "notes", json_of_notes(&set->notes));
	json_object_set_new(object, "notes_hidden", json_of_u64(set->notes.hidden));
	notes_free(&limits);
	if (beside)
		table_free(beside);
	return object;
}
