/* SPDX-License-Identifier: MIT */
/* Selects, runs and reports the guest's tests. TAP 14: testanything.org/tap-version-14 */
#include "tests/suites/tap.h"

#include "lib/cmdline.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "locks/core/lock.h"
#include "port/hang.h"
#include "port/port.h"
#include <stdarg.h>

/* linker.ld */
extern const struct test_case __start_test_registry[], __stop_test_registry[];
extern const struct test_family __start_test_families[], __stop_test_families[];

/* The log says how long a slower test took. */
#define SLOW_MS 1000
/* The slowest tests take half a minute on a shared, emulated CPU. */
#define TEST_BOUND_MS 240000

static struct test_item current; /* name "": none */
static const struct test_family *current_family;
static uint32_t current_number;
static uint64_t current_bound_ns;

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

void test_info(struct test_result *result, const char *format, ...)
{
	size_t length = strlen(result->info), room = sizeof(result->info) - length;
	va_list arguments;

	if (length > 0 && room > 2) {
		ksnprintf(result->info + length, room, "; ");
		length += 2;
		room -= 2;
	}
	va_start(arguments, format);
	kvsnprintf(result->info + length, room, format, arguments);
	va_end(arguments);
}

/* The registered tests are a family like the others. */
static size_t registered_count(void)
{
	return ((uintptr_t)__stop_test_registry - (uintptr_t)__start_test_registry) /
	       sizeof(struct test_case);
}

static bool registered_get(size_t i, struct test_item *item)
{
	ksnprintf(item->name, sizeof(item->name), "%s", __start_test_registry[i].name);
	item->about = __start_test_registry[i].id;
	return true;
}

static void registered_run(size_t i, const struct plan *plan, struct test_result *result)
{
	(void)plan;
	__start_test_registry[i].run(result);
}

static const struct test_family registered = {
	.count = registered_count,
	.get = registered_get,
	.run = registered_run,
};

static size_t family_count(void)
{
	return 1 + ((uintptr_t)__stop_test_families - (uintptr_t)__start_test_families) /
			   sizeof(struct test_family);
}

static const struct test_family *family_at(size_t i)
{
	return i == 0 ? &registered : &__start_test_families[i - 1];
}

/* A place in the sequence of all tests, and the test that is there. */
struct cursor {
	size_t family, next;
	const struct test_family *of;
	size_t index;
	struct test_item item;
};

/* Moves to the next test. Returns false at the end. */
static bool next_test(struct cursor *cursor)
{
	for (; cursor->family < family_count(); cursor->family++, cursor->next = 0) {
		cursor->of = family_at(cursor->family);
		while (cursor->next < cursor->of->count()) {
			cursor->index = cursor->next++;
			cursor->item.note = NULL;
			if (cursor->of->get(cursor->index, &cursor->item))
				return true;
		}
	}
	return false;
}

/* A group is a prefix of the name that ends at a dot. */
static bool item_names(const char *item, size_t length, const struct test_item *test)
{
	return cmdline_is(item, length, "all") || cmdline_is(item, length, test->about) ||
	       (strncmp(test->name, item, length) == 0 &&
		(test->name[length] == '\0' || test->name[length] == '.'));
}

static bool selected(const char *selection, const struct test_item *test)
{
	const char *cursor = selection, *end = selection + strlen(selection), *item;
	size_t length;

	while (cmdline_list_next(&cursor, end, &item, &length))
		if (item_names(item, length, test))
			return true;
	return false;
}

/* Lists registered tests one by one, but families by pattern: a family may have hundreds. */
static void report_accepted(const char *item, size_t length)
{
	log_line("error: tests=%.*s: no such test; accepted: all, or one of these, its id, or its "
		 "beginning up to a dot:",
		 (int)length, item);
	for (size_t i = 0; i < registered_count(); i++)
		log_line("error:   %s %s", __start_test_registry[i].name,
			 __start_test_registry[i].id);
	for (size_t i = 1; i < family_count(); i++)
		log_line("error:   %s", family_at(i)->pattern);
}

static bool every_item_names_one(const char *selection)
{
	const char *cursor = selection, *end = selection + strlen(selection), *item;
	size_t length;

	while (cmdline_list_next(&cursor, end, &item, &length)) {
		struct cursor tests = {.family = 0};
		bool found = false;

		while (!found && next_test(&tests))
			found = item_names(item, length, &tests.item);
		if (found)
			continue;
		report_accepted(item, length);
		return false;
	}
	return true;
}

static void report_result(const struct test_result *result)
{
	static const char *const directive[] = {
		[VERDICT_OK] = "",
		[VERDICT_SKIP] = " # SKIP ",
		[VERDICT_ERROR] = " # ERROR ",
		[VERDICT_FAIL] = " # FAIL ",
	};

	log_line("%s %u - %s %s%s%s%s%s", result->verdict <= VERDICT_SKIP ? "ok" : "not ok",
		 current_number, current.name, current.about, current.note ? " " : "",
		 current.note ? current.note : "",
		 result->finding ? " # TODO finding: " : directive[result->verdict], result->why);
	if (result->info[0] != '\0')
		log_line("# %s: %s", current.about, result->info);
	log_flush();
}

const char *test_current(void)
{
	return current.name;
}

void tests_describe(struct record *record)
{
	if (current.name[0] == '\0')
		return;
	record_string(record, "test", current.name);
	if (current_family->describe)
		current_family->describe(record);
}

void tests_bail_out(const char *why)
{
	struct test_result result = {.verdict = VERDICT_FAIL};

	ksnprintf(result.why, sizeof(result.why), "%s", why);
	report_result(&result);
	log_line("Bail out! %s: %s", current.name, why);
	port_abort();
}

/* The locks' tests have bounds of their own, which report the lock: tests/suites/locks/guest.c. */
static uint64_t test_bound_ns(const struct plan *plan)
{
	uint64_t base_ms = plan->hang_ms ? plan->hang_ms : TEST_BOUND_MS;

	return (base_ms + plan->test_ms) * 1000000;
}

static void test_hangs(void)
{
	struct hang hang = {.what = current.name, .bound_ns = current_bound_ns};

	port_report_hang(&hang);
	tests_bail_out("hangs");
}

static uint32_t count_selected(const char *selection)
{
	struct cursor tests = {.family = 0};
	uint32_t count = 0;

	while (next_test(&tests))
		count += selected(selection, &tests.item);
	return count;
}

void tests_run(const struct plan *plan, struct outcome *outcome)
{
	struct cursor tests = {.family = 0};
	uint64_t start, took_ms;
	uint32_t count;

	if (!every_item_names_one(plan->tests)) {
		outcome->verdict = VERDICT_ERROR;
		outcome->reason = "usage";
		return;
	}
	count = count_selected(plan->tests);
	log_line("TAP version 14");
	log_line("1..%u", count);
	while (next_test(&tests)) {
		struct test_result result = {.verdict = VERDICT_OK};

		if (!selected(plan->tests, &tests.item))
			continue;
		current = tests.item;
		current_family = tests.of;
		current_number++;
		start = port_cycles();
		current_bound_ns = test_bound_ns(plan);
		port_watch(current.name, current_bound_ns, test_hangs);
		tests.of->run(tests.index, plan, &result);
		port_watch_over();
		took_ms = port_cycles_to_ns(port_cycles() - start) / 1000000;
		report_result(&result);
		if (took_ms >= SLOW_MS)
			log_line("# %s took %lu ms", tests.item.about, took_ms);
		current.name[0] = '\0';
		outcome->skipped += result.verdict == VERDICT_SKIP;
		if (result.finding) { /* TAP's TODO: not ok, and no failure */
			outcome->findings++;
			result.verdict = VERDICT_OK;
		}
		outcome->failed += result.verdict > VERDICT_SKIP;
		if (result.verdict > VERDICT_SKIP)
			outcome->verdict = verdict_worse(outcome->verdict, result.verdict);
	}
	if (outcome->skipped == count)
		outcome->verdict = verdict_worse(outcome->verdict, VERDICT_SKIP);
}
