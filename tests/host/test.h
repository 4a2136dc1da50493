/* SPDX-License-Identifier: MIT */
/* cmocka with the headers that it needs, and a random generator for fuzz loops. The seed determines
 * its sequence, so a failure repeats. */
#ifndef PVSPIN_TESTS_HOST_TEST_H
#define PVSPIN_TESTS_HOST_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* xorshift64* (Vigna, ACM TOMS 42.4, 2016); *state must not be 0 */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

#endif
