/* SPDX-License-Identifier: MIT */
/*
 * A vCPU that polls does the same again and again until another CPU writes one of the lines it
 * looks at. So, once two polls were alike, it is not followed any further: it sleeps until such a
 * line is written, an interrupt comes, or the number of polls is reached up to which the lock has
 * said that it does nothing else (port_poll()). Then it goes on at the poll that is under way at
 * that time, and is told how many it has made: the same as if each had been followed.
 *
 * Alike are two polls that loaded from the same lines, all of them hits, at the same cycles, and
 * did nothing else.
 */
#ifndef PVSPIN_SIM_POLL_H
#define PVSPIN_SIM_POLL_H

#include <stdbool.h>
#include <stdint.h>

#define POLL_LOOKS 6
#define POLL_ALONE (UINT64_C(1) << 62) /* so many polls: for ever */

struct vcpu;
struct line;

struct poll {
	struct {
		const struct line *line;
		uint32_t offset; /* from the start of the poll, cycles */
	} look[POLL_LOOKS];
	uint32_t looks;
	bool pure;       /* nothing but hits so far */
	uint64_t begin;  /* of this poll: the clock behind the last PAUSE */
	uint64_t length; /* of the poll before, 0: it was not pure */
	uint64_t mark;   /* of the poll before: what it looked at */
	/* asleep */
	bool asleep;
	uint64_t start, period, most, skipped;
};

/* Something that is no hit. */
static inline void poll_spoil(struct poll *poll)
{
	poll->pure = false;
}

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

/* PAUSE, on the vCPU's fiber; see sim_pause(). */
uint64_t poll_pause(struct vcpu *vcpu, uint64_t most);

/* The line is written before all looks at `time` or later: wakes the vCPU if it sleeps and looks at
 * it. */
void poll_written(struct vcpu *vcpu, const struct line *line, uint64_t time);

/* The line is about to be written at `time`: if the vCPU sleeps and looks at it, it wakes at the
 * poll that is under way then, and true is returned. */
bool poll_behind(struct vcpu *vcpu, const struct line *line, uint64_t time);

/* An interrupt, or the end of the sleep: wakes it. */
void poll_stop(struct vcpu *vcpu, uint64_t time);

#endif
