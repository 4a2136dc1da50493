/* SPDX-License-Identifier: MIT */
/*
 * The waiting seam: a lock decides whom to wake and when it may sleep, the backend decides how.
 * Backends: kvm (HLT, KVM_HC_KICK_CPU), none (no PV_UNHALT: a masked HLT would never end, so
 * nothing halts), hosted (futex, sched_yield). Directed yields (KVM_HC_SCHED_YIELD) and the
 * preempted flags of the steal-time pages are KVM features of their own; kvm and none use them
 * where they are offered. With Hyper-V's hypercalls in place of KVM's (hyperv) there are neither
 * kicks nor directed yields, but notices of long spins. A backend counts what it does in the
 * calling CPU's lock_stats.
 */
#ifndef PVSPIN_LOCKS_CORE_PV_H
#define PVSPIN_LOCKS_CORE_PV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pv_backend {
	const char *name;         /* "kvm", "none", "hyperv", "hosted", "sim" */
	bool halts;               /* whether wait() can sleep */
	bool yields;              /* whether yield_to() reaches the host */
	uint32_t long_spin_polls; /* how many polls are a long spin to the host; 0: long_spin() does
				   * not reach it */
	void (*wait)(const _Atomic uint8_t *word, uint8_t seen);
	void (*kick)(uint32_t cpu);
	void (*yield_to)(uint32_t cpu);
	void (*long_spin)(uint32_t polls);
	bool (*preempted)(uint32_t cpu);
};

extern const struct pv_backend *pv_backend; /* set once, before the first run */

/*
 * Sleeps while *word == seen. May return for no reason: always call it in a loop.
 *
 * The caller has announced that it may sleep, with a full barrier between that store and this
 * call's read of *word. The waker writes *word, executes a full barrier, reads the announcement and
 * kicks. Then no wake-up is lost: either this call's look sees the new word or the waker sees the
 * announcement (Dekker), and KVM remembers a kick that comes before the HLT.
 */
static inline void pv_wait(const _Atomic uint8_t *word, uint8_t seen)
{
	pv_backend->wait(word, seen);
}

/* Makes CPU's current or next pv_wait return. */
static inline void pv_kick(uint32_t cpu)
{
	pv_backend->kick(cpu);
}

/* Gives the caller's time to CPU if the host agrees; a hint that may do nothing. */
static inline void pv_yield_to(uint32_t cpu)
{
	pv_backend->yield_to(cpu);
}

/* Of long_spin_polls. */
#define PV_USUAL_LONG_SPIN 0x1fff     /* what QEMU's documentation and libvirt's tell a guest */
#define PV_NEVER           UINT32_MAX /* of long_spin_polls: the host does not want to be told */

/* Tells the host that the caller waits for a vCPU that may be off its CPU, and has polled so often.
 * The host may give the caller's time to any vCPU; a hint that may do nothing. */
static inline void pv_long_spin(uint32_t polls)
{
	pv_backend->long_spin(polls);
}

/* Whether CPU is descheduled by the host. A hint; false where unknown. */
static inline bool pv_preempted(uint32_t cpu)
{
	return pv_backend->preempted(cpu);
}

#endif
