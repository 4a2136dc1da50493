/* SPDX-License-Identifier: MIT */
/*
 * The one list of record types and their fields: name, JSON type, range, whether required. What
 * docs/serial-log.md says in words; a test holds the two, and real logs, against each other.
 */
#ifndef PVSPIN_TOOLS_REPORT_READ_SCHEMA_H
#define PVSPIN_TOOLS_REPORT_READ_SCHEMA_H

#include "tools/report/base/data.h"

#define SCHEMA_VERSION   1
#define SCHEMA_WHY_BYTES 256

enum field_kind {
	FIELD_NUMBER, /* an integer, min..max */
	FIELD_BOOL,
	FIELD_NAME, /* a string of 1 to 64 characters of [A-Za-z0-9._+-]: safe to print */
	FIELD_TEXT, /* any string */
	FIELD_LIST,
	FIELD_OBJECT,
	FIELD_CPU, /* an index, or "all" */
};

struct field {
	const char *name;
	enum field_kind kind;
	bool required;
	int64_t min, max; /* of FIELD_NUMBER */
};

struct schema {
	const char *type;
	const struct field *fields;
	size_t count;
};

/* NULL for RECORD_OTHER. */
const struct schema *schema_of(enum record_type type);

/* Which record a JSON object is, and whether it is a valid one; else why not, for people. Fields
 * that the schema does not have are fine: newer logs have them. */
bool schema_check(const json_t *json, enum record_type *type, char why[SCHEMA_WHY_BYTES]);

#endif
