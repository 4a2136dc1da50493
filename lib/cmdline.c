/* SPDX-License-Identifier: MIT */
/* Words and lists of the command line: see lib/cmdline.h. Reads up to the terminating
 * NUL and not beyond. The only state is the caller's cursor. */
#include "lib/cmdline.h"

#include "lib/string.h"

bool cmdline_next(const char **cursor, struct cmdline_word *word)
{
	const char *at = *cursor;
	const char *equals = NULL;

	while (*at == ' ')
		at++;
	word->key = at;
	for (; *at != '\0' && *at != ' '; at++) {
		if (*at == '=' && equals == NULL)
			equals = at;
	}
	*cursor = at;
	word->key_length = (size_t)((equals ? equals : at) - word->key);
	word->value = equals ? equals + 1 : NULL;
	word->value_length = equals ? (size_t)(at - equals - 1) : 0;
	return at != word->key;
}

bool cmdline_is(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(text, word, length) == 0;
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return UINT32_MAX; /* no digit in any base */
}

bool cmdline_number(const char *text, size_t length, uint64_t min, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;
	unsigned int base = 10;
	size_t i = 0;

	if (length > 2 && text[0] == '0' && text[1] == 'x') {
		base = 16;
		i = 2;
	}
	if (i == length)
		return false;
	for (; i < length; i++) {
		unsigned int digit = digit_value(text[i]);

		if (digit >= base || value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	if (value < min || value > max)
		return false;
	*number = value;
	return true;
}

/* The cursor becomes NULL after the last item, so that "a," has two items and "" has one. */
bool cmdline_list_next(const char **cursor, const char *end, const char **item, size_t *length)
{
	const char *at = *cursor;

	if (at == NULL)
		return false;
	*item = at;
	while (at < end && *at != ',')
		at++;
	*length = (size_t)(at - *item);
	*cursor = at < end ? at + 1 : NULL;
	return true;
}
