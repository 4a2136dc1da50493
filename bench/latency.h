/* SPDX-License-Identifier: MIT */
/* latency=on over a run: the histograms of all workers, each on lines of its own, and what they
 * add up to. On CPU 0, outside measured phases; workers fill their own (histogram.h). */
#ifndef PVSPIN_BENCH_LATENCY_H
#define PVSPIN_BENCH_LATENCY_H

#include "bench/result.h"
#include "bench/worker.h"
#include <stdbool.h>
#include <stdint.h>

/* Memory for `threads` workers, once. Without `on` there is none, and the others do nothing. */
void latency_prepare(bool on, uint32_t threads);

/* Gives worker i its two; NULL without latency=on. */
void latency_set_up(struct worker *worker, uint32_t i);

/* After the run: result->wait and ->hold_time over all workers, until the next run; else NULL. */
void latency_collect(struct run_result *result);

#endif
