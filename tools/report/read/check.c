/* SPDX-License-Identifier: MIT */
/* Checks a record against its type's fields (schema.c): see read.h. */
#include "tools/report/read/read.h"

#include <stdio.h>
#include <string.h>

#define NAME_LENGTH 64

static bool is_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._+-";
	size_t length = strspn(text, allowed);

	return length > 0 && length <= NAME_LENGTH && text[length] == '\0';
}

static bool is_kind(const json_t *value, const struct field *field)
{
	switch (field->kind) {
	case FIELD_NUMBER:
		return json_is_integer(value) && json_integer_value(value) >= field->min &&
		       json_integer_value(value) <= field->max;
	case FIELD_BOOL:
		return json_is_boolean(value);
	case FIELD_NAME:
		return json_is_string(value) && is_name(json_string_value(value));
	case FIELD_TEXT:
		return json_is_string(value);
	case FIELD_LIST:
		return json_is_array(value);
	case FIELD_OBJECT:
		return json_is_object(value);
	case FIELD_CPU:
		return (json_is_integer(value) && json_integer_value(value) >= 0) ||
		       (json_is_string(value) && strcmp(json_string_value(value), "all") == 0);
	}
	return false;
}

/* Describes the values that a field may have. */
static void describe_kind(const struct field *field, char *text, size_t size)
{
	static const char *const words[] = {
		[FIELD_NUMBER] = "an integer",
		[FIELD_BOOL] = "true or false",
		[FIELD_NAME] = "a name",
		[FIELD_TEXT] = "a string",
		[FIELD_LIST] = "a list",
		[FIELD_OBJECT] = "an object",
		[FIELD_CPU] = "a CPU's index or \"all\"",
	};

	if (field->kind != FIELD_NUMBER)
		snprintf(text, size, "%s", words[field->kind]);
	else if (field->max == INT64_MAX)
		snprintf(text, size, "an integer from %lld", (long long)field->min);
	else
		snprintf(text, size, "an integer from %lld to %lld", (long long)field->min,
			 (long long)field->max);
}

/* Describes a value in a few characters that are safe to print. */
static void describe_value(const json_t *value, char *text, size_t size)
{
	static const char *const words[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list", [JSON_STRING] = "a string",
		[JSON_INTEGER] = "",         [JSON_REAL] = "",        [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",      [JSON_NULL] = "null",
	};

	if (json_is_integer(value))
		snprintf(text, size, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, size, "%g", json_real_value(value));
	else if (json_is_string(value) && is_name(json_string_value(value)))
		snprintf(text, size, "\"%s\"", json_string_value(value));
	else
		snprintf(text, size, "%s", words[json_typeof(value)]);
}

static bool check_field(const json_t *json, const char *type, const struct field *field, char *why)
{
	const json_t *value = json_object_get(json, field->name);
	char is[80], should[80];

	if (value == NULL) {
		if (field->required)
			snprintf(why, SCHEMA_WHY_BYTES, "%s record without %s", type, field->name);
		return !field->required;
	}
	if (is_kind(value, field))
		return true;
	describe_value(value, is, sizeof(is));
	describe_kind(field, should, sizeof(should));
	snprintf(why, SCHEMA_WHY_BYTES, "%s record with %s %s, not %s", type, field->name, is,
		 should);
	return false;
}

static enum record_type type_named(const char *name)
{
	for (int type = 0; type < RECORD_OTHER; type++) {
		if (strcmp(schema_of(type)->type, name) == 0)
			return type;
	}
	return RECORD_OTHER;
}

bool schema_check(const json_t *json, enum record_type *type, char why[SCHEMA_WHY_BYTES])
{
	static const struct field common[] = {
		{"type", FIELD_NAME, true, 0, 0},
		{"seq", FIELD_NUMBER, true, 1, INT64_MAX},
	};
	const struct schema *schema;

	for (size_t i = 0; i < COUNT_OF(common); i++) {
		if (!check_field(json, "a", &common[i], why))
			return false;
	}
	*type = type_named(json_string_value(json_object_get(json, "type")));
	schema = schema_of(*type);
	for (size_t i = 0; schema && i < schema->count; i++) {
		if (!check_field(json, schema->type, &schema->fields[i], why))
			return false;
	}
	if (*type == RECORD_HIST && !distribution_valid(json)) {
		snprintf(why, SCHEMA_WHY_BYTES,
			 "hist record whose buckets are not a histogram of its count, min and max");
		return false;
	}
	return true;
}
