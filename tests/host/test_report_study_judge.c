/* SPDX-License-Identifier: MIT */
/*
 * Tests tools/report/study/judge.c, from samples to verdicts. The expected figures follow from the
 * formulas in its header, computed by mpmath (numerical integration of Student's density), not by
 * GSL.
 */
#include "tests/host/study_files.h"
#include "tests/host/test.h"
#include <string.h>

/* Returns the finding about two cells of separate runs. */
static const struct study_finding *compared(const char *kind, const double *a, size_t a_count,
					    const double *b, size_t b_count)
{
	write_experiment("nested", "one", "", "two", "vm", kind);
	write_logs("one", "serial-0.log", a, a_count);
	write_logs("two", "serial-0.log", b, b_count);
	return judged();
}

/* A host peer whose sections are not preempted. */
#define KERNEL_PEER "host\",\"peer\":\"kernel-threads"

#define COMPARED(kind, a, b) compared(kind, a, COUNT(a), b, COUNT(b))

static const double A[] = {8.1, 9.6, 7.2, 12.4, 8.8, 10.3};
static const double B[] = {6.9, 7.4, 6.2, 7.0, 7.3};
static const double C[] = {8.0, 8.9, 7.5, 9.9, 8.9, 9.1};
static const double wild[] = {5, 14, 3, 19, 8, 30};
static const double tame[] = {10, 10.2, 9.9, 10.1, 9.8, 10.3};

static void slower_by_welch(void **state)
{
	const struct study_finding *finding = COMPARED("slower", A, B);

	(void)state;
	NEAR(finding->p, 0.012341444516471);
	NEAR(finding->ratio, 1.332579235441611);
	NEAR(finding->low, 1.089677448529);
	NEAR(finding->high, 1.629626657987);
	NEAR(finding->study_ratio, 500.0 / 250);
	assert_string_equal(finding->test, "Welch's t");
	assert_int_equal(finding->verdict, VERDICT_REPRODUCED);
}

static void faster_is_the_opposite(void **state)
{
	const struct study_finding *finding = COMPARED("slower", B, A);

	(void)state;
	NEAR(finding->p, 0.012341444516471);
	assert_int_equal(finding->verdict, VERDICT_OPPOSITE);
}

static void a_wild_cell_decides_nothing(void **state)
{
	const struct study_finding *finding = COMPARED("slower", wild, tame);

	(void)state;
	NEAR(finding->p, 0.973971486973265);
	assert_int_equal(finding->verdict, VERDICT_UNDECIDED);
}

static void cells_of_the_same_runs_are_pairs(void **state)
{
	const struct study_finding *finding;

	(void)state;
	write_experiment("nested", "both", "", "both", KERNEL_PEER, "slower");
	write_logs("both", "serial-0.log", A, COUNT(A));
	write_logs("both", "host-peer.log", C, COUNT(C));
	finding = judged();
	NEAR(finding->ratio, 1.06627791304895558);
	NEAR(finding->low, 0.96105088675919970);
	NEAR(finding->high, 1.18302641776856214);
	NEAR(finding->p, 0.173219179687928235);
	assert_string_equal(finding->test, "paired t");
	assert_int_equal(finding->verdict, VERDICT_UNDECIDED);
	/* 6 * (2.802 * 0.05302 / log(1.05))^2, where the error is half the interval divided
	 * by 1.96, not by Student's 2.57 */
	assert_int_equal(finding->needed_effect, 56);
}

/* A missing repetition of one cell does not shift the other pairs. */
static void pairs_are_by_repetition(void **state)
{
	const double a[] = {1, 2, 4, 8}, half[] = {0.5, 0, 2.0, 4.0001};
	const struct study_finding *finding;

	(void)state;
	write_experiment("nested", "both", "", "both", KERNEL_PEER, "slower");
	write_logs("both", "serial-0.log", a, COUNT(a));
	write_logs("both", "host-peer.log", half, COUNT(half));
	finding = judged();
	assert_int_equal(finding->other->time.count, 3);
	assert_true(fabs(finding->ratio - 2) < 1e-4);
	assert_int_equal(finding->verdict, VERDICT_REPRODUCED);
}

static void wilder_by_brown_forsythe(void **state)
{
	const struct study_finding *finding = COMPARED("wilder", wild, tame);

	(void)state;
	NEAR(finding->ratio, 41.4003988830317488);
	NEAR(finding->p, 0.00987950812105027030);
	assert_string_equal(finding->test, "Brown-Forsythe");
	assert_int_equal(finding->verdict, VERDICT_REPRODUCED);
}

static void a_small_spread_decides_nothing(void **state)
{
	const struct study_finding *finding = COMPARED("wilder", A, B);

	(void)state;
	NEAR(finding->ratio, 2.86894141029846004);
	NEAR(finding->p, 0.0978888017240897632);
	assert_int_equal(finding->verdict, VERDICT_UNDECIDED);
}

static void tamer_is_the_opposite(void **state)
{
	(void)state;
	assert_int_equal(COMPARED("wilder", tame, wild)->verdict, VERDICT_OPPOSITE);
}

/* Ten times slower with the same relative deviations is not wilder. */
static void slower_is_not_wilder(void **state)
{
	double slow[COUNT(A)];
	const struct study_finding *finding;

	(void)state;
	for (size_t i = 0; i < COUNT(A); i++)
		slow[i] = 10 * A[i];
	finding = COMPARED("wilder", slow, A);
	NEAR(finding->ratio, 1);
	assert_int_equal(finding->verdict, VERDICT_UNDECIDED);
}

static void equal_within_five_percent(void **state)
{
	const double near[] = {10.1, 10.3, 10.0, 10.2, 9.9, 10.4};

	(void)state;
	assert_int_equal(COMPARED("equal", near, tame)->verdict, VERDICT_REPRODUCED);
}

static void not_equal(void **state)
{
	const double far[] = {12.1, 12.3, 12.0, 12.2, 11.9, 12.4};

	(void)state;
	assert_int_equal(COMPARED("equal", far, tame)->verdict, VERDICT_NOT_REPRODUCED);
}

/* "Not known to differ" does not mean "equal". */
static void not_known_to_be_equal(void **state)
{
	(void)state;
	assert_int_equal(COMPARED("equal", wild, tame)->verdict, VERDICT_UNDECIDED);
}

static void no_difference_where_one_was(void **state)
{
	const double near[] = {10.1, 10.3, 10.0, 10.2, 9.9, 10.4};

	(void)state;
	assert_int_equal(COMPARED("slower", near, tame)->verdict, VERDICT_NOT_REPRODUCED);
}

static void differs_either_way(void **state)
{
	(void)state;
	assert_int_equal(COMPARED("differs", B, A)->verdict, VERDICT_REPRODUCED);
}

/* The interval is 2 % to 9 % slower, so the difference may be below 5 %. */
static void a_small_effect_is_not_decided(void **state)
{
	const double more[] = {10.6, 10.9, 10.3, 10.7, 10.4, 10.8};
	const struct study_finding *finding = COMPARED("slower", more, tame);
	struct table *table;

	(void)state;
	assert_true(finding->p_holm < 0.001 && finding->low > 1 && finding->low < 1.05);
	assert_int_equal(finding->verdict, VERDICT_UNDECIDED);
	table = study_findings(&study, 1);
	assert_string_equal(table_at(table, 0, 7)->text, "no"); /* the study's 2.00 is not in it */
	table_free(table);
}

/* Of three findings, Holm's correction multiplies the smallest p by 3, the next by 2, the last
 * by 1. */
static void findings_are_corrected_for_their_number(void **state)
{
	struct study_finding three[3];
	struct study all = {.accel = "kvm", .findings = three, .finding_count = 3};

	(void)state;
	COMPARED("slower", A, B);
	for (int i = 0; i < 3; i++)
		three[i] = study.findings[0];
	three[1].p = 0.02;
	three[2].p = 0.04;
	study_judge(&all, 1);
	NEAR(three[0].p_holm, 3 * 0.012341444516471);
	assert_int_equal(three[0].verdict, VERDICT_REPRODUCED);
	NEAR(three[1].p_holm, 0.04);
	assert_int_equal(three[1].verdict, VERDICT_REPRODUCED);
	three[2].p = 0.051;
	study_judge(&all, 1);
	assert_int_equal(three[2].verdict, VERDICT_UNDECIDED);
	three[0].p = three[1].p = 0.03;
	study_judge(&all, 1);
	assert_int_equal(three[0].verdict, VERDICT_UNDECIDED);
}

/* Of the VM's six runs the three slowest were cut at 9 s: they count as longer than all others. */
static void runs_that_were_cut_are_kept(void **state)
{
	const struct study_finding *finding;

	(void)state;
	write_experiment("nested", "one", "", "two", "vm", "slower");
	for (int i = 0; i < 6; i++) {
		char file[64];
		FILE *out;

		snprintf(file, sizeof(file), "one/rep-%d/serial-0.log", i + 1);
		out = create(file);
		boot(out);
		run_record(out, 2, "mcs", A[i] > 9.5 ? 9 : A[i],
			   A[i] > 9.5 ? ",\"complete\":false" : "");
		end(out, 3);
		fclose(out);
	}
	write_logs("two", "serial-0.log", B, COUNT(B));
	finding = judged();
	assert_int_equal(finding->cell->time.count, 6);
	assert_int_equal(finding->cell->cut_count, 3);
	/* 28 of 30 pairs are in order, but the three cut runs are tied, so there is no exact p */
	assert_string_equal(finding->test, "Mann-Whitney");
	assert_true(finding->p < 0.05);
	assert_true(isinf(finding->high));
	assert_int_equal(finding->verdict, VERDICT_UNDECIDED); /* the interval begins below 1.05 */
}

/* Findings about a lock that the study did not have use other words for the verdict. */
static void compared_either_way(void **state)
{
	const double near[] = {10.1, 10.3, 10.0, 10.2, 9.9, 10.4};
	struct table *table;

	(void)state;
	assert_int_equal(COMPARED("compared", B, A)->verdict, VERDICT_REPRODUCED);
	table = study_findings(&study, 1);
	assert_string_equal(table_at(table, 0, table->column_count - 1)->text, "faster");
	table_free(table);
	study_teardown(state);
	assert_int_equal(COMPARED("compared", A, B)->verdict, VERDICT_REPRODUCED);
	table = study_findings(&study, 1);
	assert_string_equal(table_at(table, 0, table->column_count - 1)->text, "slower");
	table_free(table);
	study_teardown(state);
	assert_int_equal(COMPARED("compared", near, tame)->verdict, VERDICT_NOT_REPRODUCED);
	table = study_findings(&study, 1);
	assert_string_equal(table_at(table, 0, table->column_count - 1)->text,
			    "no difference above 5 %");
	table_free(table);
}

static void one_run_decides_nothing(void **state)
{
	const double one[] = {1}, two[] = {2};
	const struct study_finding *finding = COMPARED("slower", two, one);

	(void)state;
	assert_int_equal(finding->verdict, VERDICT_UNDECIDED);
	assert_true(isnan(finding->low) && isnan(finding->high));
}

static void without_kvm_nothing_is_judged(void **state)
{
	(void)state;
	write_experiment("tcg", "one", "", "two", "vm", "slower");
	write_logs("one", "serial-0.log", A, COUNT(A));
	write_logs("two", "serial-0.log", B, COUNT(B));
	assert_int_equal(judged()->verdict, VERDICT_NOT_JUDGED);
	NEAR(study.findings[0].ratio, 1.332579235441611);
}

static void a_user_process_is_no_bare_metal(void **state)
{
	(void)state;
	write_experiment("kvm", "both", "", "both", "host", "slower");
	write_logs("both", "serial-0.log", A, COUNT(B));
	write_logs("both", "host-peer.log", B, COUNT(B));
	assert_int_equal(judged()->verdict, VERDICT_USER_PROCESS);
	study_free(&study);
	write_experiment("kvm", "both", "", "both", KERNEL_PEER, "slower");
	assert_int_not_equal(judged()->verdict, VERDICT_USER_PROCESS);
}

static void a_simulated_host_is_judged_and_labelled(void **state)
{
	struct table *table;
	const char *verdict;

	(void)state;
	write_experiment("sim", "one", "", "two", "vm", "slower");
	write_logs("one", "serial-0.log", A, COUNT(A));
	write_logs("two", "serial-0.log", B, COUNT(B));
	assert_int_not_equal(judged()->verdict, VERDICT_NOT_JUDGED);
	table = study_findings(&study, 1);
	verdict = table_at(table, 0, table->column_count - 1)->text;
	assert_int_equal(strncmp(verdict, "simulated: ", strlen("simulated: ")), 0);
	table_free(table);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, study_setup, study_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(slower_by_welch),
		CASE(faster_is_the_opposite),
		CASE(a_wild_cell_decides_nothing),
		CASE(cells_of_the_same_runs_are_pairs),
		CASE(pairs_are_by_repetition),
		CASE(wilder_by_brown_forsythe),
		CASE(a_small_spread_decides_nothing),
		CASE(tamer_is_the_opposite),
		CASE(slower_is_not_wilder),
		CASE(equal_within_five_percent),
		CASE(not_equal),
		CASE(not_known_to_be_equal),
		CASE(no_difference_where_one_was),
		CASE(differs_either_way),
		CASE(a_small_effect_is_not_decided),
		CASE(findings_are_corrected_for_their_number),
		CASE(runs_that_were_cut_are_kept),
		CASE(compared_either_way),
		CASE(one_run_decides_nothing),
		CASE(without_kvm_nothing_is_judged),
		CASE(a_user_process_is_no_bare_metal),
		CASE(a_simulated_host_is_judged_and_labelled),
	};

	return cmocka_run_group_tests_name("study_judge", tests, study_make_directory,
					   study_remove_directory);
}
