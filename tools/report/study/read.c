/* SPDX-License-Identifier: MIT */
/* Reads experiment.json and the logs that it names: see study.h. */
#include "tools/report/read/read.h"
#include "tools/report/base/data.h"
#include "tools/report/base/system.h"
#include "tools/report/cells/cells.h"
#include "tools/report/cells/overlap.h"
#include "tools/report/study/study.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S 1e9
/* --instances allows up to 64 VMs. */
#define MOST_VMS 64

bool study_exists(const char *path)
{
	char *file = memory_print("%s/experiment.json", path);
	bool exists = access(file, R_OK) == 0;

	free(file);
	return exists;
}

static const char *text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static double number_of(json_t *object, const char *key)
{
	json_t *number = json_object_get(object, key);

	return json_is_number(number) ? json_number_value(number) : NAN;
}

/* Sums over the members of one repetition. */
struct repetition_sums {
	double seconds, value[SAMPLES]; /* value: shares of time are summed as seconds */
	size_t runs;
	double job_ns;           /* p99.9 of a Linux guest's jobs, the longest; NAN: none */
	struct shared_ns shared; /* time shared with other members */
	bool cut;                /* a run met its time limit */
};

static bool is_share(int sample)
{
	return sample >= SAMPLE_RUNNING && sample <= SAMPLE_LOCK_UNWANTED;
}

/* True for samples that are known only with a steal-time page. */
static bool needs_steal_time(int sample)
{
	return is_share(sample) || (sample >= SAMPLE_LHP_EVENTS && sample <= SAMPLE_LWP_NS);
}

/* Adds the run at log->records[index]. Notes what is doubtful about it. */
static void sums_add(struct repetition_sums *sums, const struct log *log, size_t index,
		     struct notes *notes)
{
	struct repetition run;
	double seconds = (double)record_u64(&log->records[index], "elapsed_ns") / NS_PER_S;
	size_t next;

	if (repetition_read(log, index, &next, &run, notes)) {
		for (int i = 0; i < SAMPLES; i++) {
			double value = run.value[i] * (is_share(i) ? seconds : 1);

			if (needs_steal_time(i) && !record_bool(log->boot, "steal_time"))
				value = NAN;
			if (sample_list[i].rule != JOIN_MOST || isnan(value))
				sums->value[i] += value;
			else
				sums->value[i] = fmax(sums->value[i], value);
		}
		sums->seconds += seconds;
		sums->runs++;
	}
	repetition_free(&run);
}

/* Appends the values of a complete repetition to the cell. */
static void sums_store(struct study_cell *cell, const struct repetition_sums *sums)
{
	double runs = (double)sums->runs, value[SAMPLES];

	cell->why.key.lock = cell->label;
	cell->why.fixed_work = true;
	cell->why.reps++;
	for (int i = 0; i < SAMPLES; i++) {
		value[i] = sums->value[i];
		if (i == SAMPLE_MERIT)
			value[i] = sums->seconds / runs;
		else if (is_share(i))
			value[i] /= sums->seconds;
		else if (sample_list[i].rule != JOIN_MOST)
			value[i] /= runs;
		if (sums->runs == 0)
			value[i] = NAN;
	}
	cell_add_values(&cell->why, value);
}

/* Returns the mean of the cell's field, in seconds, over the runs of its lock (or all runs). NAN if
 * the log is damaged or has no valid run. */
static double log_time(const struct log *log, json_t *cell, struct repetition_sums *sums,
		       struct notes *notes)
{
	const char *lock = text_of(cell, "lock"), *field = text_of(cell, "field");
	double sum = 0;
	size_t count = 0;

	if (!log->complete || !log->usable) {
		note_add(notes, true, "%s: not a whole log: left out", log->path);
		return NAN;
	}
	for (size_t i = 0; i < log->count; i++) {
		const struct record *record = &log->records[i];
		if (lock[0] && strcmp(record_text(record, "lock"), lock) != 0)
			continue;
		if (record->type == RECORD_OVERLAP)
			overlap_add(&sums->shared, record);
		if (record->type != RECORD_RUN)
			continue;
		if (strcmp(record_text(record, "exclusion"), "broken") == 0) {
			note_add(notes, true, "%s:%zu: two vCPUs held the lock: left out",
				 log->path, record->line);
			return NAN;
		}
		if (json_object_get(record->json, "job_p999_cycles"))
			sums->job_ns =
				fmax(sums->job_ns, record_ns(record, "job_p999_cycles",
							     record_u64(log->boot, "tsc_khz")));
		sum += (double)record_u64(record, field) / NS_PER_S;
		count++;
		if (json_is_false(json_object_get(record->json, "complete")))
			sums->cut = true;
		else
			sums_add(sums, log, i, notes);
	}
	return count ? sum / (double)count : NAN;
}

static double file_time(const char *file, json_t *cell, struct repetition_sums *sums,
			struct notes *notes)
{
	struct log log = {0};
	uint64_t memory = SET_MEMORY_BYTES; /* freed before the next log is read */
	double time = NAN;

	if (log_read(file, &log, notes, &memory))
		time = log_time(&log, cell, sums, notes);
	else
		note_add(notes, true, "%s: %s", file, strerror(errno));
	log_free(&log);
	return time;
}

/* Returns the time of one repetition: that of the host peer, or the mean of the VMs. NAN if one of
 * them has none. */
static double repetition_time(const char *directory, json_t *cell, struct repetition_sums *sums,
			      struct notes *notes)
{
	double sum = 0;
	size_t count = 0;

	for (; count < MOST_VMS; count++) {
		bool host = strcmp(text_of(cell, "where"), "host") == 0;
		char *file = host ? memory_print("%s/host-peer.log", directory)
				  : memory_print("%s/serial-%zu.log", directory, count);
		bool exists = access(file, F_OK) == 0;

		if (exists)
			sum += file_time(file, cell, sums, notes);
		free(file);
		if (!exists || host)
			return exists && host ? sum : count ? sum / (double)count : NAN;
	}
	return sum / (double)count;
}

static void read_repetition(const struct study *study, json_t *json, size_t index,
			    struct study_cell *cell, struct notes *notes)
{
	const char *name =
		json_string_value(json_array_get(json_object_get(json, "directories"), index));
	char *directory = memory_print("%s/%s", study->path, name ? name : "");
	struct repetition_sums sums = {.job_ns = NAN}; /* which fmax() ignores */
	double time = NAN;

	if (access(directory, F_OK) == 0) /* else the repetition was not run */
		time = repetition_time(directory, json, &sums, notes);
	if (!isnan(time)) {
		size_t n = cell->time.count++;

		cell->time.value[n] = time;
		cell->cut[n] = sums.cut;
		cell->cut_count += sums.cut;
		cell->repetition[n] = index + 1;
		cell->overlap[n] =
			sums.shared.shorter > 0 ? sums.shared.both / sums.shared.shorter : NAN;
		sums_store(cell, &sums);
		counts_read(cell, directory, time, sums.job_ns);
	}
	free(directory);
}

static void read_cell(const struct study *study, json_t *json, struct study_cell *cell,
		      struct notes *notes)
{
	json_t *figure = json_object_get(json, "study");

	cell->name = text_of(json, "name");
	cell->user_process = strcmp(text_of(json, "where"), "host") == 0 &&
			     strcmp(text_of(json, "peer"), "kernel-threads") != 0;
	cell->run = text_of(json, "run");
	cell->label = text_of(json, "label");
	cell->study_mean = number_of(figure, "mean");
	cell->study_sd = number_of(figure, "sd");
	cell->study_low = number_of(figure, "low");
	cell->study_high = number_of(figure, "high");
	if (isnan(cell->study_mean))
		cell->study_mean = (cell->study_low + cell->study_high) / 2;
	cell->wanted = json_array_size(json_object_get(json, "directories"));
	cell->time.value = memory_new(cell->wanted + 1, sizeof(*cell->time.value));
	cell->cut = memory_new(cell->wanted + 1, sizeof(*cell->cut));
	cell->overlap = memory_new(cell->wanted + 1, sizeof(*cell->overlap));
	cell->repetition = memory_new(cell->wanted + 1, sizeof(*cell->repetition));
	for (size_t i = 0; i < cell->wanted; i++)
		read_repetition(study, json, i, cell, notes);
}

static const struct study_cell *cell_named(const struct study *study, const char *name)
{
	for (size_t i = 0; i < study->cell_count; i++) {
		if (strcmp(study->cells[i].name, name) == 0)
			return &study->cells[i];
	}
	return NULL;
}

static bool read_finding(const struct study *study, json_t *json, struct study_finding *finding)
{
	static const char *const kinds[FINDING_KINDS] = {
		[FINDING_SLOWER] = "slower",     [FINDING_WILDER] = "wilder",
		[FINDING_EQUAL] = "equal",       [FINDING_DIFFERS] = "differs",
		[FINDING_COMPARED] = "compared",
	};
	unsigned kind = 0;

	while (kind < FINDING_KINDS && strcmp(kinds[kind], text_of(json, "kind")) != 0)
		kind++;
	*finding = (struct study_finding){
		.kind = kind,
		.cell = cell_named(study, text_of(json, "cell")),
		.other = cell_named(study, text_of(json, "other")),
		.text = text_of(json, "text"),
	};
	return kind < FINDING_KINDS && finding->cell && finding->other;
}

static bool bad(const char *path, const char *why)
{
	fprintf(stderr, "pvspin-report: %s/experiment.json: %s\n", path, why);
	return false;
}

static bool read_head(struct study *study)
{
	char *file = memory_print("%s/experiment.json", study->path);
	json_error_t error;

	study->json = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
	free(file);
	if (!study->json)
		return bad(study->path, error.text);
	if (json_integer_value(json_object_get(study->json, "schema")) != 1)
		return bad(study->path, "an unknown schema; accepted: 1");
	study->name = text_of(study->json, "name");
	study->title = text_of(study->json, "title");
	study->source = text_of(study->json, "study");
	study->more = text_of(study->json, "more");
	study->accel = text_of(study->json, "accel");
	study->skipped = json_string_value(json_object_get(study->json, "skipped"));
	study->summary = json_is_true(json_object_get(study->json, "summary"));
	study->host_cpus = (uint64_t)json_integer_value(json_object_get(study->json, "host_cpus"));
	study->vcpus = (uint64_t)json_integer_value(json_object_get(study->json, "vcpus"));
	study->runs = (uint64_t)json_integer_value(json_object_get(study->json, "runs"));
	return true;
}

bool study_read(const char *path, struct study *study, struct notes *notes)
{
	json_t *cells, *findings;

	*study = (struct study){.path = memory_copy(path)};
	if (!read_head(study))
		return false;
	cells = json_object_get(study->json, "cells");
	findings = json_object_get(study->json, "findings");
	study->cell_count = json_array_size(cells);
	study->cells = memory_new(study->cell_count + 1, sizeof(*study->cells));
	for (size_t i = 0; i < study->cell_count; i++)
		read_cell(study, json_array_get(cells, i), &study->cells[i], notes);
	study->findings = memory_new(json_array_size(findings) + 1, sizeof(*study->findings));
	for (size_t i = 0; i < json_array_size(findings); i++) {
		if (!read_finding(study, json_array_get(findings, i),
				  &study->findings[study->finding_count++]))
			return bad(path, "a finding of an unknown kind, or of unknown cells");
	}
	study_compare(study);
	study_judge(study, 1);
	return true;
}

void study_free(struct study *study)
{
	for (size_t i = 0; i < study->cell_count; i++) {
		free(study->cells[i].time.value);
		free(study->cells[i].cut);
		free(study->cells[i].overlap);
		free(study->cells[i].repetition);
		cell_free_samples(&study->cells[i].why);
		for (int kind = 0; kind < COUNTED; kind++)
			free(study->cells[i].counted[kind].value);
	}
	free(study->cells);
	free(study->findings);
	free(study->path);
	json_decref(study->json);
}
