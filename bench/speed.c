/* SPDX-License-Identifier: MIT */
/* See speed.h. A batch in which the host took the CPU is long, and does not affect the median. */
#include "bench/speed.h"

#include "bench/work.h"
#include "lib/arith.h"
#include "locks/core/tunables.h"
#include "port/port.h"

/* Few enough for Intel's pause-loop window of 4096 cycles at 140 cycles a PAUSE, and for AMD's
 * filter of 3000 PAUSEs (ple_window, pause_filter_count; Linux 6.12 arch/x86/kvm/x86.c): a batch
 * must not end in a VM exit. */
#define PAUSES 16
/* Ends the host's count of PAUSEs in a row (ple_gap, 128 cycles) between two batches. */
#define GAP_WORK 1000

/* A second at most: no bound is shorter. */
TUNABLE_ENTRY(pause_gap, "pause_gap", "contended,uncontended,kbuild", &port_pause_gap, 0, 0,
	      1000000);

static uint64_t pause_batch(uint32_t pauses)
{
	uint64_t start = port_cycles_ordered();

	for (uint32_t i = 0; i < pauses; i++)
		port_relax();
	return port_cycles_ordered() - start;
}

static uint64_t median_of_batches(uint32_t pauses)
{
	uint64_t batch[SPEED_BATCHES];

	for (uint32_t i = 0; i < SPEED_BATCHES; i++) {
		batch[i] = pause_batch(pauses);
		work(GAP_WORK);
	}
	sort_numbers(batch, SPEED_BATCHES);
	return batch[SPEED_BATCHES / 2];
}

static void measure(void *result)
{
	struct speed *speed = result;
	uint64_t with = median_of_batches(PAUSES), without = median_of_batches(0);
	uint64_t batch[SPEED_BATCHES];

	speed->pause_cycles = with > without ? (with - without + PAUSES / 2) / PAUSES : 0;
	if (speed->pause_cycles == 0)
		speed->pause_cycles = 1;
	for (uint32_t i = 0; i < SPEED_BATCHES; i++) {
		uint64_t start = port_cycles_ordered();

		work(SPEED_ITERATIONS);
		batch[i] = port_cycles_ordered() - start;
	}
	sort_numbers(batch, SPEED_BATCHES);
	speed->work_cycles = batch[SPEED_BATCHES / 2];
	speed->work_min_cycles = batch[0];
	speed->work_max_cycles = batch[SPEED_BATCHES - 1];
}

void speed_measure(struct speed *speed)
{
	port_run_on(1, measure, speed); /* simulated CPUs have time only in port_run_on() */
}

uint32_t speed_pauses(uint64_t us, uint64_t pause_cycles)
{
	uint64_t pauses = port_ns_to_cycles(us * 1000) / pause_cycles;

	return pauses == 0 ? 1 : pauses > UINT32_MAX ? UINT32_MAX : (uint32_t)pauses;
}
