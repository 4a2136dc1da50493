/* SPDX-License-Identifier: MIT */
/*
 * Uncontended acquire and release: cycles per pair, back to back and SPACE cycles apart. Each round
 * goes through all peers, so that changes of the machine affect all of them. The best of BATCHES
 * counts in each round, because an interrupted batch tells nothing about the lock.
 */
#include "bench/peers/loops.h"
#include "bench/peers/peer.h"
#include "locks/qspinlock_word.h"
#include "port/port.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCHES 5
#define PAIRS   4000u

struct figures {
	double *round; /* cycles per pair, one value per round */
	double median, min, max;
};

struct row {
	const struct peer *peer;
	struct instance instance;
	struct figures close, spaced;
	int locked;
};

static double least_of(const struct row *row, void (*run)(void *, void *, uint32_t))
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < BATCHES; i++) {
		uint64_t begin = port_cycles(), took;

		run(row->instance.lock, row->instance.nodes, PAIRS);
		took = port_cycles() - begin;
		least = took < least ? took : least;
	}
	return (double)least / PAIRS;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void summarise(struct figures *figures, uint32_t rounds)
{
	qsort(figures->round, rounds, sizeof(double), ascending);
	figures->min = figures->round[0];
	figures->max = figures->round[rounds - 1];
	figures->median = (figures->round[(rounds - 1) / 2] + figures->round[rounds / 2]) / 2;
}

static const struct row *row_of(const struct row *rows, const char *name)
{
	for (size_t i = 0; i < peer_count(); i++)
		if (strcmp(rows[i].peer->ops->name, name) == 0)
			return &rows[i];
	return NULL;
}

/* Chooses the floor by the number of locked instructions. Of the locks with one, those with
 * qspinlock's word acquire it as a whole and release it by a store of one byte. */
static const char *floor_of(const struct row *row)
{
	if (row->locked >= 2)
		return "floor-two-rmws";
	if (row->locked == 1)
		return row->peer->ops->describe == q_describe ? "floor-cas-byte"
							      : "floor-rmw-store";
	return NULL;
}

/* Concurrency Kit's lock of the same kind or, if there is none, its CAS lock. */
static const char *counterpart(const struct row *row)
{
	const char *name = row->peer->ops->name;

	if (peer_is_floor(row->peer) || (row->peer->ops->flags & LOCK_NO_EXCLUSION))
		return NULL;
	if (strstr(name, "ticket"))
		return "ck-ticket";
	if (strstr(name, "mcs"))
		return "ck-mcs";
	if (strstr(name, "clh"))
		return "ck-clh";
	return strstr(name, "tas") || strstr(name, "fas") ? "ck-fas" : "ck-cas";
}

static void print_ratio(double value, double base, const char *name)
{
	if (name)
		printf("  %5.2f %-15s", value / base, name);
	else
		printf("  %5s %-15s", "-", "");
}

static void print_row(const struct row *rows, const struct row *row)
{
	const char *floor = peer_is_floor(row->peer) ? NULL : floor_of(row);
	const char *ck = counterpart(row);

	printf("%-22s %2d  %6.1f (%.1f..%.1f)%*s", row->peer->ops->name, row->locked,
	       row->close.median, row->close.min, row->close.max,
	       (int)(14 - snprintf(NULL, 0, "(%.1f..%.1f)", row->close.min, row->close.max)), "");
	print_ratio(row->close.median, floor ? row_of(rows, floor)->close.median : 1, floor);
	print_ratio(row->close.median, ck ? row_of(rows, ck)->close.median : 1, ck);
	printf("  %6.1f (%.1f..%.1f)", row->spaced.median, row->spaced.min, row->spaced.max);
	if (floor)
		printf(" %+.1f", row->spaced.median - row_of(rows, floor)->spaced.median);
	printf("\n");
}

void pairs_table(uint32_t rounds)
{
	size_t count = peer_count();
	struct row *rows = calloc(count, sizeof(*rows));

	for (size_t i = 0; i < count; i++) {
		struct row *row = &rows[i];

		row->peer = peer_at(i);
		row->instance = peer_instance(row->peer, port_cpu_count());
		row->close.round = calloc(rounds, sizeof(double));
		row->spaced.round = calloc(rounds, sizeof(double));
		row->locked = peer_locked_instructions(row->peer, &row->instance);
	}
	for (uint32_t r = 0; r < rounds; r++) {
		for (size_t i = 0; i < count; i++) {
			struct row *row = &rows[i];

			progress("pairs", r * count + i, rounds * count);
			row->close.round[r] = least_of(row, row->peer->pairs);
			row->spaced.round[r] = least_of(row, row->peer->spaced_pairs);
		}
	}
	progress("pairs", 1, 1);
	printf("\nUncontended acquire and release, TSC cycles a pair: median (min..max) of %u "
	       "round%s; ratios of medians.\n"
	       "RMW: locked instructions of a pair, counted; they decide which floor. Spaced: with "
	       "%u iterations of the work loop\nafter each pair and their time included; + what "
	       "that is above the floor, spaced likewise.\nA floor stores to what it has locked; a "
	       "ticket lock, which stores elsewhere, may be below it.\n\n",
	       rounds, rounds == 1 ? "" : "s", SPACE);
	printf("%-21s RMW  back to back           to its floor           to ck's                 "
	       "spaced\n",
	       "lock");
	for (size_t i = 0; i < count; i++) {
		summarise(&rows[i].close, rounds);
		summarise(&rows[i].spaced, rounds);
	}
	for (size_t i = 0; i < count; i++)
		print_row(rows, &rows[i]);
	for (size_t i = 0; i < count; i++) {
		free(rows[i].close.round);
		free(rows[i].spaced.round);
	}
	free(rows);
}
