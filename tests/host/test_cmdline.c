/* SPDX-License-Identifier: MIT */
/* Tests lib/cmdline.c: words, lists, numbers and random bytes. The buffers end where the text does,
 * so that ASan notices a read after it. */
#include "tests/host/test.h"

#include "lib/cmdline.h"
#include <stdlib.h>
#include <string.h>

#define FUZZ_ROUNDS 20000
#define FUZZ_BYTES  64

static void assert_word(const char **cursor, const char *key, const char *value)
{
	struct cmdline_word word;

	assert_true(cmdline_next(cursor, &word));
	assert_true(cmdline_is(word.key, word.key_length, key));
	if (value == NULL) {
		assert_null(word.value);
		assert_int_equal(word.value_length, 0);
	} else {
		assert_non_null(word.value);
		assert_true(cmdline_is(word.value, word.value_length, value));
	}
}

static void words_are_split_at_spaces_and_the_first_equals(void **state)
{
	const char *cursor = "  a=1 flag  b= =c d=e=f \t\"q r\"  ";
	struct cmdline_word word;

	(void)state;
	assert_word(&cursor, "a", "1");
	assert_word(&cursor, "flag", NULL);
	assert_word(&cursor, "b", "");
	assert_word(&cursor, "", "c");
	assert_word(&cursor, "d", "e=f");
	assert_word(&cursor, "\t\"q", NULL); /* tabs and quotes have no meaning */
	assert_word(&cursor, "r\"", NULL);
	assert_false(cmdline_next(&cursor, &word));
	assert_false(cmdline_next(&cursor, &word));
}

static void a_word_equals_only_the_whole_word(void **state)
{
	(void)state;
	assert_true(cmdline_is("hold=1", 4, "hold"));
	assert_false(cmdline_is("hold", 4, "hol"));
	assert_false(cmdline_is("hold", 4, "holds"));
	assert_true(cmdline_is("", 0, ""));
}

static void assert_number(const char *text, uint64_t expected)
{
	uint64_t number = ~expected;

	assert_true(cmdline_number(text, strlen(text), 0, UINT64_MAX, &number));
	assert_int_equal(number, expected);
}

static void assert_no_number(const char *text, uint64_t min, uint64_t max)
{
	uint64_t number = 4711;

	assert_false(cmdline_number(text, strlen(text), min, max, &number));
	assert_int_equal(number, 4711);
}

static void numbers_are_whole_and_in_range(void **state)
{
	static const char *const bad[] = {"",
					  "-1",
					  "+1",
					  " 1",
					  "1 ",
					  "1k",
					  "0x",
					  "0X1",
					  "0xg",
					  "1.5",
					  "a",
					  "18446744073709551616",
					  "0x10000000000000000",
					  "99999999999999999999999"};

	(void)state;
	assert_number("0", 0);
	assert_number("007", 7);
	assert_number("18446744073709551615", UINT64_MAX);
	assert_number("0xffffffffffffffff", UINT64_MAX);
	assert_number("0xDeadBeef", 0xdeadbeef);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_no_number(bad[i], 0, UINT64_MAX);
	assert_no_number("4", 5, 9);
	assert_no_number("10", 5, 9);
}

static size_t count_items(const char *list, size_t *empty)
{
	const char *cursor = list, *item;
	size_t items = 0, length;

	*empty = 0;
	while (cmdline_list_next(&cursor, list + strlen(list), &item, &length)) {
		items++;
		*empty += length == 0;
		assert_true(item >= list && item + length <= list + strlen(list));
	}
	return items;
}

static void lists_keep_their_empty_items(void **state)
{
	static const struct {
		const char *list;
		size_t items, empty;
	} cases[] = {{"", 1, 1},   {"a", 1, 0}, {"a,b", 2, 0},  {"a,", 2, 1},
		     {",a", 2, 1}, {",", 2, 2}, {"a,,b", 3, 1}, {"tas,mcs,clh", 3, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t empty;

		assert_int_equal(count_items(cases[i].list, &empty), cases[i].items);
		assert_int_equal(empty, cases[i].empty);
	}
}

static void a_list_ends_where_its_value_does(void **state)
{
	const char *text = "a,b c,d", *cursor = text, *item;
	size_t length;

	(void)state;
	assert_true(cmdline_list_next(&cursor, text + 3, &item, &length));
	assert_true(cmdline_list_next(&cursor, text + 3, &item, &length));
	assert_true(cmdline_is(item, length, "b"));
	assert_false(cmdline_list_next(&cursor, text + 3, &item, &length));
}

/* With any bytes, the words cover everything that is not a space, in order, and nothing after the
 * end. */
static void random_bytes_are_words(void **state)
{
	static const char alphabet[] = "  ==,,a0x9\t\x01\xff";
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < FUZZ_ROUNDS; round++) {
		size_t length = next_random(&seed) % FUZZ_BYTES, covered = 0, solid = 0;
		char *text = malloc(length + 1);
		const char *cursor = text;
		struct cmdline_word word;

		for (size_t i = 0; i < length; i++) {
			text[i] = alphabet[next_random(&seed) % (sizeof(alphabet) - 1)];
			solid += text[i] != ' ';
		}
		text[length] = '\0';
		while (cmdline_next(&cursor, &word)) {
			uint64_t number;
			size_t empty;

			covered += word.key_length + (word.value ? 1 + word.value_length : 0);
			if (word.value)
				cmdline_number(word.value, word.value_length, 0, 9, &number);
			count_items(word.key, &empty);
		}
		assert_int_equal(covered, solid);
		assert_ptr_equal(cursor, text + length);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_split_at_spaces_and_the_first_equals),
		cmocka_unit_test(a_word_equals_only_the_whole_word),
		cmocka_unit_test(numbers_are_whole_and_in_range),
		cmocka_unit_test(lists_keep_their_empty_items),
		cmocka_unit_test(a_list_ends_where_its_value_does),
		cmocka_unit_test(random_bytes_are_words),
	};

	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
