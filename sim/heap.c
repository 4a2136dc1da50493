/* SPDX-License-Identifier: MIT */
/* See heap.h: a binary heap. */
#include "sim/heap.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_SIZE 1024

static bool before(const struct event *a, const struct event *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static void grow(struct heap *heap)
{
	size_t size = heap->size ? heap->size * 2 : FIRST_SIZE;
	struct event *event = realloc(heap->event, size * sizeof(*event));

	if (!event) {
		fputs("pvspin-sim: no memory for events\n", stderr);
		exit(4);
	}
	heap->event = event;
	heap->size = size;
}

void heap_put_back(struct heap *heap, const struct event *event)
{
	size_t at = heap->count;

	if (heap->count == heap->size)
		grow(heap);
	heap->count++;
	while (at > 0 && before(event, &heap->event[(at - 1) / 2])) {
		heap->event[at] = heap->event[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap->event[at] = *event;
}

void heap_post(struct heap *heap, uint64_t time,
	       bool (*fire)(void *subject, uint64_t detail, uint64_t time), void *subject,
	       uint64_t detail)
{
	struct event event = {time, heap->posted++, fire, subject, detail};

	heap_put_back(heap, &event);
}

struct event heap_take(struct heap *heap)
{
	struct event first = heap->event[0], last = heap->event[--heap->count];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < heap->count) {
		if (child + 1 < heap->count && before(&heap->event[child + 1], &heap->event[child]))
			child++;
		if (!before(&heap->event[child], &last))
			break;
		heap->event[at] = heap->event[child];
		at = child;
	}
	heap->event[at] = last;
	return first;
}
