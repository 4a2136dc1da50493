/* SPDX-License-Identifier: MIT */
/*
 * More threads than CPUs on one lock, with empty sections and no work outside. A sampler, which is
 * the port's timer thread and takes no lock, reads all counters at the start of a fixed window,
 * every SAMPLE_MS during it, and at its end. Only acquisitions in the window count; waits that are
 * still going on at its end count up to there. The measured loop never reads a clock.
 */
#include "bench/peers/peer.h"
#include "lib/arith.h"
#include "lib/units.h"
#include "port/port.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_MS 4u
#define SETTLE_MS 50 /* before the window, for all threads to begin */

static struct {
	struct shared shared;
	struct contender *contenders;
	void (*contend)(struct contender *contender);
	uint32_t threads;
	uint64_t window_ns;
	/* for the sampler */
	bool open; /* the window has begun */
	uint64_t *at_start, *last,
		*changed;    /* each thread's counter, and when it was seen to move */
	uint64_t begin, end; /* TSC */
	uint64_t longest;    /* TSC */
} run;

/* One cell of the table. */
struct cell {
	double rate; /* sections per second */
	double jain;
	double longest_ms;
	bool excluded;
};

static uint64_t sections_of(size_t i)
{
	return atomic_load_explicit(&run.contenders[i].sections, memory_order_relaxed);
}

static uint64_t in_window(size_t i, const void *unused)
{
	(void)unused;
	return run.last[i] - run.at_start[i];
}

/* A thread's wait ends when its counter moves, to the accuracy of a sample; its last wait ends with
 * the window.
 */
static void look(uint64_t now, bool last)
{
	for (uint32_t i = 0; i < run.threads; i++) {
		uint64_t sections = sections_of(i);

		if (sections != run.last[i] || last) {
			uint64_t gap = now - run.changed[i];

			run.longest = gap > run.longest ? gap : run.longest;
			run.changed[i] = now;
		}
		run.last[i] = sections;
	}
}

static void sample(void *unused)
{
	uint64_t now = port_cycles();

	if (!run.open) {
		run.open = true;
		run.begin = now;
		for (uint32_t i = 0; i < run.threads; i++) {
			run.at_start[i] = run.last[i] = sections_of(i);
			run.changed[i] = now;
		}
	} else if (port_cycles_to_ns(now - run.begin) >= run.window_ns) {
		look(now, true);
		run.end = now;
		atomic_store_explicit(&run.shared.stop, true, memory_order_relaxed);
		return;
	} else {
		look(now, false);
	}
	port_timer_start(SAMPLE_MS * NS_PER_MS, sample, unused);
}

static void contend(void *unused)
{
	(void)unused;
	run.contend(&run.contenders[port_cpu()]);
}

static struct cell measure(const struct peer *peer, const struct instance *instance,
			   uint32_t threads, uint32_t window_ms)
{
	struct cell cell;
	uint64_t all = 0, measured = 0;

	memset(&run.shared, 0, sizeof(run.shared));
	run.contend = peer->contend;
	run.threads = threads;
	run.window_ns = window_ms * NS_PER_MS;
	run.open = false;
	run.longest = 0;
	for (uint32_t i = 0; i < threads; i++)
		run.contenders[i] = (struct contender){
			.lock = instance->lock,
			.node = instance->nodes + i * instance->stride,
			.shared = &run.shared,
		};
	port_timer_start(SETTLE_MS * NS_PER_MS, sample, NULL);
	port_run_on(threads, contend, NULL);
	port_timer_cancel();
	for (uint32_t i = 0; i < threads; i++) {
		all += sections_of(i);
		measured += in_window(i, NULL);
	}
	cell.rate = (double)measured * 1e9 / (double)port_cycles_to_ns(run.end - run.begin);
	cell.jain = (double)jain_permille(threads, in_window, NULL) / 1000;
	cell.longest_ms = (double)port_cycles_to_ns(run.longest) / 1e6;
	cell.excluded = all == run.shared.first &&
			all == atomic_load_explicit(&run.shared.second, memory_order_relaxed);
	return cell;
}

static int by_rate(const void *a, const void *b)
{
	double x = ((const struct cell *)a)->rate, y = ((const struct cell *)b)->rate;

	return (x > y) - (x < y);
}

/* The median round by rate, and the rates' range. */
static bool print_cell(struct cell *cells, uint32_t rounds, uint32_t threads, double ceiling)
{
	bool excluded = true;
	const struct cell *median = &cells[rounds / 2];

	for (uint32_t r = 0; r < rounds; r++)
		excluded = excluded && cells[r].excluded;
	qsort(cells, rounds, sizeof(*cells), by_rate);
	printf("  %7u  %12.0f (%.0f..%.0f)", threads, median->rate, cells[0].rate,
	       cells[rounds - 1].rate);
	if (threads > 1)
		printf("  %.2g of one thread's, Jain %.3f, longest wait %.0f ms",
		       median->rate / ceiling, median->jain, median->longest_ms);
	printf("%s\n", excluded ? "" : "  DID NOT EXCLUDE");
	return excluded;
}

bool overcommit_table(uint32_t rounds, uint32_t window_ms, const uint32_t *threads, size_t counts)
{
	uint32_t most = port_cpu_count();
	/* rounds x peers x thread counts, those being 1 and the given ones */
	size_t peers = peer_count(), columns = counts + 1;
	struct cell *cells = calloc(peers * columns * rounds, sizeof(*cells));
	struct instance *instances = calloc(peers, sizeof(*instances));
	bool excluded = true;

	run.contenders = port_alloc(most * sizeof(*run.contenders), APART);
	run.at_start = calloc(most, sizeof(uint64_t));
	run.last = calloc(most, sizeof(uint64_t));
	run.changed = calloc(most, sizeof(uint64_t));
	for (size_t p = 0; p < peers; p++)
		instances[p] = peer_instance(peer_at(p), most);
	for (uint32_t r = 0; r < rounds; r++)
		for (size_t c = 0; c < columns; c++)
			for (size_t p = 0; p < peers; p++) {
				progress("more threads than CPUs", (r * columns + c) * peers + p,
					 rounds * columns * peers);
				if (!(peer_at(p)->ops->flags & LOCK_NO_EXCLUSION))
					cells[(p * columns + c) * rounds + r] =
						measure(peer_at(p), &instances[p],
							c == 0 ? 1 : threads[c - 1], window_ms);
			}
	progress("more threads than CPUs", 1, 1);
	printf("\nThreads on 2 CPUs, empty section, no work outside: sections a second, median "
	       "(min..max) of %u round%s\nof %u ms; Jain's index and the longest wait of the "
	       "median "
	       "round, the latter to within %u ms.\n",
	       rounds, rounds == 1 ? "" : "s", window_ms, 2 * SAMPLE_MS);
	for (size_t p = 0; p < peers; p++) {
		double ceiling = 0;

		if (peer_at(p)->ops->flags & LOCK_NO_EXCLUSION)
			continue;
		printf("\n%s%s\n", peer_at(p)->ops->name,
		       peer_at(p)->ops->flags & LOCK_PV ? " (halts and kicks by futex)" : "");
		for (size_t c = 0; c < columns; c++) {
			struct cell *of = &cells[(p * columns + c) * rounds];

			excluded &= print_cell(of, rounds, c == 0 ? 1 : threads[c - 1],
					       c == 0 ? 1 : ceiling);
			if (c == 0)
				ceiling = of[rounds / 2].rate;
		}
	}
	free(cells);
	free(instances);
	return excluded;
}
