/* SPDX-License-Identifier: MIT */
/*
 * How libFuzzer changes a log: bytes alone nearly always break the JSON and end at the parser, so
 * half of the changes are of whole lines (twice, gone, swapped, cut) and of numbers.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

struct piece {
	size_t start, length;
};

/* The line around a place, with its newline. */
static struct piece line_at(const uint8_t *data, size_t size, size_t place)
{
	size_t start = place, end = place;

	while (start > 0 && data[start - 1] != '\n')
		start--;
	while (end < size && data[end] != '\n')
		end++;
	return (struct piece){start, end - start + (end < size)};
}

/* Puts `length` bytes in the place of a piece, if they fit. */
static size_t replace(uint8_t *data, size_t size, size_t most, struct piece piece,
		      const uint8_t *with, size_t length)
{
	if (size - piece.length + length > most)
		return size;
	memmove(data + piece.start + length, data + piece.start + piece.length,
		size - piece.start - piece.length);
	memcpy(data + piece.start, with, length);
	return size - piece.length + length;
}

static size_t change_number(uint8_t *data, size_t size, size_t most, size_t place, unsigned seed)
{
	static const char *const numbers[] = {"0",
					      "1",
					      "2",
					      "3",
					      "4",
					      "5",
					      "7",
					      "100",
					      "-1",
					      "4096",
					      "4097",
					      "2147483648",
					      "1e3",
					      "0.5",
					      "9223372036854775807",
					      "9223372036854775808",
					      "true",
					      "null",
					      "\"all\"",
					      "[]",
					      "[[0,3,1]]"};
	const char *number = numbers[seed % (sizeof(numbers) / sizeof(numbers[0]))];
	size_t end;

	while (place < size && (data[place] < '0' || data[place] > '9'))
		place++;
	for (end = place; end < size && data[end] >= '0' && data[end] <= '9'; end++)
		;
	return replace(data, size, most, (struct piece){place, end - place},
		       (const uint8_t *)number, strlen(number));
}

static size_t change_line(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	struct piece from = line_at(data, size, (seed >> 8) % size);
	struct piece to = line_at(data, size, (seed >> 4) % size);
	uint8_t *copy = malloc(from.length + 1);

	if (copy == NULL)
		return size;
	memcpy(copy, data + from.start, from.length);
	if (seed % 4 == 0) /* again, elsewhere */
		size = replace(data, size, most, (struct piece){to.start, 0}, copy, from.length);
	else if (seed % 4 == 1) /* over another */
		size = replace(data, size, most, to, copy, from.length);
	else if (seed % 4 == 2) /* gone */
		size = replace(data, size, most, from, copy, 0);
	else /* cut */
		size = replace(data, size, most, from, copy, from.length / 2);
	free(copy);
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	unsigned rest = seed / 8;

	if (size == 0 || seed % 8 < 3)
		return LLVMFuzzerMutate(data, size, most);
	if (seed % 8 < 5)
		return change_line(data, size, most, rest);
	return change_number(data, size, most, (rest >> 5) % size, rest);
}
