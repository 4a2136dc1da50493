/* SPDX-License-Identifier: MIT */
/* See plan_error.h. */
#include "bench/plan_error.h"

#include "bench/plan.h"
#include "bench/plan_keys.h"
#include "lib/printf.h"
#include "locks/core/tunables.h"
#include <stdarg.h>

#define QUOTED_MAX 60 /* bytes of the input that a message repeats */

void plan_error_add(struct plan_error *error, const char *format, ...)
{
	size_t room = PLAN_ERROR_BYTES - error->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = kvsnprintf(error->text + error->length, room, format, arguments);
	va_end(arguments);
	error->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void add_quoted(struct plan_error *error, const char *text, size_t length)
{
	size_t shown = length < QUOTED_MAX ? length : QUOTED_MAX;

	for (size_t i = 0; i < shown; i++)
		plan_error_add(error, "%c", text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?');
	if (shown < length)
		plan_error_add(error, "...");
}

bool plan_error_begin(struct plan_error *error, const struct cmdline_word *word, const char *item,
		      size_t length, const char *what)
{
	if (error->set)
		return false;
	error->set = true;
	add_quoted(error, word->key, word->key_length);
	if (item != NULL) {
		plan_error_add(error, "=");
		add_quoted(error, item, length);
	}
	plan_error_add(error, ": %s", what);
	return true;
}

void plan_accept_number(struct plan_error *error, uint64_t min, uint64_t max)
{
	plan_error_add(error, "; accepted: %llu..%llu", (unsigned long long)min,
		       (unsigned long long)max);
}

void plan_accept_names(struct plan_error *error, const char *const *names, size_t count)
{
	plan_error_add(error, "; accepted: ");
	for (size_t i = 0; i < count; i++)
		plan_error_add(error, "%s%s", i ? ", " : "", names[i]);
}

void plan_accept_locks(struct plan_error *error)
{
	plan_error_add(error, "; accepted: all, linux");
	for (size_t i = 0; i < lock_count_registered(); i++)
		plan_error_add(error, ", %s", lock_registered(i)->ops->name);
}

void plan_accept_keys(struct plan_error *error)
{
	plan_error_add(error, "; accepted: ");
	for (size_t i = 0; i < plan_key_count(); i++)
		plan_error_add(error, "%s%s%s", i ? ", " : "", plan_key_at(i)->name,
			       plan_key_at(i)->kind == KEY_FLAG ? "" : "=");
	for (size_t i = 0; i < tunable_count(); i++)
		plan_error_add(error, ", %s=", tunable_at(i)->name);
}
