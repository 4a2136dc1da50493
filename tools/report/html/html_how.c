/* SPDX-License-Identifier: MIT */
/* How the logs of a set came to be: what the guest said in its boot record, and what run.sh wrote
 * into manifest.json. */
#include "tools/report/html/html.h"

#include "tools/report/base/escape.h"

#include <jansson.h>
#include <string.h>

/* A row of a definition list; nothing if `text` is empty. */
static void fact(FILE *out, const char *name, const char *text, bool code)
{
	if (text == NULL || text[0] == '\0')
		return;
	fprintf(out, "<dt>%s</dt><dd>%s", name, code ? "<code>" : "");
	escape_html(out, text);
	fputs(code ? "</code></dd>\n" : "</dd>\n", out);
}

static void number(FILE *out, const char *name, uint64_t value, const char *unit)
{
	if (value != 0)
		fprintf(out, "<dt>%s</dt><dd>%llu%s</dd>\n", name, (unsigned long long)value, unit);
}

/* manifest.a.b as a string, NULL if there is none. */
static const char *told(const json_t *manifest, const char *a, const char *b)
{
	const json_t *value = json_object_get(manifest, a);

	return json_string_value(b ? json_object_get(value, b) : value);
}

static void from_manifest(FILE *out, const struct log *log)
{
	const json_t *arguments = json_object_get(log->manifest, "arguments"), *word;
	const json_t *instances = json_object_get(log->manifest, "instances"), *instance;
	size_t i, k;

	if (json_array_size(arguments) > 0) {
		fputs("<dt>call</dt><dd><code>./run.sh", out);
		json_array_foreach(arguments, i, word)
		{
			fputc(' ', out);
			escape_html(out, json_string_value(word) ? json_string_value(word) : "?");
		}
		fputs("</code></dd>\n", out);
	}
	fact(out, "started", told(log->manifest, "started", NULL), false);
	fact(out, "accelerator", told(log->manifest, "accel", "why"), false);
	fact(out, "host", told(log->manifest, "host", "kernel"), false);
	fact(out, "host CPU", told(log->manifest, "host", "cpu_model"), false);
	fact(out, "nested host", told(log->manifest, "l1", "kernel"), false);
	fact(out, "QEMU", told(log->manifest, "qemu", NULL), false);
	fact(out, "pinned to", told(log->manifest, "pin", NULL), false);
	json_array_foreach(instances, i, instance)
	{
		const json_t *command = json_object_get(instance, "command");

		if (i != log->instance || json_array_size(command) == 0)
			continue;
		fputs("<dt>QEMU's command line</dt><dd><code>", out);
		json_array_foreach(command, k, word)
		{
			escape_html(out, json_string_value(word) ? json_string_value(word) : "?");
			fputc(' ', out);
		}
		fputs("</code></dd>\n", out);
	}
}

static void one_log(FILE *out, const struct log *log, bool open)
{
	fprintf(out, "<details%s><summary>", open ? " open" : "");
	escape_html(out, log->path);
	fprintf(out, "%s</summary>\n<dl>\n",
		log->complete ? "" : " <b class=\"damage\">(not whole)</b>");
	if (log->boot) {
		const struct record *boot = log->boot;

		fact(out, "pvspin", record_text(boot, "version"), false);
		fact(out, "built by", record_text(boot, "build"), false);
		fact(out, "loaded by", record_text(boot, "loader_name"), false);
		fact(out, "hypervisor", record_text(boot, "hypervisor"), false);
		fact(out, "CPU", record_text(boot, "cpu_model"), false);
		number(out, "vCPUs", record_u64(boot, "vcpus_online"), "");
		number(out, "TSC", record_u64(boot, "tsc_khz"), " kHz");
		fact(out, "TSC told by", record_text(boot, "tsc_source"), false);
		fact(out, "waiters", record_text(boot, "pv_backend"), false);
		fact(out, "Linux would take", record_text(boot, "linux_lock"), false);
		fact(out, "because of", record_text(boot, "linux_reason"), false);
	}
	if (log->manifest)
		from_manifest(out, log);
	if (log->boot)
		fact(out, "plan, which repeats it", record_text(log->boot, "plan"), true);
	if (log->end)
		fact(out, "verdict", record_text(log->end, "verdict"), false);
	fputs("</dl></details>\n", out);
}

#define LOGS_SHOWN 64

void html_how(FILE *out, const struct set *set)
{
	for (size_t i = 0; i < set->log_count && i < LOGS_SHOWN; i++)
		one_log(out, &set->logs[i], set->log_count == 1);
	if (set->log_count > LOGS_SHOWN)
		fprintf(out, "<p>and %zu more logs</p>\n", set->log_count - LOGS_SHOWN);
}
