/* SPDX-License-Identifier: MIT */
/*
 * dispatch=indirect: the measured loop of a caller that has only a `struct lock_ops *`: a load and
 * an indirect call per operation. (The instances in each lock's own file are inlined.)
 */
#include "bench/loop.h"
#include "bench/worker.h"

void measure_indirect_plain(struct worker *worker)
{
	measured_loop(worker->lock_ops, worker, false, false);
}

void measure_indirect_latency(struct worker *worker)
{
	measured_loop(worker->lock_ops, worker, true, false);
}

void measure_indirect_traced(struct worker *worker)
{
	measured_loop(worker->lock_ops, worker, worker->wait != NULL, true);
}
