/* SPDX-License-Identifier: MIT */
/* Compares lib/printf.c with the host's snprintf: the same text and return value for each format,
 * in buffers of all sizes. The buffers are exact allocations, so that ASan notices a byte too many.
 */
#include "tests/host/test.h"

#include "lib/printf.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME(...)                                                                        \
	do {                                                                             \
		int length_ = snprintf(NULL, 0, __VA_ARGS__);                            \
                                                                                         \
		assert_true(length_ >= 0);                                               \
		for (size_t size_ = 0; size_ < (size_t)length_ + 3; size_++) {           \
			char *ours_ = malloc(size_ ? size_ : 1),                         \
			     *libc_ = malloc(size_ ? size_ : 1);                         \
			memset(ours_, '~', size_ ? size_ : 1);                           \
			memset(libc_, '~', size_ ? size_ : 1);                           \
			snprintf(libc_, size_, __VA_ARGS__);                             \
			assert_int_equal(ksnprintf(ours_, size_, __VA_ARGS__), length_); \
			if (size_ != 0)                                                  \
				assert_string_equal(ours_, libc_);                       \
			else                                                             \
				assert_int_equal(ours_[0], '~');                         \
			free(ours_);                                                     \
			free(libc_);                                                     \
		}                                                                        \
	} while (0)

static const char *const flag_sets[] = {"",   "-",  "0",  "+",   " ",  "#",
					"-0", "+0", "#0", "-#+", " 0#"};
static const char *const sizes[] = {"", "1", "12", ".0", ".1", ".7", "12.3", "3.12", "12.0"};

static void integers_of_every_flag_width_and_precision(void **state)
{
	static const int values[] = {0, 1, -1, 42, -4711, INT_MAX, INT_MIN};

	(void)state;
	for (size_t f = 0; f < sizeof(flag_sets) / sizeof(flag_sets[0]); f++) {
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			for (const char *c = "diuxX"; *c != '\0'; c++) {
				char format[16];

				snprintf(format, sizeof(format), "%%%s%s%c", flag_sets[f], sizes[s],
					 *c);
				for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
					SAME(format, values[v]);
			}
		}
	}
}

static void lengths_convert_as_in_c(void **state)
{
	(void)state;
	SAME("%hhd %hhu %hhx", 0x1ff, 0x1ff, -1);
	SAME("%hd %hu %hx", 0x1ffff, 0x1ffff, -1);
	SAME("%ld %lu %lx", LONG_MIN, ULONG_MAX, LONG_MAX);
	SAME("%lld %llu %llX", LLONG_MIN, ULLONG_MAX, LLONG_MAX);
	SAME("%zu %zd %tx %jd %ju", SIZE_MAX, (ssize_t)-1, (ptrdiff_t)255, INTMAX_MIN, UINTMAX_MAX);
	SAME("%#llx %#x", 0xfee00000ull, 0);
	/* 64-bit arguments must not shift later ones */
	SAME("%d %llu %d %s %lx", 1, 2ull, 3, "four", 5ul);
}

static void strings_and_characters(void **state)
{
	char open[3] = {'a', 'b', 'c'}; /* not terminated */

	(void)state;
	SAME("%s|%10s|%-10s|%.2s|%10.2s|%-10.0s|", "text", "text", "text", "text", "text", "text");
	SAME("%.3s %.*s", open, 2, open);
	SAME("%c%5c%-5c|%c", 'x', 'y', 'z', 0x141);
	SAME("%%|100%%");
	SAME("%s", (const char *)NULL);
	SAME("");
	SAME("no conversion");
}

static void stars_take_their_argument(void **state)
{
	(void)state;
	SAME("%*d|%-*d|%*d|", 6, 42, 6, 42, -6, 42);
	SAME("%.*d|%.*d|%*.*s|", 4, 42, -4, 42, 8, 3, "abcdef");
	SAME("%0*d|%0*d|", 6, -42, -6, -42);
}

static void pointers_are_hex(void **state)
{
	char text[32];

	(void)state;
	SAME("%p|%20p|%-20p|", (void *)0xfee00000, (void *)0x8000, (void *)~0ul);
	/* libc prints "(nil)"; ours prints a number */
	assert_int_equal(ksnprintf(text, sizeof(text), "%p", NULL), 3);
	assert_string_equal(text, "0x0");
}

static void assert_unchanged(const char *format, const char *expected)
{
	char text[64];

	assert_int_equal(ksnprintf(text, sizeof(text), format, 1, 2, 3), (int)strlen(expected));
	assert_string_equal(text, expected);
}

static void an_unknown_conversion_is_printed_unchanged(void **state)
{
	(void)state;
	assert_unchanged("a%kb", "a%kb");
	assert_unchanged("%n", "%n");
	assert_unchanged("%-08.3lq!", "%-08.3lq!");
	assert_unchanged("%f %d", "%f 1"); /* takes no argument */
	assert_unchanged("cut %", "cut %");
	assert_unchanged("cut %-5l", "cut %-5l");
}

static void a_huge_width_is_cut_and_counted(void **state)
{
	char text[8];

	(void)state;
	assert_int_equal(ksnprintf(text, sizeof(text), "%2147483647d", 7), INT_MAX);
	assert_string_equal(text, "       ");
	assert_int_equal(ksnprintf(text, sizeof(text), "%*d", INT_MIN, 7), INT_MAX);
	assert_string_equal(text, "7      ");
	/* more than INT_MAX bytes, as in C: negative */
	assert_true(ksnprintf(text, sizeof(text), "%2147483647d%d", 7, 7) < 0);
	assert_int_equal(ksnprintf(text, sizeof(text), "%99999999999999d", 7), INT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_of_every_flag_width_and_precision),
		cmocka_unit_test(lengths_convert_as_in_c),
		cmocka_unit_test(strings_and_characters),
		cmocka_unit_test(stars_take_their_argument),
		cmocka_unit_test(pointers_are_hex),
		cmocka_unit_test(an_unknown_conversion_is_printed_unchanged),
		cmocka_unit_test(a_huge_width_is_cut_and_counted),
	};

	return cmocka_run_group_tests_name("printf", tests, NULL, NULL);
}
