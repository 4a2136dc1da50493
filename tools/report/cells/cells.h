/* SPDX-License-Identifier: MIT */
/*
 * From run records to cells: repetition.c makes a repetition of each run record and its vcpu and
 * hist records; cells.c collects repetitions with equal keys in a cell, and lists the samples of a
 * cell.
 */
#ifndef PVSPIN_TOOLS_REPORT_CELLS_CELLS_H
#define PVSPIN_TOOLS_REPORT_CELLS_CELLS_H

#include "tools/report/base/data.h"

/* How the values of instances that ran at once are joined into one. */
enum join_rule {
	JOIN_SUM,
	JOIN_MOST,
	JOIN_MEAN, /* of shares: the instances have equally many vCPUs */
	JOIN_JAIN, /* Jain's index over the vCPUs of all */
};

struct sample_kind {
	const char *name; /* in JSON and CSV */
	const char *unit;
	enum join_rule rule;
	const char *field; /* of the run record, in cycles if the unit is ns; NULL: computed */
};

extern const struct sample_kind sample_list[SAMPLES];

/* A run of one log, or the joined runs of all instances of a call. */
struct repetition {
	struct cell_key key; /* owns its settings until a new cell takes them over */
	struct origin origin;
	bool incomplete, excludes_nobody, fixed_work;
	double value[SAMPLES];
	double *vcpu_ops;
	size_t vcpus;
	struct distribution wait, wait_net, hold;
	uint64_t tsc_khz;
};

/* Reads the run record at log->records[index] and its vcpu and hist records; *next is the index of
 * the record after them. Returns false, after a note, if the run has no valid figures. Call
 * repetition_free() in either case. */
bool repetition_read(const struct log *log, size_t index, size_t *next,
		     struct repetition *repetition, struct notes *notes);
void repetition_free(struct repetition *repetition);

/* Fills set->cells from set->logs. Adds notes about runs that are left out. */
void cells_make(struct set *set);
void cells_free(struct set *set);
/* Appends a value to each sample. */
void cell_add_values(struct cell *cell, const double value[SAMPLES]);
void cell_free_samples(struct cell *cell);

/* Parts of a key that keys_match() can ignore. */
enum key_part {
	KEY_LOCK = 1,
	KEY_THREADS = 2,
	KEY_TASKS = 4,
	KEY_SETUP = 8, /* dispatch and backend */
	KEY_SETTINGS = 16,
	KEY_INSTANCE = 32,  /* which instance it is */
	KEY_INSTANCES = 64, /* how many instances there were */
	KEY_DAMAGED = 128,
};

/* True if two keys are equal in all parts except those in `ignored`. */
bool keys_match(const struct cell_key *a, const struct cell_key *b, unsigned ignored);

/* The samples of a repetition that come from each vCPU's own waits and windows (fairness.c).
 * `vcpu`: its vcpu records, all of them. */
void fairness_read(const struct record *run, const struct record *const *vcpu,
		   struct repetition *repetition);

/* Returns Jain's fairness index (sum x)^2 / (n * sum x^2); NAN if all values are 0. */
double jain_index(const double *value, size_t count);

/* Returns distribution_quantile() of a cell's waits or holds, in ns. */
double cell_quantile_ns(const struct cell *cell, const struct distribution *of, double p);

/* Returns the values by which a cell is compared, and sets *boots to the number of boots.
 * Repetitions of one boot are more alike than boots are, so with several boots the values are the
 * means of the boots; with one boot they are its repetitions. The caller frees the values. */
struct sample cell_independent(const struct cell *cell, enum sample_index index, size_t *boots);

/* The quantiles that are printed. */
#define QUANTILES 5
extern const double quantile_levels[QUANTILES];
/* "p50_ns" */
extern const char *const quantile_names[QUANTILES];

#endif
