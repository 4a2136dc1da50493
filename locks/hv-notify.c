/* SPDX-License-Identifier: MIT */
/*
 * hv-notify: Hyper-V's way. ttas whose waiters tell the hypervisor, by the hypercall
 * HvCallNotifyLongSpinWait, that they have polled for long; CPUID recommends after how many polls.
 * The waiter does not say whom it waits for, and the hypervisor cannot know. KVM answers as to an
 * exit by PAUSE: it gives the caller's time to some vCPU that is off its CPU, in turn
 * (kvm_vcpu_on_spin). Never halts, no order among waiters.
 *
 * Needs a guest that has Hyper-V's hypercalls in use in place of KVM's (`hyperv`); otherwise the
 * lock is ttas.
 *
 * Preemption: preempting a waiter is harmless. A preempted holder gets its CPU back earlier if the
 * host's guess hits it, and if it takes the hint.
 *
 * Microsoft, Hypervisor Top-Level Functional Specification: HvCallNotifyLongSpinWait (0x0008) and
 * "Implementation Recommendations" (CPUID 0x40000004, EBX). Linux arch/x86/kvm/hyperv.c,
 * kvm_hv_hypercall. The lock itself is our own: the specification has only the call.
 */
#include "bench/register.h"
#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/tas_byte.h"

/* Polls before each notice; 0: what the hypervisor recommends. */
TUNABLE(hv_notify_spins, "hv-notify", 0, 0, UINT32_MAX);

/* PV_NEVER: nobody to tell. */
static uint32_t patience(void)
{
	uint32_t recommended = pv_backend->long_spin_polls;

	if (recommended == 0)
		return PV_NEVER;
	return hv_notify_spins ? hv_notify_spins : recommended;
}

static inline bool hv_try_acquire(void *state, void *node)
{
	(void)node;
	/* a look first: a swap bound to fail would take the line from the holder */
	return tas_byte_free(state) && tas_byte_swap(state);
}

/* The number is how often this wait has polled in all; the hypercall has 32 bits for it. */
static void notify(const struct spin *spin)
{
	pv_long_spin(spin->polls < UINT32_MAX ? (uint32_t)spin->polls : UINT32_MAX);
}

static __attribute__((noinline)) void hv_slow(struct tas_byte *lock)
{
	struct spin spin = spin_begin();
	uint32_t most = patience(), left = most;

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	do {
		left -= (uint32_t)spin_polls(&spin, left);
		if (left == 0 && most != PV_NEVER)
			notify(&spin);
		if (left == 0)
			left = most;
	} while (!hv_try_acquire(lock, NULL));
	spin_end(&spin, SPIN_WON);
}

static inline void hv_acquire(void *state, void *node)
{
	(void)node;
	if (__builtin_expect(!tas_byte_swap(state), 0))
		hv_slow(state);
}

static inline void hv_release(void *state, void *node)
{
	(void)node;
	tas_byte_release(state);
}

static const struct lock_ops hv_notify_ops = {
	.name = "hv-notify",
	.cite = "Microsoft TLFS, HvCallNotifyLongSpinWait",
	.flags = LOCK_RESTORES | LOCK_LONG_SPIN,
	.state_size = CACHE_LINE,
	.node_size = 0,
	.init = tas_byte_init,
	.acquire = hv_acquire,
	.try_acquire = hv_try_acquire,
	.release = hv_release,
	.describe = tas_byte_describe,
};

LOCK_REGISTER(hv_notify_ops);
