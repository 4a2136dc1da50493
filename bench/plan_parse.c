/* SPDX-License-Identifier: MIT */
/*
 * Reads a command line into a plan: see plan.h. Each word is looked up among the keys or among the
 * tunables and handed to the parser of its kind. The first error is kept, and the words behind it
 * are read all the same: what the launcher says of itself (accel, end) holds for a run that ends
 * in an error too.
 */
#include "bench/plan.h"
#include "bench/plan_error.h"
#include "bench/plan_foreign.h"
#include "bench/plan_keys.h"
#include "bench/plan_workload.h"
#include "lib/cmdline.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "locks/core/tunables.h"

struct parser {
	const char *start; /* after the loader's word */
	const struct plan_machine *machine;
	struct plan *plan;
	const struct lock_entry *by_linux; /* in the plan only because of `linux` */
	struct plan_error error;
	struct cmdline_word word; /* the one being read */
};

/* Returns false if there is an error already, which is then kept. */
static bool begin_error(struct parser *parser, const char *item, size_t length, const char *what)
{
	return plan_error_begin(&parser->error, &parser->word, item, length, what);
}

static bool listed(const struct plan *plan, const struct lock_entry *lock)
{
	for (size_t i = 0; i < plan->lock_count; i++) {
		if (plan->locks[i] == lock)
			return true;
	}
	return false;
}

static void add_lock(struct parser *parser, const struct lock_entry *lock, const char *item,
		     size_t length)
{
	struct plan *plan = parser->plan;

	if (listed(plan, lock)) {
		if (begin_error(parser, item, length, "lock given twice"))
			plan_accept_locks(&parser->error);
		return;
	}
	if (plan->lock_count < PLAN_MAX_LOCKS)
		plan->locks[plan->lock_count++] = lock;
	else if (begin_error(parser, item, length, "too many locks"))
		plan_accept_number(&parser->error, 1, PLAN_MAX_LOCKS);
}

/* Adds every lock except the baseline `null`, which does not exclude. */
static void add_all_locks(struct parser *parser)
{
	for (size_t i = 0; i < lock_count_registered(); i++) {
		const struct lock_entry *lock = lock_registered(i);

		if (!(lock->ops->flags & LOCK_NO_EXCLUSION))
			add_lock(parser, lock, lock->ops->name, strlen(lock->ops->name));
	}
}

static void add_lock_named(struct parser *parser, const char *name, size_t length)
{
	const struct lock_entry *lock = lock_find(name, length);

	if (lock != NULL)
		add_lock(parser, lock, name, length);
	else if (begin_error(parser, name, length, length ? "unknown lock" : "empty lock name"))
		plan_accept_locks(&parser->error);
}

/* The first name of a lock adds it. Listing Linux's choice also by its own name is not an error. */
static void add_item(struct parser *parser, const char *item, size_t length)
{
	const struct linux_choice *choice = &parser->plan->linux_choice;
	size_t chosen_length = strlen(choice->lock);
	size_t before = parser->plan->lock_count;

	if (!cmdline_is(item, length, "linux")) {
		if (parser->by_linux != NULL && lock_find(item, length) == parser->by_linux)
			parser->by_linux = NULL;
		else
			add_lock_named(parser, item, length);
		return;
	}
	if (parser->plan->linux_asked) {
		if (begin_error(parser, item, length, "lock given twice"))
			plan_accept_locks(&parser->error);
		return;
	}
	parser->plan->linux_asked = true;
	if (listed(parser->plan, lock_find(choice->lock, chosen_length)))
		return;
	add_lock_named(parser, choice->lock, chosen_length);
	if (parser->plan->lock_count > before)
		parser->by_linux = parser->plan->locks[before];
}

static void parse_locks(struct parser *parser, const char *value, size_t value_length)
{
	const char *cursor = value, *item;
	size_t length;

	if (cmdline_is(value, value_length, "all")) {
		add_all_locks(parser);
		return;
	}
	while (cmdline_list_next(&cursor, value + value_length, &item, &length))
		add_item(parser, item, length);
}

static void add_thread_count(struct parser *parser, const char *item, size_t length)
{
	struct plan *plan = parser->plan;
	const char *problem = NULL;
	uint64_t number = 0;

	if (!cmdline_number(item, length, 1, parser->machine->cpus, &number))
		problem = "not a number of this machine's vCPUs";
	for (size_t i = 0; problem == NULL && i < plan->thread_counts; i++) {
		if (plan->threads[i] == number)
			problem = "given twice";
	}
	if (problem == NULL && plan->thread_counts == PLAN_MAX_THREADS)
		problem = "too many points in one sweep";
	if (problem == NULL)
		plan->threads[plan->thread_counts++] = (uint32_t)number;
	else if (begin_error(parser, item, length, problem))
		plan_error_add(&parser->error,
			       "; accepted: 1..%u, up to %u different ones, as in threads=1,2",
			       parser->machine->cpus, PLAN_MAX_THREADS);
}

static void parse_threads(struct parser *parser, const char *value, size_t value_length)
{
	const char *cursor = value, *item;
	size_t length;

	while (cmdline_list_next(&cursor, value + value_length, &item, &length))
		add_thread_count(parser, item, length);
}

/* Only tests/ knows the names. */
static void parse_tests(struct parser *parser, const char *value, size_t value_length)
{
	const char *cursor = value, *item;
	const char *problem = NULL;
	size_t length;

	while (cmdline_list_next(&cursor, value + value_length, &item, &length)) {
		if (length == 0)
			problem = "empty test name";
	}
	if (value_length >= PLAN_TESTS_BYTES)
		problem = "too long";
	if (problem == NULL) {
		memcpy(parser->plan->tests, value, value_length);
		parser->plan->tests[value_length] = '\0';
	} else if (begin_error(parser, value, value_length, problem)) {
		plan_error_add(&parser->error,
			       "; accepted: all, or names with commas between, up to %u bytes",
			       PLAN_TESTS_BYTES - 1);
	}
}

/* Reads the value as a number in min..max, or sets an error. */
static bool number_in(struct parser *parser, uint64_t min, uint64_t max, uint64_t *number)
{
	const struct cmdline_word *word = &parser->word;
	const char *value = word->value ? word->value : "";

	if (cmdline_number(value, word->value_length, min, max, number))
		return true;
	if (begin_error(parser, value, word->value_length, "not a number in its range"))
		plan_accept_number(&parser->error, min, max);
	return false;
}

static void parse_number(struct parser *parser, const struct plan_key *key)
{
	uint64_t number;

	if (key->kind == KEY_CPUS ? number_in(parser, 1, parser->machine->cpus, &number)
				  : number_in(parser, key->min, key->max, &number))
		plan_store(parser->plan, key, number);
}

static void parse_tunable(struct parser *parser, const struct tunable *tunable)
{
	uint64_t number;

	if (number_in(parser, tunable->min, tunable->max, &number))
		*tunable->value = (uint32_t)number;
}

static void parse_name(struct parser *parser, const struct plan_key *key, const char *value,
		       size_t length)
{
	for (uint32_t i = 0; i < key->name_count; i++) {
		if (cmdline_is(value, length, key->names[i])) {
			plan_store(parser->plan, key, i);
			return;
		}
	}
	if (begin_error(parser, value, length, "unknown value"))
		plan_accept_names(&parser->error, key->names, key->name_count);
}

static void parse_flag(struct parser *parser, const struct plan_key *key)
{
	if (parser->word.value == NULL)
		plan_store(parser->plan, key, true);
	else if (begin_error(parser, parser->word.value, parser->word.value_length,
			     "takes no value"))
		plan_error_add(&parser->error, "; accepted: %s", key->name);
}

static void parse_value(struct parser *parser, const struct plan_key *key)
{
	/* without '=' the value is empty, which only a flag accepts */
	const char *value = parser->word.value ? parser->word.value : "";
	size_t length = parser->word.value_length;

	switch (key->kind) {
	case KEY_LOCKS:
		parse_locks(parser, value, length);
		break;
	case KEY_THREADS:
		parse_threads(parser, value, length);
		break;
	case KEY_TESTS:
		parse_tests(parser, value, length);
		break;
	case KEY_CPUS:
	case KEY_NUMBER:
		parse_number(parser, key);
		break;
	case KEY_CHOICE:
	case KEY_NAME:
		parse_name(parser, key, value, length);
		break;
	case KEY_FLAG:
		parse_flag(parser, key);
		break;
	}
}

/* Sets all keys to their defaults; lists are empty. */
static void reset(struct plan *plan)
{
	*plan = (struct plan){.lock_count = 0};
	for (size_t i = 0; i < plan_key_count(); i++)
		plan_store(plan, plan_key_at(i), plan_key_at(i)->initial);
}

static const struct plan_key *find_key(const struct cmdline_word *word)
{
	for (size_t i = 0; i < plan_key_count(); i++) {
		if (cmdline_is(word->key, word->key_length, plan_key_at(i)->name))
			return plan_key_at(i);
	}
	return NULL;
}

/* Whether `key` is among the words before `stop`. */
static bool given(const struct parser *parser, const char *key, size_t length, const char *stop)
{
	const char *cursor = parser->start;
	struct cmdline_word word;

	while (cmdline_next(&cursor, &word) && word.key < stop) {
		if (word.key_length == length && memcmp(word.key, key, length) == 0)
			return true;
	}
	return false;
}

static void parse_word(struct parser *parser)
{
	const struct cmdline_word *word = &parser->word;
	const struct plan_key *key = find_key(word);
	const struct tunable *tunable = tunable_find(word->key, word->key_length);

	if (key == NULL && tunable == NULL && parser->machine->vmm && plan_foreign(word)) {
		plan_ignore(parser->plan, word);
	} else if (key == NULL && tunable == NULL) {
		if (begin_error(parser, NULL, 0, "unknown key"))
			plan_accept_keys(&parser->error);
	} else if (given(parser, word->key, word->key_length, word->key)) {
		begin_error(parser, NULL, 0, "key given twice; accepted: once");
	} else if (key != NULL) {
		parse_value(parser, key);
	} else {
		parse_tunable(parser, tunable);
	}
}

/* Skips the kernel's path, which GRUB and QEMU put first: it starts with '/', or has no '=' and is
 * not a flag of ours. */
static void skip_loader_word(struct parser *parser, const char *cmdline)
{
	const char *cursor = cmdline;
	const struct plan_key *key;
	struct cmdline_word word;

	parser->start = cmdline;
	if (!cmdline_next(&cursor, &word) || (word.value != NULL && *word.key != '/'))
		return;
	key = find_key(&word);
	if (key == NULL || key->kind != KEY_FLAG)
		parser->start = cursor;
}

static void default_locks(struct parser *parser)
{
	parser->word = (struct cmdline_word){.key = "locks", .key_length = 5};
	for (size_t i = 0; i < plan_default_lock_count; i++)
		add_lock_named(parser, plan_default_locks[i], strlen(plan_default_locks[i]));
}

/* The rings of all vCPUs of the largest run must fit into a small guest's memory. */
static void check_trace(struct parser *parser)
{
	uint32_t most = PLAN_MAX_TRACE / plan_most_threads(parser->plan);
	char number[16];

	if (parser->plan->trace <= most)
		return;
	parser->word = (struct cmdline_word){.key = "trace", .key_length = 5};
	ksnprintf(number, sizeof(number), "%u", parser->plan->trace);
	if (begin_error(parser, number, strlen(number), "too many for this number of vCPUs"))
		plan_accept_number(&parser->error, 0, most);
}

/* Completes the plan by rules about which keys were given. */
static void complete(struct parser *parser, const char *end)
{
	struct plan *plan = parser->plan;
	bool tests = given(parser, "tests", 5, end);

	if (!given(parser, "locks", 5, end)) {
		plan->defaulted = !tests;
		if (tests)
			add_all_locks(parser);
		else
			default_locks(parser);
	}
	if (!given(parser, "threads", 7, end)) {
		plan->threads[0] = parser->machine->cpus;
		plan->thread_counts = 1;
	}
	check_trace(parser);
	if (!given(parser, "ops", 3, end))
		return;
	plan->ms = 0;
	parser->word = (struct cmdline_word){.key = "ops", .key_length = 3};
	if (given(parser, "ms", 2, end))
		begin_error(parser, NULL, 0, "given together with ms; accepted: one of the two");
}

bool plan_parse(const char *cmdline, const struct plan_machine *machine, struct plan *plan,
		char error[PLAN_ERROR_BYTES])
{
	struct parser parser = {.machine = machine, .plan = plan, .error = {.text = error}};
	struct linux_facts facts = machine->linux_facts;
	const char *cursor;

	reset(plan);
	error[0] = '\0';
	tunables_reset();
	skip_loader_word(&parser, cmdline);
	cursor = parser.start;
	facts.nopvspin = given(&parser, "nopvspin", 8, cursor + strlen(cursor));
	plan->linux_choice = linux_choose(&facts);
	while (cmdline_next(&cursor, &parser.word))
		parse_word(&parser);
	complete(&parser, cursor);
	plan_fit_workload(plan, parser.start, &parser.error);
	return !parser.error.set;
}
