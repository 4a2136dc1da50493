/* SPDX-License-Identifier: MIT */
/* Every lock's file instantiates the measured loop. This client never runs it, so the functions of
 * bench/ that it calls are needed for the linker only. */
#include "bench/worker.h"
#include <stdlib.h>

bool worker_next_phase(struct worker *worker, uint32_t phase)
{
	(void)worker;
	(void)phase;
	abort();
}

void worker_holder_preempted(struct worker *worker, uint64_t steal_before_ns)
{
	(void)worker;
	(void)steal_before_ns;
	abort();
}

uint64_t worker_first_waiter(const struct worker *worker)
{
	(void)worker;
	abort();
}

void worker_add_turn(struct worker *worker, uint64_t released)
{
	(void)worker;
	(void)released;
	abort();
}
