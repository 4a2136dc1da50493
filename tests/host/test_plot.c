/* SPDX-License-Identifier: MIT */
/* Tests plots of sets with hostile names, unknown values and unfinished work; and escaping. */
#include "tests/host/report_sample.h"
#include "tests/host/test.h"

#include "tools/report/base/format.h"
#include "tools/report/base/system.h"
#include "tools/report/plot/plot.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint64_t four[] = {4};

static char *escaped(void escape(FILE *, const char *), const char *text)
{
	char *result = NULL;
	size_t bytes;
	FILE *out = open_memstream(&result, &bytes);

	escape(out, text);
	fclose(out);
	return result;
}

static void gnuplot_tic(FILE *out, const char *text)
{
	escape_gnuplot_tic(out, text, 8);
}

static void assert_escaped(void escape(FILE *, const char *), const char *text, const char *wanted)
{
	char *result = escaped(escape, text);

	assert_string_equal(result, wanted);
	free(result);
}

static void strings_are_escaped(void **state)
{
	(void)state;
	assert_escaped(escape_html, "<a b='\"'>&", "&lt;a b=&#39;&quot;&#39;&gt;&amp;");
	/* overlong '/', a surrogate, a lone continuation, ESC, right-to-left override */
	assert_escaped(escape_html, "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
	assert_escaped(escape_html, "\x80\x1b", "\xef\xbf\xbd\xef\xbf\xbd");
	assert_escaped(escape_html, "\xe2\x80\xae", "\xef\xbf\xbd");
	assert_escaped(escape_html, "\xc3\xa9", "\xc3\xa9");
	assert_escaped(gnuplot_tic, "%g'\n!x", "'%%g\xe2\x80\x99\xef\xbf\xbd!x'");
	assert_escaped(gnuplot_tic, "123456789", "'1234567\xe2\x80\xa6'");
}

/* Returns the plot of that kind as SVG; the caller frees it. The test fails if gnuplot fails. */
static char *draw(const struct set *set, const char *kind)
{
	struct palette palette = palette_new(set, 1);
	struct plots plots = plots_of(set, &palette);
	char *svg = NULL, *error = NULL;
	size_t bytes;

	for (size_t i = 0; i < plots.count && svg == NULL; i++) {
		if (strcmp(plots.list[i].kind, kind) != 0)
			continue;
		assert_non_null(plots.list[i].script);
		if (plot_render(&plots.list[i], PLOT_SVG, &svg, &bytes, &error) != GNUPLOT_OK)
			fail_msg("%s: %s", kind, error);
	}
	assert_non_null(svg);
	plots_free(&plots);
	palette_free(&palette);
	return svg;
}

/* A name that escapes from its literal would create a file, or stop gnuplot. */
static void names_never_become_commands(void **state)
{
	static const char *const kinds[] = {"throughput", "wait",      "fairness",
					    "split",      "lock-time", "preemption"};
	char *path = memory_print("/tmp/pvspin-plot-%d", (int)getpid());
	char *newline = memory_print("a'\n!touch %s\n", path),
	     *quote = memory_print("'; !touch %s", path);
	char *shell = memory_print("`touch %s`", path);
	const char *const locks[] = {newline, quote, shell, "%n%s%", "\xff\xfe", "</text><script>"};
	struct sample_plan plan = {.locks = locks,
				   .lock_count = 6,
				   .threads = four,
				   .thread_counts = 1,
				   .reps = 5,
				   .latency = true,
				   .seed = 3};
	struct set set;

	(void)state;
	report_sample(&plan, &set);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char *svg = draw(&set, kinds[i]);

		assert_null(strstr(svg, "<script"));
		assert_non_null(strstr(svg, "&lt;/text>&lt;script>"));
		free(svg);
	}
	assert_int_not_equal(access(path, F_OK), 0);
	report_sample_free(&set);
	free(path);
	free(newline);
	free(quote);
	free(shell);
}

/* A repetition without acquisitions has no Jain index; the mean is that of the others. */
static void unknown_values_are_not_drawn(void **state)
{
	static const char *const locks[] = {"tas"};
	struct sample_plan plan = {.locks = locks,
				   .lock_count = 1,
				   .threads = four,
				   .thread_counts = 1,
				   .reps = 3,
				   .seed = 7};
	struct set set;
	char *svg;

	(void)state;
	report_sample(&plan, &set);
	set.cells[0].sample[SAMPLE_JAIN].value[0] = NAN;
	set.cells[0].sample[SAMPLE_JAIN].value[1] = set.cells[0].sample[SAMPLE_JAIN].value[2] =
		0.25;
	svg = draw(&set, "fairness");
	assert_non_null(strstr(svg, "(Jain 0.25)"));
	free(svg);
	report_sample_free(&set);
}

/* Fixed work is in seconds, with the least on top. A lock that never finished must not be there. */
static void unfinished_work_comes_last(void **state)
{
	static const char *const locks[] = {"quick", "slow", "never"};
	struct sample_plan plan = {.locks = locks,
				   .lock_count = 3,
				   .threads = four,
				   .thread_counts = 1,
				   .reps = 3,
				   .fixed_work = true,
				   .seed = 7};
	struct set set;
	char *svg, *quick, *slow, *never;

	(void)state;
	report_sample(&plan, &set);
	for (size_t i = 0; i < 3; i++)
		set.cells[2].sample[SAMPLE_MERIT].value[i] = NAN;
	svg = draw(&set, "throughput");
	quick = strstr(svg, ">quick<");
	slow = strstr(svg, ">slow<");
	never = strstr(svg, ">never<");
	/* gnuplot writes its tics from the bottom up */
	assert_true(never != NULL && never < slow && slow < quick);
	free(svg);
	report_sample_free(&set);
}

static void a_missing_gnuplot_differs_from_a_failing_one(void **state)
{
	char *output, *error;
	size_t bytes;

	(void)state;
	assert_int_equal(gnuplot_run("no-such-program", "", &output, &bytes, &error),
			 GNUPLOT_MISSING);
	free(output);
	free(error);
	assert_int_equal(gnuplot_run("gnuplot", "plot nonsense(\n", &output, &bytes, &error),
			 GNUPLOT_FAILED);
	assert_non_null(error);
	free(output);
	free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(names_never_become_commands),
		cmocka_unit_test(unknown_values_are_not_drawn),
		cmocka_unit_test(unfinished_work_comes_last),
		cmocka_unit_test(a_missing_gnuplot_differs_from_a_failing_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
