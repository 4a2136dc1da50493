/* SPDX-License-Identifier: MIT */
/*
 * What a vCPU counts while it waits for locks: plain increments on its own cache lines, made in
 * cold paths and in the pv backend only. Names are those of the log records; where Linux has a
 * lock event for the same thing (kernel/locking/lock_events_list.h) the name is Linux's.
 */
#ifndef PVSPIN_LOCKS_CORE_STATS_H
#define PVSPIN_LOCKS_CORE_STATS_H

#include "lib/lines.h"
#include "lib/steal.h"
#include "locks/core/absence.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lock_event {
	EV_HALTS,            /* HLT executed in pv_wait */
	EV_KICKS,            /* KVM_HC_KICK_CPU issued */
	EV_SPURIOUS_WAKEUPS, /* HLT returned and the awaited word had not changed */
	EV_YIELDS,           /* KVM_HC_SCHED_YIELD, HvCallNotifyLongSpinWait issued */
	EV_LOCK_STEALS,      /* won at slow-path entry, queue or none (pv_lock_stealing) */
	EV_LHP_EVENTS,       /* descheduled while holding (own steal-time page) */
	EV_LHP_CYCLES,       /* ... and for how long */
	EV_LHP_WAITS,        /* waits of other vCPUs for that lock when it was back */
	EV_LHP_WAIT_CYCLES,  /* ... and how much of that time they had waited */
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
	EV_PV_WAIT_EARLY,     /* ... before the threshold: the predecessor had stopped polling */
	EV_PV_WAIT_HEAD,      /* halted as the head */
	EV_PV_WAIT_AGAIN,     /* ... not for the first time */
	EV_RELEASE_WAIT_LINK, /* release or promotion waited for a successor to link itself */
	EV_LINK_WAIT_CYCLES,  /* ... and for how long */
	EV_PV_KICK_WAKE,      /* HLT returned after a kick */
	EV_PV_LATENCY_WAKE,   /* cycles from the kick to that return, summed */
	/* pv ticket locks; Linux 3.12 to 4.7, arch/x86/kernel/kvm.c */
	EV_TAKEN_SLOW,           /* entered the halting path */
	EV_TAKEN_SLOW_PICKUP,    /* ... and found at the second look that its turn had come */
	EV_RELEASED_SLOW,        /* unlock found the slow-path flag */
	EV_RELEASED_SLOW_KICKED, /* ... and a waiter to kick */
	EV_OTICKET_KICK_AHEAD,   /* oticket: kicks beyond the next ticket */
	EV_OTICKET_NEAR,         /* oticket: waits with a raised threshold */
	EV_DEADLINE_GRANTS,      /* preemptable-ticket: left the ticket order by its deadline */
	EV_ISPIN_INCAPABLE,      /* i-spinlock: too little of the slice left to queue */
	EV_ISPIN_BURNT_CYCLES,   /* i-spinlock: time spent waiting for the next slice */
	EV_BACKOFF_PAUSES,       /* PAUSEs executed in backing off */
	EV_NUMA_SORTED,          /* cna: waiters set aside; shfllock: waiters moved forward */
	EV_NUMA_FLUSHED,         /* cna: secondary queues given back; shfllock: shuffles */
	EV_WAITER_SKIPPED,       /* paq: passed over by the front; mcs-tp: marked failed */
	EV_WAITER_RETRIED,       /* mcs-tp, flexguard: queued again */
	EV_MUST_QUEUE,           /* ppc-qspinlock: the head forbade stealing */
	EV_YIELD_OWNER,          /* directed yields, by the vCPU that they were meant for */
	EV_YIELD_HEAD,
	EV_YIELD_PREV,
	EV_LONG_SPINS,    /* of EV_YIELDS: those to any vCPU, after a long spin */
	EV_QUEUE_PASSED,  /* of EV_LOCK_STEALS: those with others in the queue or in line */
	EV_QUEUED_STEALS, /* unfair-queued: acquired from inside the queue */
	EV_COUNT
};

/* Names as in the records, indexed by enum lock_event. Defined in locks/core/stats.c. */
extern const char *const lock_event_names[EV_COUNT];

struct trace_ring;

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): the padding keeps kicked_at apart */
struct lock_stats {
	uint64_t count[EV_COUNT];
	uint64_t wait_max_cycles;       /* longest of EV_WAITS */
	uint64_t lhp_max_cycles;        /* longest of EV_LHP_EVENTS */
	const struct steal_area *steal; /* this vCPU's own; a zeroed one where there is none */
	/* CPU index + 1 of the vCPU in the critical section, 0: nobody. NULL outside a run. Others
	 * compare the pointer to find the waiters for the same lock. */
	const _Atomic uint32_t *_Atomic holder;
	_Atomic uint64_t waits_since; /* TSC at the first poll of the wait under way; 0: none */
	/* Written by spin_end at the grant that ended the latest wait. `waited`: there was a wait
	 * since it was last cleared. */
	uint64_t grant_steal_ns;
	uint32_t grant_version;
	bool waited;
	struct absences absences;
	uint64_t slice_quantile; /* of this vCPU's time slices, over all runs of a boot; 0: none yet
				  */
	struct trace_ring *trace; /* trace=N: where this vCPU's events go (trace.h); NULL: off */
	_Atomic bool halted;      /* in HLT by pv_wait; for reports, nothing may depend on it */
	/* TSC of the last kick, written by its sender; 0: none since the vCPU woke. On lines of its
	 * own: otherwise the sender's store would wait for lines that the waiter's counters write,
	 * and kick_cycles would include that. */
	_Alignas(APART) _Atomic uint64_t kicked_at;
};

_Static_assert(offsetof(struct lock_stats, kicked_at) / APART >
		       offsetof(struct lock_stats, halted) / APART,
	       "others write kicked_at");
_Static_assert(sizeof(struct lock_stats) % APART == 0, "vCPUs' counters are apart");

static inline void lock_count(struct lock_stats *stats, enum lock_event event)
{
	stats->count[event]++;
}

/* Call after taking the lock at the slow path's entry. `queue`: past a waiter in order. */
static inline void lock_count_steal(struct lock_stats *stats, bool queue)
{
	lock_count(stats, EV_LOCK_STEALS);
	if (queue)
		lock_count(stats, EV_QUEUE_PASSED);
}

#endif
