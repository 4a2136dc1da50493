/* SPDX-License-Identifier: MIT */
/* Makes the directory of an experiment with experiment.json and logs, for tests of
 * tools/report/study/. */
#ifndef PVSPIN_TESTS_HOST_STUDY_FILES_H
#define PVSPIN_TESTS_HOST_STUDY_FILES_H

#include "tools/report/base/data.h"
#include "tools/report/study/study.h"
#include <math.h>
#include <stdio.h>

#define COUNT(array)           (sizeof(array) / sizeof((array)[0]))
#define NEAR(number, expected) assert_true(fabs((number) / (expected)-1) < 1e-6)

extern char study_directory[];
extern struct study study; /* set by judged() */
extern struct notes notes;

/* Setup and teardown functions of cmocka, for a group and for each test. */
int study_make_directory(void **state);
int study_remove_directory(void **state);
int study_setup(void **state);
int study_teardown(void **state);

/* Creates a file below study_directory; the others write records into it. */
FILE *create(const char *file);
void boot(FILE *out);
void run_record(FILE *out, unsigned seq, const char *lock, double seconds, const char *more);
void end(FILE *out, unsigned seq);

/* Writes whole logs RUN/rep-N/LOG of one run each, except where the time is 0. */
void write_logs(const char *run, const char *log, const double *seconds, size_t count);

/* Writes experiment.json with two cells and one finding. Cell a is the VMs of run_a (only the runs
 * of lock_a, if given), cell b the VMs of run_b or its host peer. */
void write_experiment(const char *accel, const char *run_a, const char *lock_a, const char *run_b,
		      const char *where_b, const char *kind);

/* Reads the experiment into `study`. Returns its finding. */
const struct study_finding *judged(void);

#endif
