/* SPDX-License-Identifier: MIT */
/* The engine's events, earliest first; events of the same time in the order of their posting. */
#ifndef PVSPIN_SIM_HEAP_H
#define PVSPIN_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEVER UINT64_MAX

struct event {
	uint64_t time;  /* cycles */
	uint64_t order; /* of posting */
	/* Returns false if it cannot happen yet because a CPU is behind: put it back. */
	bool (*fire)(void *subject, uint64_t detail, uint64_t time);
	void *subject;
	uint64_t detail;
};

struct heap {
	struct event *event;
	size_t count, size;
	uint64_t posted;
};

/* Adds an event. Ends the process if there is no memory. */
void heap_post(struct heap *heap, uint64_t time,
	       bool (*fire)(void *subject, uint64_t detail, uint64_t time), void *subject,
	       uint64_t detail);

/* Puts an event that was taken out back in its old place. */
void heap_put_back(struct heap *heap, const struct event *event);

/* Takes out the earliest event; there must be one. */
struct event heap_take(struct heap *heap);

/* The time of the earliest event; NEVER if there is none. */
static inline uint64_t heap_time(const struct heap *heap)
{
	return heap->count ? heap->event[0].time : NEVER;
}

#endif
