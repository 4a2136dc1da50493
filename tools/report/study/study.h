/* SPDX-License-Identifier: MIT */
/*
 * The tables of an experiment (run.sh --experiment; docs/experiments.md): the time of each cell
 * over the repetitions beside that of the study of 2017, and for each finding of the study whether
 * it is seen here, with what confidence. An experiment's directory has experiment.json, which says
 * what its cells are.
 *
 *   experiment.json, logs -> study_read (read.c) -> struct study -> study_judge (judge.c)
 *   -> study_times, study_why (tables.c), study_findings (findings.c) -> struct table ->
 * study_write (write.c)
 */
#ifndef PVSPIN_TOOLS_REPORT_STUDY_STUDY_H
#define PVSPIN_TOOLS_REPORT_STUDY_STUDY_H

#include "tools/report/base/data.h"
#include "tools/report/cells/cells.h"
#include "tools/report/print/print.h"
#include "tools/report/tables/table.h"

#include <stdio.h>

/* One row: a thing whose time is measured. All times are in seconds. */
struct study_cell {
	const char *name, *run, *label;
	struct sample time; /* of each repetition: the mean over its VMs */
	bool *cut;          /* of each: by its time limit; the time is a lower bound */
	size_t cut_count;
	double *overlap; /* of each: share of the shorter measured phases that was at once; NAN:
			    alone */
	size_t wanted;   /* repetitions asked for */
	double study_mean, study_sd;  /* NAN: the study has none */
	double study_low, study_high; /* where it gives a range instead; else NAN */
	size_t *repetition;           /* of each: 1, 2, 3... */
	/* Why it took its time: where the vCPUs' time went, who was preempted, holding a lock or
	 * waiting for one, and what it cost. From the same runs as the time, each a mean over the
	 * members (VMs), as the time is, so that the parts of the time add up to it. NAN where a
	 * member has no steal-time page (hosted, tcg): nobody says who was off the CPU. */
	struct cell why;
};

enum finding_kind {
	FINDING_SLOWER,
	FINDING_WILDER,
	FINDING_EQUAL,
	FINDING_DIFFERS,
	FINDING_COMPARED, /* of a lock that the study has not: whether it differs, and how */
	FINDING_KINDS
};

enum finding_verdict {
	VERDICT_UNDECIDED,
	VERDICT_REPRODUCED,
	VERDICT_NOT_REPRODUCED, /* no difference above 5 %, or where none was: one */
	VERDICT_OPPOSITE,
	VERDICT_NOT_JUDGED, /* plain emulation: says nothing about KVM */
};

struct study_finding {
	enum finding_kind kind;
	const struct study_cell *cell, *other;
	const char *text;
	double ratio, low,
		high; /* of cell to other, with its 95 % confidence interval; NAN: none */
	double study_ratio;
	double p, p_holm; /* as it is; corrected for the number of findings */
	const char *test; /* which gave p */
	/* Repetitions that would probably show the study's ratio, or one of 1.05; 0: no idea. */
	size_t needed_study, needed_effect;
	enum finding_verdict verdict;
};

struct study {
	char *path; /* of the directory */
	json_t *json;
	const char *name, *title, *source, *more, *accel,
		*skipped; /* skipped: why; NULL: it was done */
	bool summary;     /* no cells: the usual table of its logs is wanted */
	uint64_t host_cpus, vcpus, runs;
	struct study_cell *cells;
	size_t cell_count;
	struct study_finding *findings;
	size_t finding_count;
};

/* Whether there is an experiment.json in a directory. */
bool study_here(const char *path);

/* Reads the experiment of a directory and the logs that are there of it. What cannot be used is in
 * notes. False, with a message on stderr: experiment.json is none. study_free() is due in any case.
 */
bool study_read(const char *path, struct study *study, struct notes *notes);
void study_free(struct study *study);

/* Fills the findings' figures; study_read() calls it. */
void study_compare(struct study *study);
/* Then the verdicts, over all findings that are shown together. */
void study_judge(struct study *studies, size_t count);

/* The tables, of one experiment or several; of table_free(). study_findings: NULL if there are
 * none. */
struct table *study_times(const struct study *studies, size_t count);
/* Of csv: study_times with the columns of study_why in the same rows. */
struct table *study_wide(const struct study *studies, size_t count);
struct table *study_findings(const struct study *studies, size_t count);
/* A number, or "-" for NAN; the format is printf's for a double. */
void study_number(struct table *table, double number, const char *format)
	__attribute__((format(printf, 3, 0)));
/* A directory with an experiment.json: its tables, or the usual ones of its logs. Returns the
 * program's status. */
int study_write(FILE *out, const char *directory, enum format format);

/* What holds for all tables, as footnotes of the last. */
void study_notes(const struct study *studies, size_t count, struct table *table);

/* A row a cell, and in words what sets the cells of a finding apart; of table_free(). */
struct table *study_why(const struct study *studies, size_t count);

/* The pictures of an experiment for its page (write.c): the times, where they went, who was
 * preempted, and of the traced call of each run the moment that says most. `number`: of the
 * experiment on the page. */
void study_pictures(FILE *out, const struct study *study, size_t number);

/* Seconds of a cell's time that its vCPUs spent so: SAMPLE_RUNNING to SAMPLE_STOLEN. */
struct sample why_seconds(const struct study_cell *cell, enum sample_index part);

#endif
