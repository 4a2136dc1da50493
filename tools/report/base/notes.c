/* SPDX-License-Identifier: MIT */
/* The list of notes: see notes.h. */
#include "tools/report/base/notes.h"

#include "tools/report/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void note_add(struct notes *notes, bool damage, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	if (notes->count >= NOTES_MOST) {
		notes->hidden++;
		return;
	}
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	notes->list = memory_grow(notes->list, notes->count, sizeof(notes->list[0]));
	notes->list[notes->count++] = (struct note){memory_copy(text), damage};
}

void notes_free(struct notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		free(notes->list[i].text);
	free(notes->list);
	*notes = (struct notes){0};
}
