/* SPDX-License-Identifier: MIT */
/*
 * What pvspin-report knows, and the one flow through it:
 *
 *   files -> log (read/: lines to checked records) -> set (cells/: a cell for each lock, workload,
 *   number of threads...) -> table (tables/) -> text, markdown, csv, json (print/), page (html/)
 *                  \-> trace (timeline/: event records) -> Perfetto JSON, timeline pictures
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

/* The exit statuses of pvspin-report; docs/report.md and --help have the same list. */
enum status {
	STATUS_OK = 0,
	STATUS_USAGE = 2,   /* and: what may not be compared */
	STATUS_DAMAGED = 3, /* a log is not whole; what it has was printed, and marked */
	STATUS_UNREADABLE = 4,
};

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

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
/* Of a field in cycles. */
double record_ns(const struct record *record, const char *field, uint64_t tsc_khz);

/* Something left out or doubtful, for people: "serial-0.log:17: seq 12 comes twice: left out". */
struct note {
	char *text;
	bool damage; /* the log is not whole: the status of the program says so */
};

struct notes {
	struct note *list;
	size_t count, hidden; /* hidden: further ones past a bound, only counted */
};

/* The list of what was left out or is doubtful (struct notes): bounded, however bad a log is:
 * per file and in all. */
#define NOTES_PER_LOG 20
#define NOTES_MOST    400

/* Damage: the log is not whole. Text that comes from logs is printed escaped. */
void note_add(struct notes *notes, bool damage, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void notes_free(struct notes *notes);

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

/* manifest.json's a.b, or its a where b is NULL; NULL if there is none. */
json_t *log_manifest(const struct log *log, const char *a, const char *b);

/* A sample: one value per repetition, in the order of the logs; NAN where a log does not say. */
struct sample {
	double *value;
	size_t count;
};

/* What is known of each repetition of a cell. */
enum sample_index {
	SAMPLE_MERIT, /* ops (jobs) per second; fixed work: seconds */
	SAMPLE_JAIN,  /* Jain's fairness index over the vCPUs, 0..1 */
	SAMPLE_LONGEST_STREAK,
	SAMPLE_LONGEST_WAIT_NS,
	SAMPLE_HALTS,
	SAMPLE_KICKS,
	SAMPLE_SPURIOUS_WAKEUPS,
	SAMPLE_YIELDS,
	SAMPLE_LOCK_STEALS,
	SAMPLE_LHP_EVENTS,
	SAMPLE_LHP_NS,
	SAMPLE_LHP_WAIT_NS,
	SAMPLE_LWP_EVENTS,
	SAMPLE_LWP_NS,
	/* shares of vCPU time, 0..1: they add up to 1 */
	SAMPLE_RUNNING,
	SAMPLE_SPINNING,
	SAMPLE_HALTED,
	SAMPLE_IDLE,
	SAMPLE_STOLEN,
	/* latency=on: shares of the phase, by what the lock was: they add up to 1 */
	SAMPLE_LOCK_WORK,
	SAMPLE_LOCK_HOLDER_OFF,
	SAMPLE_LOCK_HANDOVER,
	SAMPLE_LOCK_WAKING,
	SAMPLE_LOCK_GRANTEE_OFF,
	SAMPLE_LOCK_PASSED,
	SAMPLE_LOCK_UNWANTED,
	SAMPLES
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

/* A hist record's list: [low, high, count] each, ascending, not overlapping, counts of 1 and more
 * that add up to `count`, all of them within the range of min and max. */
bool distribution_valid(const json_t *hist);

/* Adds a valid hist record; all that is in another one. False: another unit than those before,
 * nothing was added. */
bool distribution_add(struct distribution *distribution, const struct record *hist);
bool distribution_merge(struct distribution *distribution, const struct distribution *more);
void distribution_free(struct distribution *distribution);

/* The value that a share p (0..1) of all values do not exceed, as the upper bound of its bucket and
 * at most the largest value; NAN when there is none. */
double distribution_quantile(const struct distribution *distribution, double p);

/* One row of the tables. Samples have one value per repetition. */
struct cell {
	struct cell_key key;
	struct origin *origin; /* of each repetition */
	size_t reps;
	size_t incomplete;    /* repetitions that stopped short of ops= */
	bool excludes_nobody; /* the null lock: the harness itself */
	bool fixed_work;      /* the merit is elapsed seconds of a fixed amount of work (kbuild) */
	struct sample sample[SAMPLES];
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
	int status; /* of the program, enum status: what reading came to */
};

/* Reads files and --out directories (all serial-*.log below, run-N/ too) into a set. Never fails on
 * bad content: what cannot be used is in set->notes, and set->status is STATUS_DAMAGED. False, with
 * a message on stderr and the reason in set->status, when something named cannot be read or accel
 * classes are mixed. set_free() is due in any case. */
bool set_read(const char *const *paths, size_t count, struct set *set);
void set_free(struct set *set);
/* Says that figures of two classes of accelerator are never "compared", "put together". */
void accel_mismatch(const char *name, const char *accel, const char *other, const char *other_accel,
		    const char *how);
/* How many of its logs are not whole. */
size_t set_damaged(const struct set *set);

#endif
