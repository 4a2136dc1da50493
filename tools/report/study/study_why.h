/* SPDX-License-Identifier: MIT */
/*
 * Why a cell of an experiment took its time: where the vCPUs' time went, who was preempted, holding
 * a lock or waiting for one, and what it cost. From the same runs as the cell's time, member by
 * member: all of it is a mean over the members (VMs), as the time is, so that the parts of the time
 * add up to it. Where a member has no steal-time page (hosted, tcg) nobody says who was off the
 * CPU: those values are NAN.
 *
 *   run records -> why_add, why_store (study_why.c) -> study_cell.why -> study_why
 * (study_why_table.c)
 */
#ifndef PVSPIN_TOOLS_REPORT_STUDY_STUDY_WHY_H
#define PVSPIN_TOOLS_REPORT_STUDY_STUDY_WHY_H

#include "tools/report/cells/cells.h"
#include "tools/report/study/study.h"
#include "tools/report/tables/table.h"

/* Of one repetition, over its members. */
struct why_sums {
	double seconds, value[SAMPLES]; /* shares of time: as seconds */
	size_t runs;
};

/* The run at log->records[index]; what is doubtful about it is in notes. */
void why_add(struct why_sums *sums, const struct log *log, size_t index, struct notes *notes);
/* A repetition is complete: its values become the cell's. */
void why_store(struct study_cell *cell, const struct why_sums *sums);
void why_free(struct study_cell *cell);

/* The columns, and what a row has in them: for the table here and for the one row of csv. */
#define WHY_COLUMNS 14
extern const struct table_column why_columns[WHY_COLUMNS];
void why_row(struct table *table, const struct study_cell *cell);

/* A row a cell, and in words what sets the cells of a finding apart; of table_free(). */
struct table *study_why(const struct study *studies, size_t count);

/* The pictures of an experiment for its page (study_html.c): the times, where they went, who was
 * preempted, and of the traced call of each run the moment that says most. `number`: of the
 * experiment on the page. */
void study_pictures(FILE *out, const struct study *study, size_t number);

/* Seconds of a cell's time that its vCPUs spent so: SAMPLE_RUNNING to SAMPLE_STOLEN. */
struct sample why_seconds(const struct study_cell *cell, enum sample_index part);

#endif
