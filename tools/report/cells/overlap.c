/* SPDX-License-Identifier: MIT */
/*
 * Phases and their overlaps: see overlap.h. A sweep along the time axis counts how many logs (or
 * calls) are measuring, and sums up the time in which at least two are. The sum at a phase's end
 * less the sum at its start is the phase's overlap.
 */
#include "tools/report/cells/overlap.h"
#include "tools/report/base/system.h"

#include <stdlib.h>
#include <string.h>

#define LATEST_NS UINT64_C(4000000000000000000) /* the year 2096 */

/* Returns the boot ID of the kernel that keeps the VM's clock: under nested L1's, else the host's.
 */
static const char *host_of(const struct log *log)
{
	const char *accel = record_text(log->boot, "accel");
	const char *part = strcmp(accel, "nested") == 0 ? "l1" : "host";

	return json_string_value(log_manifest(log, part, "boot_id"));
}

/* Sets the times of a phase. Returns false if the record is no run or has no host's clock. */
static bool is_phase(const struct record *record, struct phase *phase)
{
	if (record->type != RECORD_RUN || strcmp(record_text(record, "clock"), "none") == 0)
		return false;
	phase->start = record_u64(record, "start_wall_ns");
	phase->end = record_u64(record, "end_wall_ns");
	return phase->start > 0 && phase->end > phase->start && phase->end < LATEST_NS;
}

const char *clock_missing_reason(const struct log *log)
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

static void collect_phases(const struct set *set, struct overlaps *overlaps)
{
	for (size_t i = 0; i < set->log_count; i++) {
		const struct log *log = &set->logs[i];

		for (size_t r = 0; r < log->count && log->usable; r++) {
			struct phase phase = {.log = i, .run = &log->records[r]};

			if (!is_phase(&log->records[r], &phase))
				continue;
			phase.host = host_of(log);
			overlaps->phase = memory_grow(overlaps->phase, overlaps->count,
						      sizeof(overlaps->phase[0]));
			overlaps->phase[overlaps->count++] = phase;
		}
	}
}

/* The start or end of a phase. A group of edges has comparable clocks, and one lock if the sweep is
 * by lock; groups are swept one after the other. */
struct edge {
	uint64_t time;
	bool end;
	size_t owner; /* the log or call that measures */
	struct phase *phase;
	uint64_t group_call; /* the call plus 1 if the host is unknown, else 0 */
	const char *host, *lock;
};

static int by_group(const struct edge *a, const struct edge *b)
{
	int order = strcmp(a->host, b->host);

	if (order == 0)
		order = (a->group_call > b->group_call) - (a->group_call < b->group_call);
	return order ? order : strcmp(a->lock, b->lock);
}

static int by_time(const void *first, const void *second)
{
	const struct edge *a = first, *b = second;
	int order = by_group(a, b);

	if (order == 0)
		order = (a->time > b->time) - (a->time < b->time);
	return order ? order : (int)b->end - (int)a->end; /* ends first */
}

struct sweep {
	bool by_call, by_lock;
	size_t field; /* offset of the result in struct phase */
};

static uint64_t *result_of(struct phase *phase, const struct sweep *sweep)
{
	return (uint64_t *)((char *)phase + sweep->field);
}

static struct edge *edges_of(const struct set *set, struct overlaps *overlaps,
			     const struct sweep *how)
{
	struct edge *edges = memory_new(2 * overlaps->count, sizeof(edges[0]));

	for (size_t i = 0; i < overlaps->count; i++) {
		struct phase *phase = &overlaps->phase[i];
		size_t call = set->logs[phase->log].call;
		struct edge edge = {
			.time = phase->start,
			.owner = how->by_call ? call : phase->log,
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
	qsort(edges, 2 * overlaps->count, sizeof(edges[0]), by_time);
	return edges;
}

static size_t largest_owner(const struct set *set)
{
	size_t most = set->log_count;

	for (size_t i = 0; i < set->log_count; i++) {
		if (set->logs[i].call > most)
			most = set->logs[i].call;
	}
	return most;
}

static void sweep(const struct set *set, struct overlaps *overlaps, const struct sweep *how)
{
	struct edge *edges = edges_of(set, overlaps, how);
	unsigned *active = memory_new(largest_owner(set) + 1, sizeof(active[0]));
	size_t measuring = 0;
	uint64_t shared = 0;

	for (size_t i = 0; i < 2 * overlaps->count; i++) {
		const struct edge *edge = &edges[i];
		uint64_t *result = result_of(edge->phase, how);

		/* at the first edge of a group `measuring` is 0, because all phases before have
		 * ended
		 */
		if (i > 0 && measuring > 1)
			shared += edge->time - edges[i - 1].time;
		if (edge->end) {
			measuring -= --active[edge->owner] == 0;
			*result = shared - *result;
		} else {
			measuring += active[edge->owner]++ == 0;
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

/* Returns the host of a log's phases; NULL if it has none or the host is unknown. */
static const char *host_of_phases(const struct overlaps *overlaps, size_t *next, size_t log)
{
	while (*next < overlaps->count && overlaps->phase[*next].log < log)
		(*next)++;
	return *next < overlaps->count && overlaps->phase[*next].log == log
		       ? overlaps->phase[*next].host
		       : NULL;
}

/* Counts the calls, those without a known host, and the hosts. */
static void count_calls(const struct set *set, struct overlaps *overlaps)
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
		host = host_of_phases(overlaps, &next, i);
		overlaps->calls++;
		if (host == NULL) {
			overlaps->calls_without_clock++;
			overlaps->example = log;
			continue;
		}
		while (known < overlaps->hosts && strcmp(hosts[known], host) != 0)
			known++;
		if (known == overlaps->hosts)
			hosts[overlaps->hosts++] = host;
	}
	free(hosts);
}

static uint64_t length_of(uint64_t start, uint64_t end)
{
	return end > start ? end - start : 0;
}

void overlap_add(struct shared_ns *shared, const struct record *record)
{
	uint64_t start = record_u64(record, "start_ns"), end = record_u64(record, "end_ns");
	uint64_t peer_start = record_u64(record, "peer_start_ns");
	uint64_t peer_end = record_u64(record, "peer_end_ns");
	uint64_t own = length_of(start, end), peer = length_of(peer_start, peer_end);

	shared->both += (double)length_of(start > peer_start ? start : peer_start,
					  end < peer_end ? end : peer_end);
	shared->shorter += (double)(own < peer ? own : peer);
}

struct overlaps overlaps_of(const struct set *set)
{
	static const struct sweep sweeps[] = {
		{false, false, offsetof(struct phase, beside_logs)},
		{false, true, offsetof(struct phase, beside_lock)},
		{true, false, offsetof(struct phase, beside_calls)},
	};
	struct overlaps overlaps = {0};

	collect_phases(set, &overlaps);
	for (size_t i = 0; i < COUNT_OF(sweeps) && overlaps.count > 0; i++)
		sweep(set, &overlaps, &sweeps[i]);
	count_calls(set, &overlaps);
	return overlaps;
}

void overlaps_free(struct overlaps *overlaps)
{
	free(overlaps->phase);
	*overlaps = (struct overlaps){0};
}
