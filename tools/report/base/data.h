/* SPDX-License-Identifier: MIT */
/*
 * The data of pvspin-report, and how they flow through it:
 *
 *   files -> log (read/: lines to checked records) -> set (cells/: a cell for each lock, workload,
 *   number of threads...) -> table (tables/) -> text, markdown, csv, json (print/), page (html/)
 *                  \-> trace (timeline/: event records) -> Perfetto JSON, timeline pictures
 *
 * Each structure is filled once and then only read. Strings from logs are kept unchanged; the code
 * that prints them escapes them. set_free() frees everything, so that the sanitizers find no leaks.
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
	STATUS_USAGE = 2,   /* wrong use, or accelerator classes that may not be mixed */
	STATUS_DAMAGED = 3, /* a log is not whole; its valid runs were printed and marked */
	STATUS_UNREADABLE = 4,
};

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

/* The record types that the analyser knows. All others are RECORD_OTHER, of which only seq is kept.
 * schema.c lists the name and the fields of each type; a test compares docs/serial-log.md with it.
 */
enum record_type {
	RECORD_BOOT,
	RECORD_RUN,
	RECORD_VCPU,
	RECORD_HIST,
	RECORD_CLASS,
	RECORD_EVENT,
	RECORD_PINGPONG,
	RECORD_SPEED,
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

/* What pvspin-report makes of runs that differ in a key: bench/plan_keys.def has the meanings. */
enum key_role { COLUMN, SETTING, CHANCE };

/* One valid record of a log: it has every field that schema.c requires, and each field that
 * schema.c lists has the right type and range. */
struct record {
	enum record_type type;
	size_t line; /* 1, 2, 3... in the file */
	uint64_t seq;
	json_t *json; /* NULL: RECORD_OTHER */
};

/* Return a field of a valid record; 0, false or "" if it is absent. */
uint64_t record_u64(const struct record *record, const char *field);
bool record_bool(const struct record *record, const char *field);
const char *record_text(const struct record *record, const char *field);
/* Returns a field in cycles, converted to ns. */
double record_ns(const struct record *record, const char *field, uint64_t tsc_khz);

/* Tells people what was left out or is doubtful: "serial-0.log:17: seq 2 comes twice: left out". */
struct note {
	char *text;
	bool damage; /* the log is not whole, so the exit status is STATUS_DAMAGED */
};

struct notes {
	struct note *list;
	size_t count, hidden; /* hidden: notes beyond NOTES_MOST, only counted */
};

/* However bad the logs are, the notes have bounds: for each log, and for a set. */
#define NOTES_PER_LOG 20
#define NOTES_MOST    400

/* Adds a note. It may quote a log: notes are escaped when they are printed. */
void note_add(struct notes *notes, bool damage, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void notes_free(struct notes *notes);

/* One serial log. */
struct log {
	char *path;         /* as given or found */
	unsigned instance;  /* serial-<instance>.log; 0 for a lone file */
	unsigned instances; /* how many logs its directory has; 1 for a lone file */
	unsigned call_run;  /* run.sh --runs: 1, 2, 3...; 1 for a lone file */
	size_t call;        /* the same for all logs of one run of a call: they ran at once */
	struct record *records;
	size_t count;
	const struct record *boot, *end; /* NULL: missing */
	json_t *manifest;                /* of its directory; NULL: none */
	bool complete; /* boot first, end last, no gap in seq, as many records as `end` counts */
	bool usable;   /* has a boot record with a known schema, so its runs may be shown */
};

/* Returns manifest.json's a.b, or its a if b is NULL; NULL if there is none. */
json_t *log_manifest(const struct log *log, const char *a, const char *b);

/* One value per repetition, in the order of the logs; NAN where the log does not have it. */
struct sample {
	double *value;
	size_t count;
};

/* The samples of a cell. */
enum sample_index {
	SAMPLE_MERIT,        /* ops (jobs) per second; fixed work: seconds */
	SAMPLE_JAIN,         /* Jain's fairness index over the vCPUs, 0..1 */
	SAMPLE_SLICE_NS,     /* how long a vCPU ran each time that it was given a CPU */
	SAMPLE_JAIN_WINDOWS, /* mean of Jain's index over windows of a few time slices */
	SAMPLE_LONGEST_STREAK,
	SAMPLE_MIDDLE_VCPU_P50_NS, /* the median of the vCPUs' own medians */
	SAMPLE_WORST_VCPU_P99_NS,
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
	/* shares of vCPU time; they add up to 1 */
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

/* Runs with equal keys are repetitions of one cell. */
struct cell_key {
	const char *lock, *workload, *dispatch, *pv_backend;
	uint64_t threads, tasks, hold, think;
	/* Everything else that must be equal, as text: "latency=on vcpus=4 spin_threshold=1024".
	 * Printed if cells differ in it. */
	const char *settings;
	unsigned instances; /* that ran at once */
	int instance;       /* which of several; CELL_JOINED: all of them */
	bool damaged;       /* the logs are not whole: such runs have cells of their own, marked */
};
#define CELL_JOINED (-1)

/* Where a repetition comes from. */
struct origin {
	const struct log *log; /* of a joined cell: instance 0's */
	uint64_t run, rep;
};

/* A merged histogram in the unit of the logs: buckets ascending, `high` inclusive. */
struct bucket {
	uint64_t low, high, count;
};

struct distribution {
	struct bucket *bucket;
	size_t buckets;
	uint64_t count, max;
	const char *unit;
};

/* True if the buckets of a hist record are a histogram: lists [low, high, count], ascending, not
 * overlapping, with counts of at least 1 that add up to `count`; the first bucket contains `min`,
 * the last one `max`. */
bool distribution_valid(const json_t *hist);

/* Add a valid hist record, or another distribution. Return false and add nothing if the units
 * differ. */
bool distribution_add(struct distribution *distribution, const struct record *hist);
bool distribution_merge(struct distribution *distribution, const struct distribution *more);
void distribution_free(struct distribution *distribution);

/* Returns an upper bound of the p-quantile (p from 0 to 1): the upper end of its bucket, but at
 * most the largest value. NAN if the distribution is empty. */
double distribution_quantile(const struct distribution *distribution, double p);
/* Returns the value such that all values up to it make the share p of the sum of all. A bucket's
 * values count as its middle. */
double distribution_quantile_of_sum(const struct distribution *distribution, double p);

/* One row of the tables. */
struct cell {
	struct cell_key key;
	struct origin *origin; /* of each repetition */
	size_t reps;
	size_t incomplete;    /* repetitions that stopped short of ops= */
	bool excludes_nobody; /* the null lock: its figures are the measuring loop's */
	bool fixed_work;      /* the merit is elapsed seconds of a fixed amount of work (kbuild) */
	struct sample sample[SAMPLES];
	struct distribution wait, wait_net, hold; /* all repetitions merged; empty: latency=off */
	double *vcpu_ops; /* mean over repetitions, by CPU; joined: one instance after the other */
	size_t vcpus;
	uint64_t tsc_khz; /* converts cycles to ns */
};

/* Everything read for the tables, or for one side of a comparison; of one accelerator class. */
struct set {
	char *name; /* the user's name for it: file or directory */
	struct log *logs;
	size_t log_count;
	struct cell *cells; /* in order of first appearance */
	size_t cell_count;
	const char *accel; /* as in bench/quoting.h; NULL: no usable log */
	struct notes notes;
	int status; /* enum status: the exit status that these logs lead to */
};

/* Reads logs and --out directories (every serial-<instance>.log below them) into a set. Bad content
 * is no failure: notes say what is unusable, and set->status is STATUS_DAMAGED. Returns false,
 * after a message on stderr and with the reason in set->status, if a path cannot be read or
 * accelerator classes are mixed. Call set_free() in either case. */
bool set_read(const char *const *paths, size_t count, struct set *set);
void set_free(struct set *set);
/* Prints that figures of two accelerator classes are never `how`: "compared", "mixed". */
void accel_mismatch(const char *name, const char *accel, const char *other, const char *other_accel,
		    const char *how);
/* Returns how many logs of the set are not whole. */
size_t set_damaged_logs(const struct set *set);

#endif
