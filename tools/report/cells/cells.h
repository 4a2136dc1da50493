/* SPDX-License-Identifier: MIT */
/*
 * Runs to cells: each run record with its vcpu and hist records is a repetition, and repetitions
 * with an equal key are one cell. The list of a cell's samples (sample_list) is here too, for
 * whoever has to go through all of them.
 */
#ifndef PVSPIN_TOOLS_REPORT_CELLS_CELLS_H
#define PVSPIN_TOOLS_REPORT_CELLS_CELLS_H

#include "tools/report/base/data.h"

enum sample_index {
	SAMPLE_MERIT,
	SAMPLE_JAIN,
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
	SAMPLE_RUNNING,
	SAMPLE_SPINNING,
	SAMPLE_HALTED,
	SAMPLE_IDLE,
	SAMPLE_STOLEN,
	SAMPLES
};

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
	size_t offset; /* in struct cell */
	enum together_rule rule;
};

extern const struct sample_kind sample_list[SAMPLES];

const struct sample *cell_sample(const struct cell *cell, enum sample_index index);

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

/* Jain's fairness index (sum x)^2 / (n * sum x^2); NAN when all are 0. */
double jain_index(const double *value, size_t count);

#endif
