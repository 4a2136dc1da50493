/* SPDX-License-Identifier: MIT */
/*
 * How much of the logs' measured phases was at the same time, by the clock that the VMs of a host
 * share: instances of a call, calls of run.sh --meet, and calls that somebody happened to start
 * apart. Logs whose clocks cannot be compared are never guessed about.
 */
#ifndef PVSPIN_TOOLS_REPORT_CELLS_OVERLAP_H
#define PVSPIN_TOOLS_REPORT_CELLS_OVERLAP_H

#include "tools/report/base/data.h"

/* One measured phase, and how much of it was beside others. */
struct phase {
	uint64_t start, end; /* ns since 1970, by the host's clock */
	size_t log;          /* of the set */
	const struct record *run;
	const char *host; /* the boot ID of the host of its VM; NULL: not known */
	uint64_t logs;    /* ns beside other logs' phases */
	uint64_t lock;    /* ns beside those of other logs with the same lock */
	uint64_t calls;   /* ns beside those of other calls */
};

struct overlaps {
	struct phase *phase; /* log by log, in the order of the log */
	size_t count;
	size_t calls;               /* in the set, with a usable log */
	size_t calls_without_clock; /* of these: no clock to compare with other calls' */
	const struct log *example;  /* one of those */
	size_t hosts;               /* that are known, of all calls */
};

/* Of runs that took place at once (`overlap` records): ns that they had in common, and of the
 * shorter ones. */
struct shared_ns {
	double both, shorter;
};

/* Adds an `overlap` record. */
void overlap_add(struct shared_ns *shared, const struct record *record);

struct overlaps overlaps_of(const struct set *set);
/* Why a log's phases cannot be compared with those of other calls. */
const char *clock_missing_reason(const struct log *log);
void overlaps_free(struct overlaps *overlaps);

#endif
