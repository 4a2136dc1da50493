/* SPDX-License-Identifier: MIT */
/*
 * One wait of a lock: how often it polled, for how long, and what held it up. A lock waits by
 *
 *	struct spin spin = spin_begin();
 *	while (!free)
 *		spin_poll(&spin);
 *	spin_end(&spin, SPIN_HANDED);
 *
 * A wait of several stages (queue, then head) ends all but the last with spin_stage. A waiter that
 * may halt does so with spin_halt; one that backs off calls spin_pause in place of spin_poll.
 *
 * spin_poll is a load of the vCPU's own steal-time page (a line that only the host writes), a
 * compare and a PAUSE. A wait reads the time at its first poll; it reads the time at its end only
 * if it polled SPIN_ACCOUNT_POLLS times or was interrupted, so a short hand-over is not delayed.
 */
#ifndef PVSPIN_LOCKS_CORE_SPIN_H
#define PVSPIN_LOCKS_CORE_SPIN_H

#include "locks/core/stats.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SPIN_ACCOUNT_POLLS 64   /* shorter waits (about 4,000 cycles) are not timed */
#define SPIN_SAMPLE_POLLS  1024 /* when to ask whether the holder runs: Ouyang & Lange, VEE'13 */

enum spin_outcome {
	SPIN_WON,    /* took a lock that anybody could have taken */
	SPIN_HANDED, /* the lock, or the headship of its queue, was waiting for this CPU alone */
};

struct spin {
	struct lock_stats *stats;
	uint64_t start;   /* TSC at the first poll */
	uint64_t steal;   /* own steal time at the last poll, ns */
	uint64_t polls;   /* with the PAUSEs of spin_pause; 64 bits: 2^32 are only minutes */
	uint32_t version; /* own steal-time version at the last poll */
	bool interrupted; /* descheduled or halted at least once */
};

/* Out of line, cold. */
void spin_first(struct spin *spin);  /* start of a wait */
void spin_sample(struct spin *spin); /* at SPIN_SAMPLE_POLLS */
void spin_interrupted(struct spin *spin, enum spin_outcome outcome);
void spin_account(struct spin *spin);

/* spin_poll with up to `pauses` >= 1 PAUSEs, for a waiter that does not want to look again at once.
 * Ends early when the vCPU was descheduled. That was pause enough; besides, the next look must come
 * before another deschedule, or spin_end could not tell which of the two delayed the grant. */
void spin_pause(struct spin *spin, uint32_t pauses);

/* pv_wait as a part of this wait, perhaps its first. A vCPU that is off its CPU by its own wish is
 * not preempted, so a halt is never counted as LWP; its time belongs to the wait. */
void spin_halt(struct spin *spin, const _Atomic uint8_t *word, uint8_t seen);

/* Call before and after a holder or releaser waits for a successor that has joined the queue but
 * not linked itself. That holds up everybody but is no wait for the lock, so it has a counter of
 * its own. */
uint64_t spin_link_begin(void);
void spin_link_end(uint64_t begin);

static inline struct spin spin_begin(void)
{
	return (struct spin){.polls = 0};
}

static inline bool spin_version_changed(const struct spin *spin)
{
	return atomic_load_explicit(&spin->stats->steal->version, memory_order_relaxed) !=
	       spin->version;
}

/* Limits `most` polls so that the sample is taken at its poll. */
static inline uint64_t spin_most(const struct spin *spin, uint64_t most)
{
	uint64_t to_sample = SPIN_SAMPLE_POLLS - spin->polls;

	return spin->polls < SPIN_SAMPLE_POLLS && to_sample < most ? to_sample : most;
}

/* spin_poll for a loop that counts its polls and does something else after `most` of them. Returns
 * how many it made: 1, or more where CPUs are simulated (port_poll). */
static inline uint64_t spin_polls(struct spin *spin, uint64_t most)
{
	uint64_t polls;

	if (spin->polls == 0)
		spin_first(spin);
	else if (__builtin_expect(spin_version_changed(spin), 0))
		spin_interrupted(spin, SPIN_WON);
	polls = port_poll(spin_most(spin, most));
	spin->polls += polls;
	if (spin->polls == SPIN_SAMPLE_POLLS)
		spin_sample(spin);
	return polls;
}

/* Call after an unsuccessful look at the lock. Checks the version before the PAUSE, where nearly
 * all the time goes: a deschedule there must show in spin_end if the next look succeeds. */
static inline void spin_poll(struct spin *spin)
{
	spin_polls(spin, 1);
}

/* spin_poll for a loop that counts nothing: where CPUs are simulated, one call may poll until
 * somebody else does something. */
static inline void spin_poll_on(struct spin *spin)
{
	spin_polls(spin, UINT64_MAX);
}

/* Returns, for spin_polls(), how many polls it takes until their counter, now `count`, has
 * count & mask == 0; 1 if the mask is not 2^n - 1. */
static inline uint64_t spin_polls_to_look(uint64_t count, uint64_t mask)
{
	return mask & (mask + 1) ? 1 : mask + 1 - (count & mask);
}

/* Ends a stage of the wait. With SPIN_HANDED, a deschedule since the last unsuccessful look means
 * that the grant came while this vCPU could not run: lock waiter preemption. */
static inline void spin_stage(struct spin *spin, enum spin_outcome outcome)
{
	if (spin->polls != 0 && spin_version_changed(spin))
		spin_interrupted(spin, outcome);
}

/* Ends the wait. Call with the lock, before anything else: time that the host steals from here on
 * is stolen from the holder. */
static inline void spin_end(struct spin *spin, enum spin_outcome outcome)
{
	if (spin->polls == 0)
		return;
	spin_stage(spin, outcome);
	spin->stats->grant_version = spin->version;
	spin->stats->grant_steal_ns = spin->steal;
	spin->stats->waited = true;
	atomic_store_explicit(&spin->stats->waits_since, 0, memory_order_relaxed);
	if (spin->polls >= SPIN_ACCOUNT_POLLS || spin->interrupted)
		spin_account(spin);
}

#endif
