/* SPDX-License-Identifier: MIT */
/* Selects, runs and reports the guest's tests. TAP 14: testanything.org/tap-version-14 */
#include "tests/tap.h"

#include "kernel/report.h"
#include "port/port.h"
#include "pvspin/cmdline.h"
#include "pvspin/printf.h"
#include "pvspin/string.h"
#include <stdarg.h>

extern const struct test_case __start_test_registry[], __stop_test_registry[]; /* linker.ld */

static void note(struct test_result *result, enum verdict verdict, const char *format,
		 va_list arguments)
{
	if (verdict <= result->verdict)
		return;
	result->verdict = verdict;
	kvsnprintf(result->why, sizeof(result->why), format, arguments);
}

void test_fail(struct test_result *result, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	note(result, VERDICT_FAIL, format, arguments);
	va_end(arguments);
}

void test_skip(struct test_result *result, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	note(result, VERDICT_SKIP, format, arguments);
	va_end(arguments);
}

void test_error(struct test_result *result, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	note(result, VERDICT_ERROR, format, arguments);
	va_end(arguments);
}

/* A group is a prefix of the name that ends at a dot. */
static bool names(const char *item, size_t length, const struct test_case *test)
{
	return cmdline_is(item, length, "all") || cmdline_is(item, length, test->id) ||
	       (strncmp(test->name, item, length) == 0 &&
		(test->name[length] == '\0' || test->name[length] == '.'));
}

static bool selected(const char *selection, const struct test_case *test)
{
	const char *cursor = selection, *end = selection + strlen(selection), *item;
	size_t length;

	while (cmdline_list_next(&cursor, end, &item, &length))
		if (names(item, length, test))
			return true;
	return false;
}

static bool every_item_names_one(const char *selection)
{
	const char *cursor = selection, *end = selection + strlen(selection), *item;
	size_t length;

	while (cmdline_list_next(&cursor, end, &item, &length)) {
		const struct test_case *test = __start_test_registry;

		while (test < __stop_test_registry && !names(item, length, test))
			test++;
		if (test < __stop_test_registry)
			continue;
		report_text("error: tests=%.*s: no such test; accepted: all, or what one of these "
			    "begins with up to a dot, or its id:",
			    (int)length, item);
		for (test = __start_test_registry; test < __stop_test_registry; test++)
			report_text("error:   %s %s", test->name, test->id);
		return false;
	}
	return true;
}

static void report_result(uint32_t number, const struct test_case *test,
			  const struct test_result *result)
{
	static const char *const directive[] = {
		[VERDICT_OK] = "",
		[VERDICT_SKIP] = " # SKIP ",
		[VERDICT_ERROR] = " # ERROR ",
		[VERDICT_FAIL] = " # FAIL ",
	};

	report_text("%s %u - %s %s%s%s", result->verdict <= VERDICT_SKIP ? "ok" : "not ok", number,
		    test->name, test->id, directive[result->verdict], result->why);
	port_flush();
}

void tests_run(const char *selection, struct outcome *outcome)
{
	uint32_t count = 0, number = 0;

	if (!every_item_names_one(selection)) {
		outcome->verdict = VERDICT_ERROR;
		outcome->reason = "usage";
		return;
	}
	for (const struct test_case *test = __start_test_registry; test < __stop_test_registry;
	     test++)
		count += selected(selection, test);
	report_text("TAP version 14");
	report_text("1..%u", count);
	for (const struct test_case *test = __start_test_registry; test < __stop_test_registry;
	     test++) {
		struct test_result result = {.verdict = VERDICT_OK};

		if (!selected(selection, test))
			continue;
		test->run(&result);
		report_result(++number, test, &result);
		outcome->skipped += result.verdict == VERDICT_SKIP;
		outcome->failed += result.verdict > VERDICT_SKIP;
		if (result.verdict > VERDICT_SKIP)
			outcome->verdict = verdict_worse(outcome->verdict, result.verdict);
	}
	if (outcome->skipped == count)
		outcome->verdict = verdict_worse(outcome->verdict, VERDICT_SKIP);
}
