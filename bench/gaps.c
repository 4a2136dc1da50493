/* SPDX-License-Identifier: MIT */
/* See gaps.h. */
#include "bench/gaps.h"

static uint64_t within(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

void gaps_add_gap(struct gaps *gaps, const struct turn *turn, uint64_t from, uint64_t to,
		  const struct absences *absences)
{
	uint64_t begin = turn->freed > from ? turn->freed : from;
	uint64_t end = turn->granted < to ? turn->granted : to;
	uint64_t wanted, asked;
	struct away away;

	if (begin >= end) /* may happen if two vCPUs' TSCs differ a little */
		return;
	asked = within(turn->asked, begin, end);
	wanted = within(turn->wanted, begin, asked);
	away = absence_between(absences, asked, end);
	/* a halt and stolen time do not overlap, except by the clock's rounding */
	away.stolen = within(away.stolen, 0, end - asked);
	away.halted = within(away.halted, 0, end - asked - away.stolen);
	gaps->nobody += wanted - begin;
	gaps->passed += asked - wanted;
	gaps->stolen += away.stolen;
	gaps->halted += away.halted;
	gaps->running += end - asked - away.stolen - away.halted;
}

void gaps_add_hold(struct gaps *gaps, const struct hold *hold, uint64_t from, uint64_t to)
{
	uint64_t begin = hold->granted > from ? hold->granted : from;
	uint64_t end = hold->released < to ? hold->released : to;

	if (begin >= end)
		return;
	gaps->held += end - begin;
	gaps->held_stolen += within(hold->stolen, 0, end - begin);
}

void gaps_add(struct gaps *sum, const struct gaps *gaps)
{
	sum->held += gaps->held;
	sum->held_stolen += gaps->held_stolen;
	sum->nobody += gaps->nobody;
	sum->passed += gaps->passed;
	sum->stolen += gaps->stolen;
	sum->halted += gaps->halted;
	sum->running += gaps->running;
}
