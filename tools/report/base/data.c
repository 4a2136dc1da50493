/* SPDX-License-Identifier: MIT */
/* See data.h. */
#include "tools/report/base/data.h"
#include "tools/report/base/system.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t record_u64(const struct record *record, const char *field)
{
	json_int_t value = json_integer_value(json_object_get(record->json, field));

	return value > 0 ? (uint64_t)value : 0;
}

bool record_bool(const struct record *record, const char *field)
{
	return json_is_true(json_object_get(record->json, field));
}

const char *record_text(const struct record *record, const char *field)
{
	const char *text = json_string_value(json_object_get(record->json, field));

	return text ? text : "";
}

double record_ns(const struct record *record, const char *field, uint64_t tsc_khz)
{
	return (double)record_u64(record, field) * 1e6 / (double)tsc_khz;
}

json_t *log_manifest(const struct log *log, const char *a, const char *b)
{
	json_t *value = json_object_get(log->manifest, a);

	return b ? json_object_get(value, b) : value;
}

size_t set_damaged_logs(const struct set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->log_count; i++)
		count += !set->logs[i].complete;
	return count;
}

void note_add(struct notes *notes, bool damage, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	if (notes->count >= NOTES_MOST) {
		notes->hidden++;
		return;
	}
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	notes->list = memory_grow(notes->list, notes->count, sizeof(notes->list[0]));
	notes->list[notes->count++] = (struct note){memory_copy(text), damage};
}

void notes_free(struct notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		free(notes->list[i].text);
	free(notes->list);
	*notes = (struct notes){0};
}
