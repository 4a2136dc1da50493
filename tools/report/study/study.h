/* SPDX-License-Identifier: MIT */
/*
 * The tables of an experiment (run.sh --experiment; docs/experiments.md): the time of each cell
 * next to that of the study of 2017, and whether each finding of the study is reproduced, with its
 * confidence. experiment.json in the experiment's directory lists the cells.
 *
 *   experiment.json, logs -> study_read (read.c) -> struct study -> study_judge (judge.c)
 *   -> study_times, study_why (tables.c), study_counts (counts.c), study_findings (findings.c)
 *   -> struct table
 *   -> study_write (write.c)
 */
#ifndef PVSPIN_TOOLS_REPORT_STUDY_STUDY_H
#define PVSPIN_TOOLS_REPORT_STUDY_STUDY_H

#include "tools/report/base/data.h"
#include "tools/report/cells/cells.h"
#include "tools/report/print/print.h"
#include "tools/report/tables/table.h"

#include <stdio.h>

/* Of a repetition, for each VM. */
enum counted {
	COUNTED_HALT_EXITS, /* per second */
	COUNTED_HYPERCALLS,
	COUNTED_PREEMPTED,
	COUNTED_JOB_P999_NS, /* of a Linux guest's jobs, the longest of the VMs */
	COUNTED
};

/* One row. All times are in seconds. */
struct study_cell {
	const char *name, *run, *label;
	/* of each repetition: */
	/* Measured by threads of a user process beside the VMs; not so if experiment.json says
	 * "peer": "kernel-threads". */
	bool user_process;
	size_t *repetition; /* its number: 1, 2, 3... */
	struct sample time; /* mean over its VMs */
	bool *cut;          /* it met its time limit, so the time is a lower bound */
	double *overlap;    /* share of the shorter measured phases that overlapped; NAN: alone */
	size_t cut_count;
	size_t wanted;                /* repetitions asked for */
	double study_mean, study_sd;  /* NAN: the study has none */
	double study_low, study_high; /* if the study gives a range instead; else NAN */
	/* Where the vCPUs' time went, which vCPUs were preempted, and the cost. These values come
	 * from the same runs as the time and are means over the VMs like it, so the parts of the
	 * time add up to it. NAN if a VM has no steal-time page (hosted, tcg). */
	struct cell why;
	struct sample counted[COUNTED]; /* of the repetitions that have the value */
};

enum finding_kind {
	FINDING_SLOWER,
	FINDING_WILDER,
	FINDING_EQUAL,
	FINDING_DIFFERS,
	FINDING_COMPARED, /* a lock that the study did not have: does it differ, and how? */
	FINDING_KINDS
};

enum finding_verdict {
	VERDICT_UNDECIDED,
	VERDICT_REPRODUCED,
	VERDICT_NOT_REPRODUCED, /* no difference above 5 %; for FINDING_EQUAL: a difference */
	VERDICT_OPPOSITE,
	/* A cell is of a user process, which is preempted while it holds locks; a kernel is not. */
	VERDICT_USER_PROCESS,
	VERDICT_NOT_JUDGED, /* plain emulation, which says nothing about KVM */
};

struct study_finding {
	enum finding_kind kind;
	const struct study_cell *cell, *other;
	const char *text;
	double ratio;     /* of cell to other */
	double low, high; /* its 95 % confidence interval; NAN: unknown */
	double study_ratio;
	double p, p_holm; /* p_holm: corrected for the number of findings */
	const char *test; /* that gave p */
	/* Repetitions that would probably show the study's ratio, or one of 1.05; 0: unknown. */
	size_t needed_study, needed_effect;
	enum finding_verdict verdict;
};

struct study {
	char *path; /* the directory */
	json_t *json;
	const char *name, *title, *source, *more, *accel;
	const char *skipped; /* the reason; NULL: it was not skipped */
	bool summary;        /* it has no cells: print the usual tables of its logs */
	uint64_t host_cpus, vcpus, runs;
	struct study_cell *cells;
	size_t cell_count;
	struct study_finding *findings;
	size_t finding_count;
};

/* True if a directory has an experiment.json. */
bool study_exists(const char *path);

/* Reads the experiment of a directory and its logs. Notes tell what is unusable. Returns false,
 * after a message on stderr, if experiment.json is invalid. Call study_free() in either case. */
bool study_read(const char *path, struct study *study, struct notes *notes);
void study_free(struct study *study);

/* Whether it ran under --accel=sim, so that its verdicts are about a model. */
bool study_is_simulated(const struct study *study);

/* Adds the counts of a repetition, from the manifest in its directory. `seconds`: its time; job_ns:
 * NAN if it has no such jobs. */
void counts_read(struct study_cell *cell, const char *directory, double seconds, double job_ns);

/* Computes the figures of the findings. study_read() calls it. */
void study_compare(struct study *study);
/* Computes the verdicts; corrects p for all findings of these experiments. */
void study_judge(struct study *studies, size_t count);

/* Tables of one or several experiments. The caller frees them by table_free(). */

/* The times, one row for each cell. */
struct table *study_times(const struct study *studies, size_t count);
/* Where the time went, one row for each cell, with sentences about the differences of the findings'
 * cells. */
struct table *study_why(const struct study *studies, size_t count);
/* What KVM counted; NULL unless experiment.json asks for it ("counts"). */
struct table *study_counts(const struct study *study);
/* For csv: study_times() and study_why() in the same rows. */
struct table *study_wide(const struct study *studies, size_t count);
/* The findings; NULL if there are none. */
struct table *study_findings(const struct study *studies, size_t count);

/* Adds a number, or "-" for NAN. `format` is printf's for a double. */
void study_number(struct table *table, double number, const char *format)
	__attribute__((format(printf, 3, 0)));
/* Adds the footnotes that hold for all tables to the last table. */
void study_notes(const struct study *studies, size_t count, struct table *table);

/* Writes the tables of an experiment's directory. Returns the exit status. */
int study_write(FILE *out, const char *directory, enum format format);

/* Writes the pictures of an experiment into its page (write.c): the times, where they went,
 * preemptions, and the most telling moment of each traced call. `number` counts the experiments of
 * the page. */
void study_pictures(FILE *out, const struct study *study, size_t number);

/* Returns the seconds that a cell's vCPUs spent in a state, SAMPLE_RUNNING to SAMPLE_STOLEN, for
 * each repetition that has the value. The caller frees the values. */
struct sample why_seconds(const struct study_cell *cell, enum sample_index part);

#endif
