/* SPDX-License-Identifier: MIT */
/*
 * The guest's test runner: TAP 14 on the log. A test is a function and a TEST_REGISTER line; its
 * name is a path (abi.kick.wakes_halted_if0), so that tests=abi.kick selects a group, and its id is
 * the clause's (ABI-KICK-01).
 */
#ifndef PVSPIN_TESTS_TAP_H
#define PVSPIN_TESTS_TAP_H

#include "kernel/report.h"
#include "pvspin/verdict.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a test may say in its one result; the worst call wins, the first text is kept. */
struct test_result {
	enum verdict verdict;
	char why[160];
};

struct test_case {
	const char *id;
	const char *name;
	void (*run)(struct test_result *result);
};

#define TEST_REGISTER(function_, id_, name_)                                    \
	static const struct test_case function_##_case                          \
		__attribute__((section("test_registry"), used, aligned(8))) = { \
			.id = (id_), .name = (name_), .run = (function_)}

/* FAIL: what is tested is wrong. SKIP: it cannot be tested here. ERROR: the test itself broke. */
void test_fail(struct test_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void test_skip(struct test_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void test_error(struct test_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Runs the tests that `selection` names (comma-separated: "all", a group, a name, an id) and adds
 * to *outcome. An item that names none is a usage error that lists the tests, and nothing is run.
 */
void tests_run(const char *selection, struct outcome *outcome);

#endif
