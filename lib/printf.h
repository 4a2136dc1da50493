/* SPDX-License-Identifier: MIT */
/*
 * Freestanding formatted output: %d %i %u %x %X %c %s %p %%, flags '-' '0' '#' '+' ' ', width and
 * precision (also '*'), lengths hh h l ll z t j. No floating point. Same truncation and return
 * value as C's snprintf. An unknown conversion is printed as it stands. Any context, no locks.
 */
#ifndef PVSPIN_LIB_PRINTF_H
#define PVSPIN_LIB_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

int kvsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));
int ksnprintf(char *buffer, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
