/* SPDX-License-Identifier: MIT */
/*
 * What pvspin-report knows, and the one flow through it:
 *
 *   files -> log (log.c: lines to checked records) -> set (set.c: cells, one per lock x workload x
 *   threads x ...) -> table (table.h) -> text, markdown, csv, json, html
 *                  \-> trace (trace.c: event records) -> Perfetto JSON, timeline pictures
 *
 * Everything is filled once and read-only after. Strings from logs are kept as they came and
 * escaped by whoever prints them. Memory is freed by set_free(), for the sanitizers' sake.
 */
#ifndef PVSPIN_TOOLS_REPORT_BASE_DATA_H
#define PVSPIN_TOOLS_REPORT_BASE_DATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The types of records that the analyser knows; of others, RECORD_OTHER, only seq is kept. The
 * names and the fields of each are in schema.c, the one list (docs/serial-log.md is held against
 * it). */
enum record_type {
	RECORD_BOOT,
	RECORD_RUN,
	RECORD_VCPU,
	RECORD_HIST,
	RECORD_CLASS,
	RECORD_EVENT,
	RECORD_PINGPONG,
	RECORD_READY,
	RECORD_OVERLAP,
	RECORD_PANIC,
	RECORD_HANG,
	RECORD_HANG_CPU,
	RECORD_COUNTS,
	RECORD_ERROR,
	RECORD_END,
	RECORD_OTHER,
	RECORD_TYPES
};

/* One line of a log that is a whole, valid record: every field schema.c requires is there, with
 * its type and in its range. In the order of the file. */
struct record {
	enum record_type type;
	size_t line; /* 1, 2, 3... in the file */
	uint64_t seq;
	json_t *json; /* NULL: RECORD_OTHER */
};

/* Of a valid record. Absent: 0, false, "". */
uint64_t record_u64(const struct record *record, const char *field);
bool record_bool(const struct record *record, const char *field);
const char *record_text(const struct record *record, const char *field);

/* Something left out or doubtful, for people: "serial-0.log:17: seq 12 comes twice: left out". */
struct note {
	char *text;
	bool damage; /* the log is not whole: the status of the program says so */
};

struct notes {
	struct note *list;
	size_t count, hidden; /* hidden: further ones past a bound, only counted */
};

/* One serial log. */
struct log {
	char *path;         /* as given or found */
	unsigned instance;  /* serial-<instance>.log; 0 for a lone file */
	unsigned instances; /* how many such there are in its directory; 1 for a lone file */
	unsigned call_run;  /* run.sh --runs: 1, 2, 3...; 1 for a lone file */
	size_t call;        /* logs of one call and run have the same number: they ran at once */
	struct record *records;
	size_t count;
	const struct record *boot, *end; /* NULL: missing */
	json_t *manifest;                /* of its directory; NULL: none */
	bool complete; /* boot first, end last, seq without a gap, records as many as `end` says */
	bool usable;   /* boot is there, of a schema we know: its runs may be shown */
};

/* A sample: one value per repetition, in the order of the logs; NAN where a log does not say. */
struct sample {
	double *value;
	size_t count;
};

/* What runs are put together as repetitions of one thing. */
struct cell_key {
	const char *lock, *workload, *dispatch, *pv_backend;
	uint64_t threads, tasks, hold, think;
	/* What else must be equal for runs to be repetitions, as people read it: "latency=on
	 * vcpus=4 spin_threshold=1024". Shown where it tells cells apart. */
	const char *settings;
	unsigned instances; /* that ran at once */
	int instance;       /* with several; CELL_TOGETHER: the sum over all of them */
	bool damaged;       /* from logs that are not whole: cells of their own, always marked */
};
#define CELL_TOGETHER (-1)

/* Where a repetition comes from. */
struct origin {
	const struct log *log; /* together: that of instance 0 */
	uint64_t run, rep;
};

/* A merged histogram: buckets ascending, `high` inclusive; cycles as the log's unit says. */
struct bucket {
	uint64_t low, high, count;
};

struct distribution {
	struct bucket *bucket;
	size_t buckets;
	uint64_t count, max;
	const char *unit;
};

/* One row of the tables. Samples have one value per repetition. */
struct cell {
	struct cell_key key;
	struct origin *origin; /* of each repetition */
	size_t reps;
	size_t incomplete;    /* repetitions that stopped short of ops= */
	bool excludes_nobody; /* the null lock: the harness itself */
	bool fixed_work;      /* the merit is elapsed seconds of a fixed amount of work (kbuild) */
	struct sample merit;  /* ops (jobs) per second; fixed_work: seconds */
	struct sample jain;   /* 0..1 over the vCPUs of a repetition */
	struct sample longest_streak; /* acquisitions in a row by one vCPU */
	struct sample longest_wait_ns;
	struct sample halts, kicks, spurious_wakeups, yields, lock_steals; /* per repetition */
	struct sample lhp_events, lhp_ns, lhp_wait_ns, lwp_events, lwp_ns;
	/* shares of vCPU time, 0..1: they add up to 1 */
	struct sample running, spinning, halted, idle, stolen;
	struct distribution wait, hold; /* all repetitions merged; empty: latency=off */
	double *vcpu_ops; /* mean over repetitions, by CPU index; together: instance by instance */
	size_t vcpus;
	uint64_t tsc_khz; /* to make ns of cycles */
};

/* All that was read for one side of a comparison, one accel class only. */
struct set {
	char *name; /* how the user named it: file or directory */
	struct log *logs;
	size_t log_count;
	struct cell *cells; /* in order of first appearance */
	size_t cell_count;
	const char *accel; /* as in bench/quoting.h; NULL: no usable log */
	struct notes notes;
	int status; /* of the program, from status.h: what reading came to */
};

/* Reads files and --out directories (all serial-*.log below, run-N/ too) into a set. Never fails on
 * bad content: what cannot be used is in set->notes, and set->status is STATUS_DAMAGED. False, with
 * a message on stderr and the reason in set->status, when something named cannot be read or accel
 * classes are mixed. set_free() is due in any case. */
bool set_read(const char *const *paths, size_t count, struct set *set);
void set_free(struct set *set);

#endif
