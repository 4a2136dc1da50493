/* SPDX-License-Identifier: MIT */
/* See trace_set.h. */
#include "tests/host/trace_set.h"

#include "tests/host/test.h"
#include "tools/report/base/system.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KHZ 1000000 /* 1000 cycles a microsecond */

void trace_set_begin(struct trace_set *made)
{
	*made = (struct trace_set){.run = 1, .lock = "tas"};
	made->boot.type = RECORD_BOOT;
	made->boot.json = json_pack("{s:i}", "tsc_khz", KHZ);
	made->log.path = "out/serial-0.log";
	made->log.instances = 1;
	made->log.boot = &made->boot;
	made->log.usable = true;
	made->set.logs = &made->log;
	made->set.log_count = 1;
}

void trace_set_end(struct trace_set *made)
{
	for (size_t i = 0; i < made->log.count; i++)
		json_decref(made->log.records[i].json);
	json_decref(made->boot.json);
	free(made->log.records);
}

void trace_set_event(struct trace_set *made, uint64_t cpu, const char *what, json_int_t tsc,
		     json_int_t to)
{
	struct log *log = &made->log;
	struct record record = {.type = RECORD_EVENT};

	record.json =
		json_pack("{s:I, s:I, s:s, s:I, s:I, s:s}", "run", (json_int_t)made->run, "cpu",
			  (json_int_t)cpu, "what", what, "tsc", tsc, "to", to, "lock", made->lock);
	assert_non_null(record.json);
	if (made->lock_id != 0) {
		json_object_set_new(record.json, "class",
				    json_string(made->lock_id < 100 ? "rq" : "zone"));
		json_object_set_new(record.json, "lock_id",
				    json_integer((json_int_t)made->lock_id));
	}
	log->records = memory_grow(log->records, log->count, sizeof(record));
	log->records[log->count++] = record;
}

void trace_set_add(struct trace_set *made, uint64_t cpu, const char *events)
{
	char *text = strdup(events), *rest = text, *event;

	while ((event = strsep(&rest, ",")) != NULL) {
		const char *at = strchr(event, '@');
		long long tsc = 0, to = 0;
		char what[32];

		assert_true(sscanf(event, " %31s %lld %lld", what, &tsc, &to) >= 2);
		made->lock_id = at ? strtoull(at + 1, NULL, 10) : 0;
		trace_set_event(made, cpu, what, tsc, to);
	}
	made->lock_id = 0;
	free(text);
}

const char *trace_set_words(const struct spans *spans)
{
	static const char *const names[] = {"running",   "halted", "idle",
					    "preempted", "waited", "held"};
	static char text[1024];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < spans->count; i++) {
		const struct span *span = &spans->list[i];

		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s%s%s%s%s",
					   i ? ", " : "", names[span->kind],
					   span->holding ? "!" : "", span->waiting ? "?" : "",
					   span->handed ? "^" : "", span->open ? "+" : "");
		if (span->lock.id != 0)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "@%llu",
						   (unsigned long long)span->lock.id);
		for (size_t j = 0; j < span->held_count; j++) {
			if (span->held[j].id != 0)
				length += (size_t)snprintf(text + length, sizeof(text) - length,
							   "&%llu",
							   (unsigned long long)span->held[j].id);
		}
		length += (size_t)snprintf(text + length, sizeof(text) - length, " %llu-%llu",
					   (unsigned long long)span->start,
					   (unsigned long long)span->end);
		assert_true(length < sizeof(text));
	}
	return text;
}
