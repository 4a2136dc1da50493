/* SPDX-License-Identifier: MIT */
/*
 * The error message of plan_parse: "KEY=VALUE: WHAT; accepted: ...", one line. Only the first
 * error is kept. The input is cut short in it, with unprintable bytes as '?'.
 */
#ifndef PVSPIN_BENCH_PLAN_ERROR_H
#define PVSPIN_BENCH_PLAN_ERROR_H

#include "lib/cmdline.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan_error {
	char *text; /* PLAN_ERROR_BYTES */
	size_t length;
	bool set;
};

/* Starts the message about `item` in the word's value, or about the key if item is NULL. Does
 * nothing and returns false if an error is set already. */
bool plan_error_begin(struct plan_error *error, const struct cmdline_word *word, const char *item,
		      size_t length, const char *what);

/* Append to it. */
void plan_error_add(struct plan_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void plan_accept_number(struct plan_error *error, uint64_t min, uint64_t max);
void plan_accept_names(struct plan_error *error, const char *const *names, size_t count);
void plan_accept_locks(struct plan_error *error);
void plan_accept_keys(struct plan_error *error);

#endif
