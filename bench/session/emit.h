/* SPDX-License-Identifier: MIT */
/* The records of a measurement: run, vcpu, hist, pingpong, speed, ready, overlap. Fields and units
 * are described in docs/serial-log.md. CPU 0, outside measured phases. */
#ifndef PVSPIN_BENCH_SESSION_EMIT_H
#define PVSPIN_BENCH_SESSION_EMIT_H

#include "bench/result.h"
#include "bench/session/pingpong.h"
#include "bench/speed.h"
#include <stdbool.h>
#include <stdint.h>

/* Writes one run record, one vcpu record per thread, two hist records with latency=on, and those of
 * the histograms that the lock keeps. */
void emit_run(const struct run_result *result);

/* `when`: "before" or "after" the set of runs with `threads` threads. */
void emit_pingpong(const struct pingpong *pingpong, const char *when, uint32_t threads);

/* `when` and `threads` as above: the speed of CPU 0. */
void emit_speed(const struct speed *speed, const char *when, uint32_t threads);

/* Says that the guest waits for a line `go`. `next` is the following run; NULL stands for the whole
 * plan or, with `last`, for none. */
void emit_ready(uint32_t run, uint32_t runs, const struct run_result *next, bool last);

/* Records how long the measured phases of `own` and of another VM overlapped. */
void emit_overlap(const struct run_result *own, uint64_t peer, uint64_t peer_start_ns,
		  uint64_t peer_end_ns);

#endif
