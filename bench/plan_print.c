/* SPDX-License-Identifier: MIT */
/* Prints a plan as the canonical command line that repeats it: every key of plan_keys.h in its
 * order, defaults included, then the tunables. See plan.h. */
#include "bench/plan.h"
#include "bench/plan_keys.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "locks/core/tunables.h"
#include <stdarg.h>

struct output {
	char *line;
	size_t size;
	size_t length; /* needed so far, which may exceed the buffer */
};

__attribute__((format(printf, 2, 3))) static void add(struct output *out, const char *format, ...)
{
	size_t used = out->length < out->size ? out->length : out->size;
	va_list arguments;

	va_start(arguments, format);
	out->length += (size_t)kvsnprintf(out->size ? out->line + used : out->line,
					  out->size - used, format, arguments);
	va_end(arguments);
}

static void add_locks(struct output *out, const struct plan *plan)
{
	for (size_t i = 0; i < plan->lock_count; i++)
		add(out, "%s%s", i ? "," : "", plan->locks[i]->ops->name);
}

static void add_threads(struct output *out, const struct plan *plan)
{
	for (size_t i = 0; i < plan->thread_counts; i++)
		add(out, "%s%u", i ? "," : "", plan->threads[i]);
}

static void add_value(struct output *out, const struct plan *plan, const struct plan_key *key)
{
	switch (key->kind) {
	case KEY_LOCKS:
		add_locks(out, plan);
		break;
	case KEY_THREADS:
		add_threads(out, plan);
		break;
	case KEY_CPUS:
	case KEY_NUMBER:
		add(out, "%llu", (unsigned long long)plan_value(plan, key));
		break;
	case KEY_CHOICE:
		add(out, "%s", key->names[plan_value(plan, key)]);
		break;
	case KEY_TESTS:
	case KEY_NAME:
		add(out, "%s", plan_text(plan, key));
		break;
	case KEY_FLAG:
		break;
	}
}

/* Whether the key must not be printed: ms and ops exclude each other, and nodes= would override the
 * machine. */
static bool absent(const struct plan *plan, const struct plan_key *key)
{
	switch (key->kind) {
	case KEY_FLAG:
	case KEY_CPUS:
		return plan_value(plan, key) == 0;
	case KEY_TESTS:
		return *plan_text(plan, key) == '\0';
	case KEY_NUMBER:
		return plan_value(plan, key) < key->min;
	default:
		return false;
	}
}

size_t plan_print(const struct plan *plan, char *line, size_t size)
{
	struct output out = {.line = line, .size = size};

	if (size != 0)
		line[0] = '\0';
	for (size_t i = 0; i < plan_key_count(); i++) {
		const struct plan_key *key = plan_key_at(i);

		if (!plan_key_applies(plan, key) || absent(plan, key))
			continue;
		add(&out, "%s%s%s", out.length ? " " : "", key->name,
		    key->kind == KEY_FLAG ? "" : "=");
		add_value(&out, plan, key);
	}
	for (size_t i = 0; i < tunable_count(); i++)
		add(&out, " %s=%u", tunable_at(i)->name, *tunable_at(i)->value);
	return out.length;
}
