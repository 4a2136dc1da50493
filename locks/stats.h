/* SPDX-License-Identifier: MIT */
/*
 * What a vCPU counts while it waits for locks: plain increments on its own cache lines, made in
 * cold paths and in the pv backend only. Names are those of the log records; where Linux has a
 * lock event for the same thing (kernel/locking/lock_events_list.h) the name is Linux's.
 */
#ifndef PVSPIN_LOCKS_STATS_H
#define PVSPIN_LOCKS_STATS_H

#include "pvspin/steal.h"
#include <stdatomic.h>
#include <stdint.h>

enum lock_event {
	EV_HALTS,            /* HLT executed in pv_wait */
	EV_KICKS,            /* KVM_HC_KICK_CPU issued */
	EV_SPURIOUS_WAKEUPS, /* HLT returned and the awaited word had not changed */
	EV_YIELDS,           /* KVM_HC_SCHED_YIELD issued */
	EV_LOCK_STEALS,      /* won at slow-path entry, queue or none (pv_lock_stealing) */
	EV_LHP_EVENTS,       /* descheduled while holding (own steal-time page) */
	EV_LHP_CYCLES,       /* ... and for how long */
	EV_LWP_EVENTS,       /* handed the lock while descheduled */
	EV_LWP_CYCLES,       /* ... and for how long off the CPU (upper bound of the loss) */
	EV_LHP_SAMPLES,      /* VEE'13: after 2^10 polls the lock was held */
	EV_LWP_SAMPLES,      /* VEE'13: after 2^10 polls the lock was free */
	EV_LHP_FLAGGED,      /* after 2^10 polls the holder's preempted byte was set */
	EV_WAITS,            /* waits of at least SPIN_ACCOUNT_POLLS polls, or interrupted */
	EV_WAIT_CYCLES,      /* their cycles, halts included */
	EV_HALT_CYCLES,      /* cycles between HLT and its return */
	EV_KICK_CYCLES,      /* cycles inside the kick hypercall (Linux: pv_latency_kick) */
	EV_LOCK_SLOWPATH,    /* entered a slow path; qspinlocks: queued, as in Linux */
	EV_LOCK_PENDING,     /* qspinlock: acquired through the pending bit */
	EV_LOCK_USE_NODE2,   /* qspinlock nesting levels */
	EV_LOCK_USE_NODE3,
	EV_LOCK_USE_NODE4,
	EV_LOCK_NO_NODE,
	EV_PV_HASH_HOPS,
	EV_PV_KICK_UNLOCK,    /* unlock found SLOW and kicked */
	EV_PV_WAIT_NODE,      /* halted as a queued waiter */
	EV_PV_WAIT_EARLY,     /* ... before the threshold, the predecessor not running */
	EV_PV_WAIT_HEAD,      /* halted as the head */
	EV_PV_WAIT_AGAIN,     /* ... not for the first time */
	EV_RELEASE_WAIT_LINK, /* MCS-like release waited for a successor to link itself */
	EV_COUNT
};

/* Names as in the records, indexed by enum lock_event. Defined in locks/stats.c. */
extern const char *const lock_event_names[EV_COUNT];

struct lock_stats {
	uint64_t count[EV_COUNT];
	uint64_t wait_max_cycles;       /* longest of EV_WAITS */
	const struct steal_area *steal; /* this vCPU's own; a zeroed one where there is none */
	/* CPU index + 1 of who is in the critical section, 0 nobody; NULL outside a run. */
	const _Atomic uint32_t *holder;
} __attribute__((aligned(64)));

static inline void lock_count(struct lock_stats *stats, enum lock_event event)
{
	stats->count[event]++;
}

#endif
