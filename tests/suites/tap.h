/* SPDX-License-Identifier: MIT */
/*
 * The guest's test runner: TAP 14 on the log. A test's name is a path (abi.kick.wakes_halted_if0),
 * so tests=abi.kick selects a group. There are two sorts of tests. A registered test is a function
 * and a TEST_REGISTER line; its id is the clause's (ABI-KICK-01). A family makes up its tests from
 * lists of its own (locks x cases).
 */
#ifndef PVSPIN_TESTS_SUITES_TAP_H
#define PVSPIN_TESTS_SUITES_TAP_H

#include "bench/plan.h"
#include "lib/record.h"
#include "lib/verdict.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A test's one result. Of several calls, the first with the worst verdict counts. */
struct test_result {
	enum verdict verdict;
	bool finding; /* with VERDICT_FAIL: worth knowing, but no promise is broken */
	char why[256];
	char info[256]; /* what was seen, for the reader of the log; "": nothing */
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

/* One test, registered or of a family. */
struct test_item {
	char name[96];
	const char *about; /* an id or some words: printed behind the name; tests= takes it, too */
	const char *note;  /* more to print behind that; NULL: nothing */
};

/*
 * Tests 0..count()-1. get() fills *item, or returns false if there is no test of that index. run()
 * is called for the selected tests.
 */
struct test_family {
	const char *pattern; /* of the names, for people: "locks.LOCK.CASE" */
	size_t (*count)(void);
	bool (*get)(size_t i, struct test_item *item);
	void (*run)(size_t i, const struct plan *plan, struct test_result *result);
	void (*describe)(struct record *record); /* of the test under way; for tests_describe */
};

#define TEST_FAMILY(name_, ...)               \
	static const struct test_family name_ \
		__attribute__((section("test_families"), used, aligned(8))) = {__VA_ARGS__}

/* FAIL: what is tested is wrong. SKIP: it cannot be tested here. ERROR: the test itself broke. */
void test_fail(struct test_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void test_skip(struct test_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void test_error(struct test_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Says what was seen, whatever the verdict. Several calls add up, with "; " between. */
void test_info(struct test_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Runs the tests that plan->tests names (comma-separated: "all", a group, a name, an id) and adds
 * to *outcome. An item that names none is a usage error that lists the tests, and nothing is run.
 */
void tests_run(const struct plan *plan, struct outcome *outcome);

const char *test_current(void); /* the name of the test under way; "" outside of one */

/* For the record of a crash: the test under way, if there is one, and what its family adds. */
void tests_describe(struct record *record);

/*
 * Ends a test that can neither go on nor be left, in any context on CPU 0: prints its `not ok` line
 * and TAP's "Bail out!", and ends the VM as a crash does, without an end record, because the tests
 * behind it were not run.
 */
void tests_bail_out(const char *why) __attribute__((noreturn));

#endif
