/* SPDX-License-Identifier: MIT */
/* Makes a repetition of a run record and its vcpu and hist records: see cells.h. */
#include "tools/report/base/data.h"
#include "tools/report/base/system.h"
#include "tools/report/cells/cells.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS_BYTES 1024
/* Rounding and the edges of the phase explain a smaller error of the time split. */
#define SPLIT_TOLERANCE 0.02

double jain_index(const double *value, size_t count)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < count; i++) {
		sum += value[i];
		squares += value[i] * value[i];
	}
	return squares > 0 ? sum * sum / ((double)count * squares) : NAN;
}

static void add_setting(char *text, const char *name, const json_t *value)
{
	size_t used = strlen(text);
	const char *space = used ? " " : "";

	if (json_is_integer(value))
		snprintf(text + used, SETTINGS_BYTES - used, "%s%s=%lld", space, name,
			 (long long)json_integer_value(value));
	else if (json_is_string(value))
		snprintf(text + used, SETTINGS_BYTES - used, "%s%s=%s", space, name,
			 json_string_value(value));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds the tunables sorted by name, because logs may order them differently. */
static void add_tunables(char *text, const json_t *tunables)
{
	const char **name = memory_new(json_object_size(tunables), sizeof(*name)), *key;
	size_t count = 0;
	json_t *value;

	json_object_foreach((json_t *)tunables, key, value) name[count++] = key;
	qsort(name, count, sizeof(*name), by_name);
	for (size_t i = 0; i < count; i++)
		add_setting(text, name[i], json_object_get(tunables, name[i]));
	free(name);
}

/* Returns cell_key.settings. */
static char *settings_of(const struct log *log, const struct record *run)
{
	static const struct {
		const char *name;
		enum key_role role;
	} keys[] = {
		{"ms", SETTING},
		{"ops_wanted", SETTING},
		{"jobs", SETTING},
#define PLAN_NUMBER(key, type, workloads, initial, least, most, role) {#key, role},
#define PLAN_NAMED(key, field, type, workloads, role, ...)            {#key, role},
#include "bench/plan_keys.def"
	};
	char text[SETTINGS_BYTES] = "";

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if (keys[i].role == SETTING)
			add_setting(text, keys[i].name, json_object_get(run->json, keys[i].name));
	}
	add_setting(text, "vcpus", json_object_get(log->boot->json, "vcpus_online"));
	add_setting(text, "nodes", json_object_get(log->boot->json, "nodes"));
	add_tunables(text, json_object_get(run->json, "tunables"));
	return memory_copy(text);
}

static void read_key(const struct log *log, const struct record *run, struct cell_key *key)
{
	*key = (struct cell_key){
		.lock = record_text(run, "lock"),
		.workload = record_text(run, "workload"),
		.dispatch = record_text(run, "dispatch"),
		.pv_backend = record_text(run, "pv_backend"),
		.threads = record_u64(run, "threads"),
		.tasks = record_u64(run, "tasks"),
		.hold = record_u64(run, "hold"),
		.think = record_u64(run, "think"),
		.settings = settings_of(log, run),
		.instances = log->instances,
		.instance = (int)log->instance,
		.damaged = !log->complete,
	};
}

/* Returns NAN if the log does not have the value. */
static double value_of(const struct record *run, const struct sample_kind *kind, uint64_t tsc_khz)
{
	if (!kind->field || !json_object_get(run->json, kind->field))
		return NAN;
	return strcmp(kind->unit, "ns") == 0 ? record_ns(run, kind->field, tsc_khz)
					     : (double)record_u64(run, kind->field);
}

static void read_values(const struct record *run, struct repetition *rep)
{
	double seconds = (double)record_u64(run, "elapsed_ns") / 1e9;

	for (int i = 0; i < SAMPLES; i++)
		rep->value[i] = value_of(run, &sample_list[i], rep->tsc_khz);
	rep->fixed_work = json_object_get(run->json, "jobs") != NULL;
	if (record_u64(run, "scheduled_in") != 0)
		rep->value[SAMPLE_SLICE_NS] = (seconds * 1e9 * (double)rep->key.threads -
					       (double)record_u64(run, "steal_ns")) /
					      (double)record_u64(run, "scheduled_in");
	rep->value[SAMPLE_MERIT] =
		rep->fixed_work ? seconds : (double)record_u64(run, "ops") / seconds;
}

/*
 * The time split of a vCPU's phase, which is elapsed_ns long. The log has the stolen time
 * (steal_ns), the time in waits (wait_cycles) and the time in the HLTs of waits (halt_cycles). The
 * latter two include time stolen during them, but the log does not say how much. The split counts
 * stolen time once, as stolen, and subtracts it from halted, spinning (waits without HLTs) and
 * running (the rest) in proportion to their lengths, separately for each vCPU.
 */
struct split {
	double total, running, spinning, halted, idle, stolen; /* ns */
	double excess; /* by how much the parts exceeded the phase before they were cut */
};

/* Adds a vcpu record with total = elapsed, or a run record with total = threads * elapsed. */
static void add_parts(struct split *split, const struct record *record, double total,
		      uint64_t tsc_khz)
{
	double stolen = (double)record_u64(record, "steal_ns");
	double halted = record_ns(record, "halt_cycles", tsc_khz);
	double waited = record_ns(record, "wait_cycles", tsc_khz);
	double kept;

	if (halted >
	    waited) /* wait_cycles omits waits of fewer than 64 polls, but not their HLTs */
		waited = halted;
	split->excess += stolen > total ? stolen - total : 0;
	split->excess += waited > total ? waited - total : 0;
	stolen = fmin(stolen, total);
	waited = fmin(waited, total);
	halted = fmin(halted, total);
	kept = 1 - stolen / total;
	split->total += total;
	split->stolen += stolen;
	split->halted += halted * kept;
	split->spinning += (waited - halted) * kept;
	split->running += (total - waited) * kept;
}

/* workload=kbuild measures the parts itself, because its vCPUs also idle. A Linux guest knows two
 * of them; the others are NAN. */
static void read_measured_split(struct split *split, const struct record *run, double total)
{
	const struct {
		const char *field;
		double *part;
	} parts[] = {
		{"split_running_ns", &split->running}, {"split_spinning_ns", &split->spinning},
		{"split_halted_ns", &split->halted},   {"split_idle_ns", &split->idle},
		{"split_stolen_ns", &split->stolen},
	};

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		bool known = json_object_get(run->json, parts[i].field) != NULL;

		*parts[i].part = known ? (double)record_u64(run, parts[i].field) : NAN;
		split->total += *parts[i].part;
	}
	if (isnan(split->total))
		split->total = total;
}

/* Sets the shares of the vCPU time. They stay NAN if the log does not have them. */
static void read_split(const struct log *log, const struct record *run,
		       const struct record *const *vcpu, struct repetition *rep,
		       struct notes *notes)
{
	double elapsed = (double)record_u64(run, "elapsed_ns");
	uint64_t threads = rep->key.threads;
	struct split split = {0};

	if (json_object_get(run->json, "split_stolen_ns"))
		read_measured_split(&split, run, elapsed * (double)threads);
	else if (!record_bool(log->boot, "steal_time"))
		return;
	else if (rep->vcpus != threads)
		add_parts(&split, run, elapsed * (double)threads, rep->tsc_khz);
	else
		for (size_t i = 0; i < threads; i++)
			add_parts(&split, vcpu[i], elapsed, rep->tsc_khz);
	if (split.total <= 0)
		return;
	rep->value[SAMPLE_RUNNING] = split.running / split.total;
	rep->value[SAMPLE_SPINNING] = split.spinning / split.total;
	rep->value[SAMPLE_HALTED] = split.halted / split.total;
	rep->value[SAMPLE_IDLE] = split.idle / split.total;
	rep->value[SAMPLE_STOLEN] = split.stolen / split.total;
	if (split.excess / split.total > SPLIT_TOLERANCE)
		note_add(notes, false,
			 "%s:%zu: waits (those that reach beyond the measured phase count whole) "
			 "and stolen time are %.0f %% more than the vCPUs' time in "
			 "run %" PRIu64 ": cut to it",
			 log->path, run->line, split.excess / split.total * 100,
			 record_u64(run, "run"));
}

/* Sets the shares of the phase that the lock spent in each state (latency=on). Without a steal-time
 * page the shares of vCPUs off their CPUs stay NAN. */
static void read_lock_time(const struct log *log, const struct record *run, struct repetition *rep)
{
	static const struct {
		enum sample_index index;
		const char *field;
		bool needs_steal_time;
	} parts[] = {
		{SAMPLE_LOCK_WORK, "held_cycles", false},
		{SAMPLE_LOCK_HOLDER_OFF, "held_stolen_cycles", true},
		{SAMPLE_LOCK_HANDOVER, "gap_running_cycles", false},
		{SAMPLE_LOCK_WAKING, "gap_halted_cycles", false},
		{SAMPLE_LOCK_GRANTEE_OFF, "gap_stolen_cycles", true},
		{SAMPLE_LOCK_PASSED, "gap_passed_cycles", false},
		{SAMPLE_LOCK_UNWANTED, "gap_nobody_cycles", false},
	};
	double elapsed = (double)record_u64(run, "elapsed_cycles");

	if (!json_object_get(run->json, "held_cycles"))
		return;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (!parts[i].needs_steal_time || record_bool(log->boot, "steal_time"))
			rep->value[parts[i].index] =
				(double)record_u64(run, parts[i].field) / elapsed;
	}
	if (!isnan(rep->value[SAMPLE_LOCK_HOLDER_OFF]))
		rep->value[SAMPLE_LOCK_WORK] -= rep->value[SAMPLE_LOCK_HOLDER_OFF];
}

/* Merges the waits and holds of all vCPUs. Other histograms are a lock's own and are ignored. */
static void read_histogram(const struct record *hist, struct repetition *rep)
{
	if (strcmp(record_text(hist, "cpu"), "all") != 0)
		return;
	if (strcmp(record_text(hist, "what"), "wait") == 0)
		distribution_add(&rep->wait, hist);
	else if (strcmp(record_text(hist, "what"), "wait_net") == 0)
		distribution_add(&rep->wait_net, hist);
	else if (strcmp(record_text(hist, "what"), "hold") == 0)
		distribution_add(&rep->hold, hist);
}

/* Reads the vcpu and hist records between this run and the next. Returns the index of the next. */
static size_t read_followers(const struct log *log, size_t index, struct repetition *rep,
			     const struct record **vcpu)
{
	const struct record *run = &log->records[index];
	uint64_t number = record_u64(run, "run"), threads = rep->key.threads;
	size_t i;

	for (i = index + 1; i < log->count && log->records[i].type != RECORD_RUN; i++) {
		const struct record *record = &log->records[i];

		if (record->type == RECORD_VCPU && record_u64(record, "run") == number &&
		    rep->vcpus < threads)
			vcpu[rep->vcpus++] = record;
		if (record->type == RECORD_HIST && record_u64(record, "run") == number)
			read_histogram(record, rep);
	}
	return i;
}

/* Returns false, after a note, if the run failed or did less work than the others. */
static bool has_valid_figures(const struct repetition *rep, const struct record *run,
			      struct notes *notes)
{
	const char *why = NULL;

	if (strcmp(record_text(run, "exclusion"), "broken") == 0)
		why = "let two vCPUs in at once: a failure, not a figure";
	else if (rep->fixed_work && rep->incomplete)
		why = "did not finish its work in the time allowed";
	if (why)
		note_add(notes, false, "%s:%zu: %s, run %" PRIu64 ": %s; left out",
			 rep->origin.log->path, run->line, rep->key.lock, rep->origin.run, why);
	return why == NULL;
}

bool repetition_read(const struct log *log, size_t index, size_t *next,
		     struct repetition *repetition, struct notes *notes)
{
	const struct record *run = &log->records[index];
	const struct record **vcpu = memory_new(record_u64(run, "threads"), sizeof(*vcpu));

	*repetition = (struct repetition){.tsc_khz = record_u64(log->boot, "tsc_khz")};
	read_key(log, run, &repetition->key);
	repetition->origin = (struct origin){log, record_u64(run, "run"), record_u64(run, "rep")};
	repetition->excludes_nobody = strcmp(record_text(run, "exclusion"), "not-checked") == 0;
	repetition->incomplete = json_is_false(json_object_get(run->json, "complete"));
	*next = read_followers(log, index, repetition, vcpu);
	read_values(run, repetition);
	read_split(log, run, vcpu, repetition, notes);
	read_lock_time(log, run, repetition);
	if (repetition->vcpus == repetition->key.threads)
		fairness_read(run, vcpu, repetition);
	repetition->vcpu_ops = memory_new(repetition->vcpus, sizeof(double));
	for (size_t i = 0; i < repetition->vcpus; i++)
		repetition->vcpu_ops[i] = (double)record_u64(vcpu[i], "ops");
	repetition->value[SAMPLE_JAIN] =
		repetition->vcpus == repetition->key.threads
			? jain_index(repetition->vcpu_ops, repetition->vcpus)
			: NAN;
	free(vcpu);
	return has_valid_figures(repetition, run, notes);
}

void repetition_free(struct repetition *repetition)
{
	free(repetition->vcpu_ops);
	distribution_free(&repetition->wait);
	distribution_free(&repetition->wait_net);
	distribution_free(&repetition->hold);
	free((char *)repetition->key.settings);
}
