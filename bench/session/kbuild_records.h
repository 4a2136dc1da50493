/* SPDX-License-Identifier: MIT */
/* The fields and records that workload=kbuild adds to the log: docs/serial-log.md. */
#ifndef PVSPIN_BENCH_SESSION_KBUILD_RECORDS_H
#define PVSPIN_BENCH_SESSION_KBUILD_RECORDS_H

#include "bench/result.h"
#include "lib/record.h"

/* Adds kbuild's fields to the run record. result->kbuild is not NULL, here and below. */
void kbuild_put(struct record *record, const struct run_result *result);

/* Writes a `class` record for each class of locks. */
void kbuild_emit_classes(const struct run_result *result);

/* Returns the class of a lock by its number in the trace, for trace_emit(). */
const char *kbuild_class_of(uint32_t lock_id);

#endif
