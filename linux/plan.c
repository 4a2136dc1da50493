/* SPDX-License-Identifier: MIT */
/* The kernel's command line: see linux.h. */
#include "lib/cmdline.h"
#include "linux/linux.h"

#include <stdio.h>
#include <string.h>

#define MOST_JOBS  100000000
#define MOST_S     1000000
#define MOST_TASKS 4096

static const char *const own[] = {"jobs", "tasks", "seed", "limit_s"};

/* Words that the kernel or the launcher puts there; vmm_ are facts for the guest's ABI tests. */
static const char *const foreign[] = {"HOME",  "TERM",  "BOOT_IMAGE", "workload", "reps",
				      "accel", "start", "end",        "vmm_"};

/* Reads a number, or writes the error. */
static bool take_number(const struct cmdline_word *word, uint64_t most, uint64_t *number,
			char *error)
{
	if (word->value && cmdline_number(word->value, word->value_length, 1, most, number))
		return true;
	snprintf(error, 256, "%.*s: a number from 1 to %llu is accepted",
		 (int)(word->key_length + 1 + word->value_length), word->key,
		 (unsigned long long)most);
	return false;
}

static bool take(struct linux_plan *plan, const struct cmdline_word *word, char *error)
{
	const char *key = word->key;
	size_t length = word->key_length;

	if (cmdline_is(key, length, "jobs"))
		return take_number(word, MOST_JOBS, &plan->jobs, error);
	if (cmdline_is(key, length, "tasks"))
		return take_number(word, MOST_TASKS, &plan->tasks, error);
	if (cmdline_is(key, length, "seed"))
		return take_number(word, UINT32_MAX, &plan->seed, error);
	if (cmdline_is(key, length, "limit_s"))
		return take_number(word, MOST_S, &plan->limit_s, error);
	if (cmdline_is(key, length, "start"))
		plan->held = true;
	else if (cmdline_is(key, length, "end"))
		plan->stay = true;
	else if (cmdline_is(key, length, "accel") && word->value)
		snprintf(plan->accel, sizeof(plan->accel), "%.*s", (int)word->value_length,
			 word->value);
	return true;
}

static bool known(const char *word)
{
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		size_t whole = strlen(foreign[i]);

		if (strncmp(word, foreign[i], whole) == 0 &&
		    (length == whole || foreign[i][whole - 1] == '_'))
			return true;
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (cmdline_is(word, length, own[i]))
			return true;
	}
	return false;
}

bool plan_parse(struct linux_plan *plan, const char *line, uint64_t cpus, char *const *environment,
		char error[256])
{
	struct cmdline_word word;

	*plan = (struct linux_plan){
		.jobs = 20 * cpus, .tasks = 2 * cpus, .seed = 1, .limit_s = 60, .accel = "unknown"};
	snprintf(plan->line, sizeof(plan->line), "%s", line);
	for (; *environment; environment++) {
		if (known(*environment))
			continue;
		snprintf(error, 256,
			 "%.*s: neither a parameter of Linux nor a key of this guest; accepted: "
			 "jobs, tasks, seed, limit_s, and Linux's",
			 (int)strcspn(*environment, "="), *environment);
		return false;
	}
	while (cmdline_next(&line, &word)) {
		if (!take(plan, &word, error))
			return false;
	}
	return true;
}
