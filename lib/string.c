/* SPDX-License-Identifier: MIT */
/*
 * See lib/string.h. Copies and fills use the string instructions: a single instruction, fast with
 * ERMS, and not a loop that the compiler could recognise and replace by a call of the very function
 * it is in (GCC does so for memcpy, memset and, from 12 on, strlen). For the same reason the other
 * loops contain an empty asm statement.
 */
#include "lib/string.h"

#define NOT_AN_IDIOM() __asm__ volatile("")

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
	void *result = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	return result;
}

void *memmove(void *to, const void *from, size_t count)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	/* unsigned: true also when `to` lies before `from` */
	if ((size_t)t - (size_t)f >= count)
		return memcpy(to, from, count);
	/* Backwards by hand: STD would leave the direction flag set for an NMI handler. */
	while (count--) {
		t[count] = f[count];
		NOT_AN_IDIOM();
	}
	return to;
}

void *memset(void *to, int byte, size_t count)
{
	void *result = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(byte) : "memory");
	return result;
}

int memcmp(const void *a, const void *b, size_t count)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < count; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
		NOT_AN_IDIOM();
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0') {
		length++;
		NOT_AN_IDIOM();
	}
	return length;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, (size_t)-1);
}

int strncmp(const char *a, const char *b, size_t count)
{
	const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;

	for (size_t i = 0; i < count; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
		if (x[i] == '\0')
			break;
		NOT_AN_IDIOM();
	}
	return 0;
}
