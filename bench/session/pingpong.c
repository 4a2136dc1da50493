/* SPDX-License-Identifier: MIT */
/*
 * Cache-line ping-pong: see pingpong.h. CPU 0 stores odd numbers, its partner answers each with the
 * next even one. A batch in which one of them was descheduled is long; a few such batches do not
 * affect the median of 15. If the two never run at once, every trip takes a scheduling round, and
 * the bound ends the measurement.
 */
#include "bench/session/pingpong.h"

#include "lib/arith.h"
#include "port/port.h"
#include <stdatomic.h>

#define EAGER_POLLS 1000 /* without PAUSE, whose 65 to 140 cycles would be the resolution */
#define CLOCK_POLLS 256  /* between looks at the time */
#define MIN_BATCHES 3

static struct {
	_Alignas(2 * CACHE_LINE) _Atomic uint32_t ball;
	_Alignas(2 * CACHE_LINE) _Atomic bool over;
	uint32_t partner;
	uint64_t start, bound; /* TSC cycles */
	uint64_t batch[PINGPONG_BATCHES];
	uint32_t batches;
} game;

/* Waits for the ball to reach `value`. False if the game is over, or ends now because of the bound.
 */
static bool await(uint32_t value)
{
	for (uint32_t polls = 1;; polls++) {
		if (atomic_load_explicit(&game.ball, memory_order_relaxed) == value)
			return true;
		if (polls % CLOCK_POLLS == 0) {
			if (atomic_load_explicit(&game.over, memory_order_relaxed))
				return false;
			if (port_cycles() - game.start > game.bound) {
				atomic_store_explicit(&game.over, true, memory_order_relaxed);
				return false;
			}
		}
		if (polls > EAGER_POLLS)
			port_relax();
	}
}

static void serve(void)
{
	uint32_t ball = 0;

	/* wait for the partner's first even number */
	atomic_store_explicit(&game.ball, ++ball, memory_order_relaxed);
	if (!await(++ball))
		return;
	while (game.batches < PINGPONG_BATCHES) {
		uint64_t start = port_cycles();

		for (int i = 0; i < PINGPONG_ROUND_TRIPS; i++) {
			atomic_store_explicit(&game.ball, ++ball, memory_order_relaxed);
			if (!await(++ball))
				return;
		}
		game.batch[game.batches++] = (port_cycles() - start) / (2 * PINGPONG_ROUND_TRIPS);
	}
	atomic_store_explicit(&game.over, true, memory_order_relaxed);
}

static void answer(void)
{
	for (uint32_t ball = 1; await(ball); ball += 2)
		atomic_store_explicit(&game.ball, ball + 1, memory_order_relaxed);
}

static void play(void *unused)
{
	uint32_t cpu = port_cpu();

	(void)unused;
	if (cpu == 0)
		serve();
	else if (cpu == game.partner)
		answer();
}

void pingpong_measure(uint32_t partner, struct pingpong *result)
{
	atomic_store_explicit(&game.ball, 0, memory_order_relaxed);
	atomic_store_explicit(&game.over, false, memory_order_relaxed);
	game.partner = partner;
	game.batches = 0;
	game.start = port_cycles();
	game.bound = port_ns_to_cycles(PINGPONG_BOUND_NS);
	port_run_on(partner + 1, play, NULL);

	*result = (struct pingpong){.partner = partner, .batches = game.batches};
	result->gave_up = game.batches < MIN_BATCHES;
	if (result->gave_up)
		return;
	sort_numbers(game.batch, game.batches);
	result->median_cycles = game.batch[game.batches / 2];
	result->min_cycles = game.batch[0];
	result->max_cycles = game.batch[game.batches - 1];
}
