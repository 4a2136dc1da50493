/* SPDX-License-Identifier: MIT */
/* See latency.h. */
#include "bench/latency.h"

#include "lib/histogram.h"
#include "port/port.h"
#include <stddef.h>

/* Two cache lines apart, for the prefetcher: see APART in lib/lines.h. */
struct pair {
	struct histogram wait, hold_time;
} __attribute__((aligned(2 * CACHE_LINE)));

static struct pair *pairs; /* NULL: latency=off */
static struct pair merged;

void latency_prepare(bool on, uint32_t threads)
{
	if (on)
		pairs = port_alloc(threads * sizeof(pairs[0]), _Alignof(struct pair));
}

void latency_set_up(struct worker *worker, uint32_t i)
{
	worker->wait = pairs ? &pairs[i].wait : NULL;
	worker->hold_time = pairs ? &pairs[i].hold_time : NULL;
}

void latency_collect(struct run_result *result)
{
	result->wait = NULL;
	result->hold_time = NULL;
	if (!pairs)
		return;
	histogram_reset(&merged.wait);
	histogram_reset(&merged.hold_time);
	for (uint32_t i = 0; i < result->threads; i++) {
		histogram_merge(&merged.wait, &pairs[i].wait);
		histogram_merge(&merged.hold_time, &pairs[i].hold_time);
	}
	result->wait = &merged.wait;
	result->hold_time = &merged.hold_time;
}
