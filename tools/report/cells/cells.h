/* SPDX-License-Identifier: MIT */
/*
 * Runs to cells: each run record with its vcpu and hist records is a repetition (repetition.c), and
 * repetitions with an equal key are one cell (cells.c). The list of a cell's samples is here too,
 * for whoever has to go through all of them.
 */
#ifndef PVSPIN_TOOLS_REPORT_CELLS_CELLS_H
#define PVSPIN_TOOLS_REPORT_CELLS_CELLS_H

#include "tools/report/base/data.h"

/* How the values of instances that ran at once become one. */
enum together_rule {
	TOGETHER_SUM,
	TOGETHER_MOST,
	TOGETHER_MEAN, /* of shares of equally many vCPUs */
	TOGETHER_JAIN, /* over the vCPUs of all */
};

struct sample_kind {
	const char *name; /* in JSON and CSV */
	const char *unit;
	enum together_rule rule;
	const char *field; /* of the run record, in cycles where the unit is ns; NULL: worked out */
};

extern const struct sample_kind sample_list[SAMPLES];

/* One run of one log, or of all instances of a call. */
struct repetition {
	struct cell_key key; /* settings are owned, until they are a cell's */
	struct origin origin;
	bool incomplete, excludes_nobody, fixed_work;
	double value[SAMPLES];
	double *vcpu_ops; /* owned */
	size_t vcpus;
	struct distribution wait, hold; /* owned */
	uint64_t tsc_khz;
};

/* The run at log->records[index], a RECORD_RUN; *next is where the records behind it begin. False,
 * with a note: nothing to count. */
bool repetition_read(const struct log *log, size_t index, size_t *next,
		     struct repetition *repetition, struct notes *notes);
void repetition_free(struct repetition *repetition);

/* Fills set->cells from set->logs; notes what is left out. */
void cells_make(struct set *set);
void cells_free(struct set *set);
/* One value more of each sample. */
void cell_add_values(struct cell *cell, const double value[SAMPLES]);
void cell_free_samples(struct cell *cell);

/* What two keys may differ in and still match. */
enum key_part {
	KEY_LOCK = 1,
	KEY_THREADS = 2,
	KEY_TASKS = 4,
	KEY_SETUP = 8, /* dispatch and backend */
	KEY_SETTINGS = 16,
	KEY_INSTANCE = 32,  /* which of them */
	KEY_INSTANCES = 64, /* how many there were */
	KEY_DAMAGED = 128,
};

bool keys_match(const struct cell_key *a, const struct cell_key *b, unsigned but);

/* Jain's fairness index (sum x)^2 / (n * sum x^2); NAN when all are 0. */
double jain_index(const double *value, size_t count);

/* What a share p of a cell's waits or holds do not exceed, in ns. */
double cell_quantile_ns(const struct cell *cell, const struct distribution *of, double p);

/* What two cells are compared by. Repetitions of one boot are more alike than boots are, so where
 * there are several boots it is the mean of each; else the repetitions. *boots: how many. values
 * are to be freed. */
struct sample cell_independent(const struct cell *cell, enum sample_index index, size_t *boots);

/* The quantiles that are printed. */
#define QUANTILES 5
extern const double quantile_levels[QUANTILES];
/* "p50_ns" */
extern const char *const quantile_names[QUANTILES];

#endif
