/* SPDX-License-Identifier: MIT */
/*
 * Measures how often tools/report/study/judge.c is wrong, and how often it finds an effect. The
 * tables have made-up times with a known effect and three findings each, like the study's. Prints
 * the shares.
 */
#include "tests/host/test.h"

#include "tools/report/study/study.h"
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TABLES   1000
#define RUNS     10   /* of a cell, run.sh's default for an experiment */
#define SPREAD   0.15 /* standard deviation of the times' logarithms, as measured under nested */
#define FINDINGS 3

static struct study_cell cells[2 * FINDINGS];
static double times[2 * FINDINGS][RUNS];
static size_t repetitions[RUNS];
static bool cut[RUNS];
static struct study_finding findings[FINDINGS];
static struct study study = {.accel = "kvm", .findings = findings, .finding_count = FINDINGS};

/* Cell 2i took `effect` times as long as cell 2i + 1. */
static void make_table(gsl_rng *random, double effect)
{
	for (int i = 0; i < 2 * FINDINGS; i++) {
		for (int n = 0; n < RUNS; n++)
			times[i][n] = (i % 2 ? 1 : effect) * exp(gsl_ran_gaussian(random, SPREAD));
		cells[i] = (struct study_cell){
			.run = i % 2 ? "two" : "one",
			.time = {times[i], RUNS},
			.cut = cut,
			.repetition = repetitions,
			.study_mean = i % 2 ? 1 : 1.6,
			.study_sd = i % 2 ? 0.03 : 0.7,
		};
	}
	for (int i = 0; i < FINDINGS; i++)
		findings[i] = (struct study_finding){
			.kind = FINDING_SLOWER, .cell = &cells[2 * i], .other = &cells[2 * i + 1]};
}

/* Returns the percentage of TABLES tables with at least one decided finding; *each is the
 * percentage of decided findings. */
static double decided(double effect, double *each)
{
	gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
	size_t any = 0, all = 0;

	for (int i = 0; i < TABLES; i++) {
		size_t count = 0;

		make_table(random, effect);
		study_compare(&study);
		study_judge(&study, 1);
		for (int j = 0; j < FINDINGS; j++)
			count += findings[j].verdict == VERDICT_REPRODUCED ||
				 findings[j].verdict == VERDICT_OPPOSITE;
		any += count > 0;
		all += count;
	}
	gsl_rng_free(random);
	*each = 100.0 * (double)all / (TABLES * FINDINGS);
	printf("# effect %2.0f %%: %.1f %% of the findings decided, in %.1f %% of %d tables one or "
	       "more\n",
	       100 * (effect - 1), *each, 100.0 * (double)any / TABLES, TABLES);
	return 100.0 * (double)any / TABLES;
}

/* Without an effect, one table in twenty may have a decided finding: Holm's correction ensures
 * that. With a true effect of 5 %, one finding in twenty may be decided: the interval ensures that.
 */
static void false_findings_are_rare(void **state)
{
	double each;

	(void)state;
	assert_true(decided(1, &each) <= 5);
	decided(1.05, &each);
	assert_true(each <= 5);
}

static void large_effects_are_found(void **state)
{
	double each;

	(void)state;
	decided(1.2, &each);
	decided(1.6, &each);
	assert_true(each > 95);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(false_findings_are_rare),
		cmocka_unit_test(large_effects_are_found),
	};

	return cmocka_run_group_tests_name("report_verdicts", tests, NULL, NULL);
}
