/* SPDX-License-Identifier: MIT */
/* An experiment's directory with experiment.json and logs, for the tests of tools/report/study*. */
#ifndef PVSPIN_TESTS_HOST_STUDY_FILES_H
#define PVSPIN_TESTS_HOST_STUDY_FILES_H

#include "tools/report/base/data.h"
#include "tools/report/study/study.h"
#include <math.h>
#include <stdio.h>

#define COUNT(array)           (sizeof(array) / sizeof((array)[0]))
#define NEAR(number, expected) assert_true(fabs((number) / (expected)-1) < 1e-6)

extern char study_directory[];
extern struct study study; /* as judged() read it */
extern struct notes notes;

/* cmocka's: of a group, and of each test. */
int study_make_directory(void **state);
int study_remove_directory(void **state);
int study_setup(void **state);
int study_teardown(void **state);

/* A file below study_directory, and its parts. */
FILE *create(const char *file);
void boot(FILE *out);
void run_record(FILE *out, unsigned seq, const char *lock, double seconds, const char *more);
void end(FILE *out, unsigned seq);

/* Whole logs RUN/rep-N/LOG of one run each; none where the time is 0. */
void write_logs(const char *run, const char *log, const double *seconds, size_t count);

/* Cells a (VMs of run_a, maybe of one lock) and b (VMs of run_b, or its host peer), and a finding.
 */
void write_experiment(const char *accel, const char *run_a, const char *lock_a, const char *run_b,
		      const char *where_b, const char *kind);

/* Reads what was written; returns the one finding. */
const struct study_finding *judged(void);

#endif
