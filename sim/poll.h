/* SPDX-License-Identifier: MIT */
/*
 * Polls taken many at once. A vCPU that polls does the same again and again until another CPU
 * writes one of the lines it looks at. So, once two polls were alike, its polls are not simulated
 * any more: it sleeps until such a line is written, an interrupt comes, or it has made as many
 * polls as the lock allows (port_poll()). Then it goes on at the poll that is under way at that
 * time, and learns how many polls it has made. The outcome is the same as if each poll had been
 * simulated.
 *
 * Two polls are alike if they loaded from the same lines at the same offsets in cycles, all loads
 * were hits, and they did nothing else.
 */
#ifndef PVSPIN_SIM_POLL_H
#define PVSPIN_SIM_POLL_H

#include <stdbool.h>
#include <stdint.h>

#define POLL_LOOKS 6
#define POLL_ALONE (UINT64_C(1) << 62) /* so many polls have no end */

struct vcpu;
struct line;

struct poll {
	uint32_t looks;
	bool pure; /* nothing but hits so far */
	bool asleep;
	uint64_t begin;  /* when this poll began: the clock after the last PAUSE */
	uint64_t length; /* cycles of the previous poll; 0: it did more than look */
	uint64_t mark;   /* which lines the previous poll looked at, and when */
	/* the sleep: polls of `period` cycles each from `start` on, `most` of them at most */
	uint64_t start, period, most;
	uint64_t gap;     /* of the period, what comes after its PAUSE */
	uint64_t skipped; /* how many it was, once it is over */
	struct {
		const struct line *line;
		uint32_t offset; /* from the start of the poll, cycles */
	} look[POLL_LOOKS];
};

/* Notes that the poll does something else than a load that hits. */
static inline void poll_spoil(struct poll *poll)
{
	poll->pure = false;
}

/* Notes a load that hits. */
static inline void poll_look(struct poll *poll, const struct line *line, uint64_t now)
{
	if (!poll->pure)
		return;
	if (poll->looks == POLL_LOOKS) {
		poll->pure = false;
		return;
	}
	poll->look[poll->looks].line = line;
	poll->look[poll->looks++].offset = (uint32_t)(now - poll->begin);
}

/* PAUSE, on the vCPU's fiber: see sim_pause(). */
uint64_t poll_pause(struct vcpu *vcpu, uint64_t most, uint64_t gap);

/* The line is written at `time`, before any look at that time: wakes the vCPU if it sleeps in polls
 * of it. */
void poll_written(struct vcpu *vcpu, const struct line *line, uint64_t time);

/* The line is about to be written at `time`. If the vCPU sleeps in polls of it since before then,
 * wakes it at the poll that is under way, and returns true. */
bool poll_behind(struct vcpu *vcpu, const struct line *line, uint64_t time);

/* An interrupt comes, or the sleep ends by itself: wakes the vCPU if it sleeps. */
void poll_stop(struct vcpu *vcpu, uint64_t time);

#endif
