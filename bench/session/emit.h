/* SPDX-License-Identifier: MIT */
/* The records of a measurement: run, vcpu, hist, pingpong, ready, overlap. Fields and units are
 * described in docs/serial-log.md. CPU 0, outside measured phases. */
#ifndef PVSPIN_BENCH_SESSION_EMIT_H
#define PVSPIN_BENCH_SESSION_EMIT_H

#include "bench/result.h"
#include "bench/session/pingpong.h"
#include <stdbool.h>
#include <stdint.h>

/* One run record, one vcpu record a thread, with latency=on two hist records, and those of the
 * histograms that the lock keeps. */
void emit_run(const struct run_result *result);

/* `when`: "before" or "after" the set of runs with `threads` threads. */
void emit_pingpong(const struct pingpong *pingpong, const char *when, uint32_t threads);

/* The guest is held until a line `go`. `next`: the run that comes next, or NULL: the whole plan or,
 * with `last`, none. */
void emit_ready(uint32_t run, uint32_t runs, const struct run_result *next, bool last);

/* How long the measured phase of `own` and that of another VM went on at the same time. */
void emit_overlap(const struct run_result *own, uint64_t peer, uint64_t peer_start_ns,
		  uint64_t peer_end_ns);

#endif
