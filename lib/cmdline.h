/* SPDX-License-Identifier: MIT */
/*
 * The command line's words: space-separated `key=value` or `flag`. Quotes have no meaning. Knows
 * no keys; bench/plan.c does. Bytes that are not printable ASCII are part of words.
 */
#ifndef PVSPIN_LIB_CMDLINE_H
#define PVSPIN_LIB_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cmdline_word {
	const char *key;
	size_t key_length;
	const char *value; /* NULL: no '=' in the word */
	size_t value_length;
};

/* Sets the next word from *cursor on and moves *cursor past it. False at the end. */
bool cmdline_next(const char **cursor, struct cmdline_word *word);

bool cmdline_is(const char *text, size_t length, const char *word);

/* Reads a decimal or (with 0x) hexadecimal number in min..max. False if it is not one. */
bool cmdline_number(const char *text, size_t length, uint64_t min, uint64_t max, uint64_t *number);

/* Sets the next item of a comma-separated list, even an empty one. False at the end. */
bool cmdline_list_next(const char **cursor, const char *end, const char **item, size_t *length);

#endif
