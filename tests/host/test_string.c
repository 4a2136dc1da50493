/* SPDX-License-Identifier: MIT */
/* Compares lib/string.c with libc's functions of the same contract. host.mk renames those of lib/
 * to test_* on the compiler's command line. */
#include "tests/host/test.h"

#include <string.h>

void *test_memcpy(void *restrict to, const void *restrict from, size_t count);
void *test_memmove(void *to, const void *from, size_t count);
void *test_memset(void *to, int byte, size_t count);
int test_memcmp(const void *a, const void *b, size_t count);
size_t test_strlen(const char *text);
int test_strcmp(const char *a, const char *b);
int test_strncmp(const char *a, const char *b, size_t count);

#define BYTES 48

static void fill(unsigned char *bytes)
{
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (unsigned char)(i * 7 + 3);
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void memcpy_and_memset_write_only_their_bytes(void **state)
{
	unsigned char ours[BYTES], libc[BYTES], from[BYTES];

	(void)state;
	memset(from, 0xa5, BYTES);
	for (size_t at = 0; at < 9; at++) {
		for (size_t count = 0; at + count <= BYTES; count++) {
			fill(ours);
			fill(libc);
			memcpy(libc + at, from, count);
			assert_ptr_equal(test_memcpy(ours + at, from, count), ours + at);
			assert_memory_equal(ours, libc, BYTES);
			memset(libc + at, 0x1ee, count); /* converted to unsigned char */
			assert_ptr_equal(test_memset(ours + at, 0x1ee, count), ours + at);
			assert_memory_equal(ours, libc, BYTES);
		}
	}
}

static void memmove_overlaps_either_way(void **state)
{
	unsigned char ours[BYTES], libc[BYTES];

	(void)state;
	for (size_t to = 0; to < 16; to++) {
		for (size_t from = 0; from < 16; from++) {
			for (size_t count = 0; count <= BYTES - 16; count++) {
				fill(ours);
				fill(libc);
				memmove(libc + to, libc + from, count);
				assert_ptr_equal(test_memmove(ours + to, ours + from, count),
						 ours + to);
				assert_memory_equal(ours, libc, BYTES);
			}
		}
	}
}

static void comparisons_order_unsigned_bytes(void **state)
{
	static const char *const texts[] = {"",     "a",    "ab",   "abc",  "b",
					    "\x7f", "\x80", "\xff", "a\xff"};
	size_t count = sizeof(texts) / sizeof(texts[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(test_strlen(texts[i]), strlen(texts[i]));
		for (size_t j = 0; j < count; j++) {
			assert_int_equal(sign(test_strcmp(texts[i], texts[j])),
					 sign(strcmp(texts[i], texts[j])));
			for (size_t n = 0; n < 5; n++)
				assert_int_equal(sign(test_strncmp(texts[i], texts[j], n)),
						 sign(strncmp(texts[i], texts[j], n)));
		}
	}
	assert_true(test_memcmp("a\0b", "a\0c", 3) < 0);
	assert_true(test_memcmp("\x80", "\x7f", 1) > 0);
	assert_int_equal(test_memcmp("a\0b", "a\0c", 2), 0);
	assert_int_equal(test_memcmp("x", "y", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memcpy_and_memset_write_only_their_bytes),
		cmocka_unit_test(memmove_overlaps_either_way),
		cmocka_unit_test(comparisons_order_unsigned_bytes),
	};

	return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
