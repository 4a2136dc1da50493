/* SPDX-License-Identifier: MIT */
/*
 * Freestanding formatted output: see lib/printf.h, C11 7.21.6.1. A format is parsed
 * into a struct spec, a number is turned into digits from the right, and everything goes through
 * put(), which counts all bytes and stores those that fit. Padding is stored only where it fits,
 * so a width of two thousand million costs nothing.
 */
#include "lib/printf.h"

#include "lib/string.h"
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct output {
	char *buffer;
	size_t size;  /* bytes that may be stored, less one for the NUL */
	size_t total; /* length of the whole text */
};

enum length {
	LENGTH_INT,
	LENGTH_CHAR,
	LENGTH_SHORT,
	LENGTH_LONG,
	LENGTH_64,
};

struct spec {
	bool left, zero, alternate, plus, space;
	int width;
	int precision; /* -1: none */
	enum length length;
	char conversion;
};

static void put(struct output *out, const char *bytes, size_t count)
{
	if (out->total < out->size) {
		size_t room = out->size - out->total;

		memcpy(out->buffer + out->total, bytes, count < room ? count : room);
	}
	out->total += count;
}

static void pad(struct output *out, char byte, size_t count)
{
	if (out->total < out->size) {
		size_t room = out->size - out->total;

		memset(out->buffer + out->total, byte, count < room ? count : room);
	}
	out->total += count;
}

/* prefix, then `zeros` zeros, then the digits, in a field of the spec's width */
static void put_field(struct output *out, const struct spec *spec, const char *prefix, size_t zeros,
		      const char *text, size_t length)
{
	size_t prefix_length = strlen(prefix);
	size_t used = prefix_length + zeros + length;
	size_t fill = (size_t)spec->width > used ? (size_t)spec->width - used : 0;

	if (!spec->left)
		pad(out, ' ', fill);
	put(out, prefix, prefix_length);
	pad(out, '0', zeros);
	put(out, text, length);
	if (spec->left)
		pad(out, ' ', fill);
}

static void put_number(struct output *out, const struct spec *spec, uint64_t value,
		       const char *prefix, unsigned int base)
{
	const char *digits = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[20]; /* 2^64 has 20 decimal digits */
	size_t length = 0, zeros = 0;

	for (; value != 0; value /= base)
		text[sizeof(text) - ++length] = digits[value % base];
	if (spec->precision >= 0) {
		if ((size_t)spec->precision > length)
			zeros = (size_t)spec->precision - length;
	} else if (spec->zero && !spec->left) {
		size_t used = strlen(prefix) + length;

		zeros = (size_t)spec->width > used ? (size_t)spec->width - used : 0;
	}
	/* zero itself has one digit, unless the precision asks for none */
	if (length == 0 && zeros == 0 && spec->precision != 0)
		zeros = 1;
	put_field(out, spec, prefix, zeros, text + sizeof(text) - length, length);
}

static int64_t signed_argument(enum length length, va_list *arguments)
{
	switch (length) {
	case LENGTH_CHAR:
		return (signed char)va_arg(*arguments, int);
	case LENGTH_SHORT:
		return (short)va_arg(*arguments, int);
	case LENGTH_LONG:
	case LENGTH_64:
		return va_arg(*arguments, int64_t);
	case LENGTH_INT:
		break;
	}
	return va_arg(*arguments, int);
}

static uint64_t unsigned_argument(enum length length, va_list *arguments)
{
	switch (length) {
	case LENGTH_CHAR:
		return (unsigned char)va_arg(*arguments, unsigned int);
	case LENGTH_SHORT:
		return (unsigned short)va_arg(*arguments, unsigned int);
	case LENGTH_LONG:
	case LENGTH_64:
		return va_arg(*arguments, uint64_t);
	case LENGTH_INT:
		break;
	}
	return va_arg(*arguments, unsigned int);
}

static void put_signed(struct output *out, const struct spec *spec, int64_t value)
{
	const char *sign = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

	put_number(out, spec, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, sign, 10);
}

static void put_hex(struct output *out, const struct spec *spec, uint64_t value)
{
	const char *prefix = spec->conversion == 'X' ? "0X" : "0x";

	put_number(out, spec, value, spec->alternate && value != 0 ? prefix : "", 16);
}

static void put_string(struct output *out, const struct spec *spec, const char *text)
{
	size_t length = 0;

	if (text == NULL)
		text = "(null)";
	if (spec->precision < 0)
		length = strlen(text);
	else /* text need not be terminated */
		while (length < (size_t)spec->precision && text[length] != '\0')
			length++;
	put_field(out, spec, "", 0, text, length);
}

/* Returns false for an unknown conversion. */
static bool convert(struct output *out, const struct spec *spec, va_list *arguments)
{
	char c;

	switch (spec->conversion) {
	case 'd':
	case 'i':
		put_signed(out, spec, signed_argument(spec->length, arguments));
		return true;
	case 'u':
		put_number(out, spec, unsigned_argument(spec->length, arguments), "", 10);
		return true;
	case 'x':
	case 'X':
		put_hex(out, spec, unsigned_argument(spec->length, arguments));
		return true;
	case 'p':
		put_number(out, spec, (uintptr_t)va_arg(*arguments, void *), "0x", 16);
		return true;
	case 'c':
		c = (char)va_arg(*arguments, int);
		put_field(out, spec, "", 0, &c, 1);
		return true;
	case 's':
		put_string(out, spec, va_arg(*arguments, const char *));
		return true;
	case '%':
		put(out, "%", 1);
		return true;
	default:
		return false;
	}
}

/* Reads "*" or digits, which saturate. */
static int parse_count(const char **at, va_list *arguments)
{
	int count = 0;

	if (**at == '*') {
		(*at)++;
		return va_arg(*arguments, int);
	}
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		int digit = **at - '0';

		count = count > (INT_MAX - digit) / 10 ? INT_MAX : count * 10 + digit;
	}
	return count;
}

static void parse_flags(const char **at, struct spec *spec)
{
	for (;; (*at)++) {
		switch (**at) {
		case '-':
			spec->left = true;
			break;
		case '0':
			spec->zero = true;
			break;
		case '#':
			spec->alternate = true;
			break;
		case '+':
			spec->plus = true;
			break;
		case ' ':
			spec->space = true;
			break;
		default:
			return;
		}
	}
}

static enum length parse_length(const char **at)
{
	char first = *(*at)++;

	switch (first) {
	case 'h':
		if (**at != 'h')
			return LENGTH_SHORT;
		(*at)++;
		return LENGTH_CHAR;
	case 'l':
		if (**at != 'l')
			return LENGTH_LONG;
		(*at)++;
		return LENGTH_64;
	case 'z':
	case 't':
	case 'j':
		return LENGTH_64;
	default:
		(*at)--;
		return LENGTH_INT;
	}
}

/* `at` is after the '%'. Returns the position after the conversion, or the NUL that cut it off. */
static const char *parse_spec(const char *at, struct spec *spec, va_list *arguments)
{
	*spec = (struct spec){.precision = -1};
	parse_flags(&at, spec);
	spec->width = parse_count(&at, arguments);
	if (spec->width < 0) { /* C11: a '-' flag and the positive width */
		spec->left = true;
		spec->width = spec->width == INT_MIN ? INT_MAX : -spec->width;
	}
	if (*at == '.') {
		at++;
		spec->precision = parse_count(&at, arguments);
		if (spec->precision < 0)
			spec->precision = -1;
	}
	spec->length = parse_length(&at);
	spec->conversion = *at;
	return *at != '\0' ? at + 1 : at;
}

int kvsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct output out = {.buffer = buffer, .size = size ? size - 1 : 0};
	va_list list; /* a copy: a parameter of this type may be an array, so has no address */

	va_copy(list, arguments);
	while (*format != '\0') {
		const char *start = format;
		struct spec spec;

		if (*format != '%') {
			while (*format != '\0' && *format != '%')
				format++;
			put(&out, start, (size_t)(format - start));
			continue;
		}
		format = parse_spec(format + 1, &spec, &list);
		if (!convert(&out, &spec, &list))
			put(&out, start, (size_t)(format - start));
	}
	va_end(list);
	if (size != 0)
		buffer[out.total < out.size ? out.total : out.size] = '\0';
	return out.total > INT_MAX ? -1 : (int)out.total;
}

int ksnprintf(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = kvsnprintf(buffer, size, format, arguments);
	va_end(arguments);
	return length;
}
