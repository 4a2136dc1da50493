/* SPDX-License-Identifier: MIT */
/* latency=on over a run: the histograms of all workers, each on cache lines of its own, and their
 * sums. Each worker fills its own (histogram.h). Call these on CPU 0, outside measured phases. */
#ifndef PVSPIN_BENCH_LATENCY_H
#define PVSPIN_BENCH_LATENCY_H

#include "bench/result.h"
#include "bench/worker.h"
#include <stdbool.h>
#include <stdint.h>

/* Allocates memory for `threads` workers, once. Without `on`, neither this nor the other functions
 * do anything. */
void latency_prepare(bool on, uint32_t threads);

/* Gives worker i its histograms; NULL without latency=on. */
void latency_set_up(struct worker *worker, uint32_t i);

/* After the run: sets result->wait, ->wait_net and ->hold_time over all workers, valid until the
 * next run; NULL without latency=on. */
void latency_collect(struct run_result *result);

#endif
