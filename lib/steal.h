/* SPDX-License-Identifier: MIT */
/*
 * The steal-time area that KVM shares with each vCPU, and the "preempted" byte in it.
 * Layout: Linux Documentation/virt/kvm/x86/msr.rst, MSR_KVM_STEAL_TIME (0x4b564d03).
 *
 * The host writes a vCPU's area only while that vCPU is not running: `preempted` when it is
 * descheduled, `steal` and `version` (by 2) when it is scheduled in again. So a vCPU may read its
 * own `version` and `steal` plainly, and a change of `version` means "I was off the CPU since".
 * Another vCPU's `steal` needs the version protocol; its `preempted` byte is a hint at any time.
 */
#ifndef PVSPIN_LIB_STEAL_H
#define PVSPIN_LIB_STEAL_H

#include <stdatomic.h>
#include <stdint.h>

struct steal_area {
	_Atomic uint64_t steal;    /* ns: runnable but not running */
	_Atomic uint32_t version;  /* odd while the host writes */
	_Atomic uint32_t flags;    /* reserved by KVM, 0 */
	_Atomic uint8_t preempted; /* bit 0: descheduled while runnable */
	uint8_t pad[47];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct steal_area) == 64, "KVM writes 64 bytes");

/* Reads another vCPU's `steal`. `version` is odd only for an instant; the bound keeps a broken host
 * from hanging the guest. */
static inline uint64_t steal_read_other(const struct steal_area *area)
{
	uint32_t before, after;
	uint64_t steal;
	int tries = 1000;

	do {
		before = atomic_load_explicit(&area->version, memory_order_acquire);
		steal = atomic_load_explicit(&area->steal, memory_order_relaxed);
		/* keeps the load of steal before the second look at version */
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&area->version, memory_order_relaxed);
	} while ((before != after || before & 1) && --tries > 0);
	return steal;
}

#endif
