/* SPDX-License-Identifier: MIT */
/* See latency.h. */
#include "bench/latency.h"

#include "lib/histogram.h"
#include "port/port.h"
#include <stddef.h>

/* Two cache lines apart, for the prefetcher: see APART in lib/lines.h. */
struct timings {
	struct histogram wait, wait_net, hold_time;
} __attribute__((aligned(2 * CACHE_LINE)));

static struct timings *timings; /* NULL: latency=off */
static struct timings merged;

void latency_prepare(bool on, uint32_t threads)
{
	if (on)
		timings = port_alloc(threads * sizeof(timings[0]), _Alignof(struct timings));
}

void latency_set_up(struct worker *worker, uint32_t i)
{
	worker->wait = timings ? &timings[i].wait : NULL;
	worker->wait_net = timings ? &timings[i].wait_net : NULL;
	worker->hold_time = timings ? &timings[i].hold_time : NULL;
}

void latency_collect(struct run_result *result)
{
	result->wait = NULL;
	result->wait_net = NULL;
	result->hold_time = NULL;
	if (!timings)
		return;
	histogram_reset(&merged.wait);
	histogram_reset(&merged.wait_net);
	histogram_reset(&merged.hold_time);
	for (uint32_t i = 0; i < result->threads; i++) {
		histogram_merge(&merged.wait, &timings[i].wait);
		histogram_merge(&merged.wait_net, &timings[i].wait_net);
		histogram_merge(&merged.hold_time, &timings[i].hold_time);
	}
	result->wait = &merged.wait;
	result->wait_net = &merged.wait_net;
	result->hold_time = &merged.hold_time;
}
