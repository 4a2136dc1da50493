/* SPDX-License-Identifier: MIT */
/*
 * The keys of the command line, as one table that the parser (plan_parse.c) and the printer
 * (plan_print.c) read. For the plan files only, and for files that add a key by PLAN_KEY.
 */
#ifndef PVSPIN_BENCH_PLAN_KEYS_H
#define PVSPIN_BENCH_PLAN_KEYS_H

#include "bench/plan.h"
#include <stddef.h>
#include <stdint.h>

enum key_kind {
	KEY_LOCKS,   /* list of lock names, or "all" */
	KEY_THREADS, /* list of numbers, 1..cpus */
	KEY_CPUS,    /* a number, 1..cpus, in a uint32_t; 0 if not given */
	KEY_TESTS,   /* list of names that tests/ knows */
	KEY_NUMBER,  /* a number, min..max */
	KEY_CHOICE,  /* one of `names`: its index goes into an enum, or into a bool */
	KEY_NAME,    /* one of `names`, stored as a string of `bytes` at most */
	KEY_FLAG,    /* the bare key */
};

struct plan_key {
	const char *name;
	enum key_kind kind;
	uint32_t workloads;         /* those that have the key, as bits 1 << workload_id; 0: all */
	size_t offset;              /* of the value in struct plan */
	char *value;                /* PLAN_KEY's value is here; NULL: it is in struct plan */
	uint64_t initial, min, max; /* of a number */
	const char *const *names;
	size_t name_count;
	size_t bytes;  /* of the value */
	bool recorded; /* of plan_keys.def: in the run record */
};

/* plan.c's, then those of PLAN_KEY: 0 <= i < plan_key_count(). */
size_t plan_key_count(void);
const struct plan_key *plan_key_at(size_t i);

/* Adds a KEY_NAME to programs that are linked with this file. The file keeps the key's value;
 * names[0] is the default. */
#define PLAN_KEY(id_, ...)                          \
	static const struct plan_key plan_key_##id_ \
		__attribute__((section("plan_key_registry"), used, aligned(8))) = {__VA_ARGS__}

/* The locks of the default plan. */
extern const char *const plan_default_locks[];
extern const size_t plan_default_lock_count;

/* Whether the plan's workload has this key; tests= has no workload. */
static inline bool plan_key_applies(const struct plan *plan, const struct plan_key *key)
{
	return key->workloads == 0 || key->workloads >> plan->workload & 1;
}

/* Sets the value of a key: a number, the index of a name, or 1 for a flag. Does nothing for a list.
 */
void plan_store(struct plan *plan, const struct plan_key *key, uint64_t value);

/* Returns the value of a key: a number, the index of a name, or 1 for a flag. */
uint64_t plan_value(const struct plan *plan, const struct plan_key *key);

/* Returns the value of a KEY_NAME or KEY_TESTS. */
const char *plan_text(const struct plan *plan, const struct plan_key *key);

#endif
