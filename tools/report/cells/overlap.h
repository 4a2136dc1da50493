/* SPDX-License-Identifier: MIT */
/*
 * How much of the logs' measured phases overlapped, by the clock that the VMs of a host share:
 * instances of a call, calls of run.sh --meet, and calls that happened to run at the same time. If
 * the clocks of two logs cannot be compared, their overlap is unknown.
 */
#ifndef PVSPIN_TOOLS_REPORT_CELLS_OVERLAP_H
#define PVSPIN_TOOLS_REPORT_CELLS_OVERLAP_H

#include "tools/report/base/data.h"

/* A measured phase, and how long it overlapped others. */
struct phase {
	uint64_t start, end; /* ns since 1970, by the host's clock */
	size_t log;          /* index in the set */
	const struct record *run;
	const char *host;      /* boot ID of the VM's host; NULL: unknown */
	uint64_t beside_logs;  /* ns that overlap phases of other logs */
	uint64_t beside_lock;  /* ... of other logs with the same lock */
	uint64_t beside_calls; /* ... of other calls */
};

struct overlaps {
	struct phase *phase; /* log by log, in the order of the log */
	size_t count;
	size_t calls;               /* of the set, that measured something */
	size_t calls_without_clock; /* those whose clock cannot be compared with other calls' */
	const struct log *example;  /* a log of one of those */
	size_t hosts;               /* known hosts of all calls */
};

/* Sums over `overlap` records of two runs each: ns that both measured, ns of the shorter run. */
struct shared_ns {
	double both, shorter;
};

/* Adds an `overlap` record. */
void overlap_add(struct shared_ns *shared, const struct record *record);

/* Returns the phases of all usable logs and their overlaps. Call overlaps_free() afterwards. */
struct overlaps overlaps_of(const struct set *set);
/* Returns why a log's phases cannot be compared with those of other calls. */
const char *clock_missing_reason(const struct log *log);
void overlaps_free(struct overlaps *overlaps);

#endif
