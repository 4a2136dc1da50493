/* SPDX-License-Identifier: MIT */
/*
 * Phases and their overlaps: see beside.h. One sweep along the time axis counts how many logs (or
 * calls) are measuring; the time with two or more of them, summed up to the start and to the end of
 * a phase, tells how much of it was beside another.
 */
#include "tools/report/cells/beside.h"

#include "tools/report/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define LATEST_NS UINT64_C(4000000000000000000) /* the year 2096 */

/* Where the VM's clock is kept: under nested in L1, else in the host's kernel. */
static const char *host_of(const struct log *log)
{
	const char *accel = record_text(log->boot, "accel");
	const char *part = strcmp(accel, "nested") == 0 ? "l1" : "host";

	return json_string_value(json_object_get(json_object_get(log->manifest, part), "boot_id"));
}

static bool is_phase(const struct record *record, struct phase *phase)
{
	if (record->type != RECORD_RUN || strcmp(record_text(record, "clock"), "none") == 0)
		return false;
	phase->start = record_u64(record, "start_wall_ns");
	phase->end = record_u64(record, "end_wall_ns");
	return phase->start > 0 && phase->end > phase->start && phase->end < LATEST_NS;
}

const char *beside_why(const struct log *log)
{
	for (size_t r = 0; r < log->count; r++) {
		struct phase phase;

		if (is_phase(&log->records[r], &phase))
			return log->manifest
				       ? "its manifest.json does not name the boot of its host"
				       : "it has no manifest.json, which names its host";
	}
	return "its VM had none; with --instances or --meet run.sh tells it the time";
}

static void collect(const struct set *set, struct beside *beside)
{
	for (size_t i = 0; i < set->log_count; i++) {
		const struct log *log = &set->logs[i];

		for (size_t r = 0; r < log->count && log->usable; r++) {
			struct phase phase = {.log = i, .run = &log->records[r]};

			if (!is_phase(&log->records[r], &phase))
				continue;
			phase.host = host_of(log);
			beside->phase =
				memory_grow(beside->phase, beside->count, sizeof(beside->phase[0]));
			beside->phase[beside->count++] = phase;
		}
	}
}

/* What is swept: phases whose clocks can be compared, those of one lock or of all. */
struct edge {
	uint64_t time;
	bool end;
	size_t who; /* log or call */
	struct phase *phase;
	uint64_t group_call; /* 1 and the call, where the host is not known; else 0 */
	const char *host, *lock;
};

static int in_group(const struct edge *a, const struct edge *b)
{
	int order = strcmp(a->host, b->host);

	if (order == 0)
		order = (a->group_call > b->group_call) - (a->group_call < b->group_call);
	return order ? order : strcmp(a->lock, b->lock);
}

static int in_time(const void *first, const void *second)
{
	const struct edge *a = first, *b = second;
	int order = in_group(a, b);

	if (order == 0)
		order = (a->time > b->time) - (a->time < b->time);
	return order ? order : (int)b->end - (int)a->end; /* ends first */
}

struct sweep {
	bool by_call, by_lock;
	size_t field; /* of struct phase: where the result goes */
};

static uint64_t *result_of(struct phase *phase, const struct sweep *sweep)
{
	return (uint64_t *)((char *)phase + sweep->field);
}

static struct edge *edges_of(const struct set *set, struct beside *beside, const struct sweep *how)
{
	struct edge *edges = memory_new(2 * beside->count, sizeof(edges[0]));

	for (size_t i = 0; i < beside->count; i++) {
		struct phase *phase = &beside->phase[i];
		size_t call = set->logs[phase->log].call;
		struct edge edge = {
			.time = phase->start,
			.who = how->by_call ? call : phase->log,
			.phase = phase,
			.group_call = phase->host ? 0 : 1 + (uint64_t)call,
			.host = phase->host ? phase->host : "",
			.lock = how->by_lock ? record_text(phase->run, "lock") : "",
		};

		edges[2 * i] = edge;
		edge.time = phase->end;
		edge.end = true;
		edges[2 * i + 1] = edge;
	}
	qsort(edges, 2 * beside->count, sizeof(edges[0]), in_time);
	return edges;
}

static size_t most_who(const struct set *set)
{
	size_t most = set->log_count;

	for (size_t i = 0; i < set->log_count; i++) {
		if (set->logs[i].call > most)
			most = set->logs[i].call;
	}
	return most;
}

static void sweep(const struct set *set, struct beside *beside, const struct sweep *how)
{
	struct edge *edges = edges_of(set, beside, how);
	unsigned *active = memory_new(most_who(set) + 1, sizeof(active[0]));
	size_t measuring = 0;
	uint64_t shared = 0;

	for (size_t i = 0; i < 2 * beside->count; i++) {
		const struct edge *edge = &edges[i];
		uint64_t *result = result_of(edge->phase, how);

		/* in another group nobody is active: each phase has ended in its own */
		if (i > 0 && measuring > 1)
			shared += edge->time - edges[i - 1].time;
		if (edge->end) {
			measuring -= --active[edge->who] == 0;
			*result = shared - *result;
		} else {
			measuring += active[edge->who]++ == 0;
			*result = shared;
		}
	}
	free(active);
	free(edges);
}

static bool measured(const struct log *log)
{
	for (size_t r = 0; r < log->count && log->usable; r++) {
		if (log->records[r].type == RECORD_RUN)
			return true;
	}
	return false;
}

/* NULL: it has no phase on a clock that is known. */
static const char *host_of_phases(const struct beside *beside, size_t *next, size_t log)
{
	while (*next < beside->count && beside->phase[*next].log < log)
		(*next)++;
	return *next < beside->count && beside->phase[*next].log == log ? beside->phase[*next].host
									: NULL;
}

/* Which calls can be compared with others at all. */
static void count_calls(const struct set *set, struct beside *beside)
{
	const char **hosts = memory_new(set->log_count + 1, sizeof(hosts[0]));
	const struct log *last = NULL;
	size_t next = 0;

	for (size_t i = 0; i < set->log_count; i++) {
		const struct log *log = &set->logs[i];
		const char *host;
		size_t known = 0;

		if (!measured(log) || (last && last->call == log->call))
			continue;
		last = log;
		host = host_of_phases(beside, &next, i);
		beside->calls++;
		if (host == NULL) {
			beside->unknown++;
			beside->of_one = log;
			continue;
		}
		while (known < beside->hosts && strcmp(hosts[known], host) != 0)
			known++;
		if (known == beside->hosts)
			hosts[beside->hosts++] = host;
	}
	free(hosts);
}

struct beside beside_of(const struct set *set)
{
	static const struct sweep sweeps[] = {
		{false, false, offsetof(struct phase, logs)},
		{false, true, offsetof(struct phase, lock)},
		{true, false, offsetof(struct phase, calls)},
	};
	struct beside beside = {0};

	collect(set, &beside);
	for (size_t i = 0; i < sizeof(sweeps) / sizeof(sweeps[0]) && beside.count > 0; i++)
		sweep(set, &beside, &sweeps[i]);
	count_calls(set, &beside);
	return beside;
}

void beside_free(struct beside *beside)
{
	free(beside->phase);
	*beside = (struct beside){0};
}

#define MOST_ROWS 64

static const struct table_column columns[] = {
	{"log", "", "log", true, true},
	{"lock", "", "lock", true, false},
	{"threads", "", "threads", false, true},
	{"measured", "ms", "measured_ms", false, false},
	{"beside others", "%", "beside_logs_percent", false, false},
	{"on the same lock", "%", "beside_lock_percent", false, false},
	{"beside other calls", "%", "beside_calls_percent", false, false},
};

/* The phases of one log, lock and number of threads. */
struct row {
	const struct phase *first;
	uint64_t length, logs, lock, calls;
};

static bool same_row(const struct phase *a, const struct phase *b)
{
	return a->log == b->log && record_u64(a->run, "threads") == record_u64(b->run, "threads") &&
	       strcmp(record_text(a->run, "lock"), record_text(b->run, "lock")) == 0;
}

/* How many, MOST_ROWS at most. */
static size_t make_rows(const struct beside *beside, struct row rows[MOST_ROWS])
{
	size_t count = 0;

	for (size_t i = 0; i < beside->count; i++) {
		const struct phase *phase = &beside->phase[i];
		size_t at = 0;

		while (at < count && !same_row(rows[at].first, phase))
			at++;
		if (at == MOST_ROWS)
			continue;
		if (at == count)
			rows[count++] = (struct row){.first = phase};
		rows[at].length += phase->end - phase->start;
		rows[at].logs += phase->logs;
		rows[at].lock += phase->lock;
		rows[at].calls += phase->calls;
	}
	return count;
}

static void add_share(struct table *table, uint64_t part, uint64_t whole)
{
	double percent = (double)part * 100 / (double)whole;

	table_number(table, percent, "%.0f", percent);
}

static struct table *table_of(const struct set *set, const struct beside *beside)
{
	struct table *table =
		table_new("Measured at the same time as other logs, by the clock of their host",
			  columns, sizeof(columns) / sizeof(columns[0]));
	struct row *rows = memory_new(MOST_ROWS, sizeof(rows[0]));
	size_t count = make_rows(beside, rows);

	for (size_t i = 0; i < count; i++) {
		const struct record *run = rows[i].first->run;
		uint64_t threads = record_u64(run, "threads");

		table_text(table, set->logs[rows[i].first->log].path);
		table_text(table, record_text(run, "lock"));
		table_number(table, (double)threads, "%llu", (unsigned long long)threads);
		table_number(table, (double)rows[i].length / 1e6, "%.0f",
			     (double)rows[i].length / 1e6);
		add_share(table, rows[i].logs, rows[i].length);
		add_share(table, rows[i].lock, rows[i].length);
		add_share(table, rows[i].calls, rows[i].length);
	}
	if (count == MOST_ROWS)
		table_footnote(table, "The first %d rows.", MOST_ROWS);
	free(rows);
	return table;
}

struct table *beside_table(const struct set *set)
{
	struct beside beside = beside_of(set);
	struct table *table = NULL;
	uint64_t shared = 0;

	for (size_t i = 0; i < beside.count; i++)
		shared |= beside.phase[i].logs;
	if (shared > 0)
		table = table_of(set, &beside);
	beside_free(&beside);
	return table;
}
