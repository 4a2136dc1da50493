/* SPDX-License-Identifier: MIT */
/* KVM_HC_SCHED_YIELD: its result, and that it wakes nobody. tests=pv tests its effect on the host's
 * scheduling. Linux Documentation/virt/kvm/x86/hypercalls.rst (KVM_HC_SCHED_YIELD),
 * arch/x86/kvm/x86.c (kvm_sched_yield). */
#include "kernel/hypercall.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "tests/suites/abi/kick.h"

/* ABI-YIELD-01: the result is 0 for any APIC ID: of a vCPU, of the caller, unused, broadcast, or
 * with 64 bits. */
static void returns_0(struct test_result *result)
{
	uint64_t ids[] = {smp_cpu(machine.online - 1)->apic_id,
			  this_cpu()->apic_id,
			  0x1000,
			  0xff,
			  0xffffffff,
			  0xdeadbeef00000001ull,
			  ~0ull};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		int64_t got = hypercall(KVM_HC_SCHED_YIELD, ids[i], 0, 0, 0);

		if (got != 0)
			test_fail(result, "SCHED_YIELD to %#lx returned %ld, expected 0", ids[i],
				  got);
	}
}
ABI_CLAUSE(returns_0, "ABI-YIELD-01", "abi.yield.returns_0", ABI_MUST,
	   .features = KVM_FEATURE_PV_SCHED_YIELD);

/* ABI-YIELD-03 and ABI-KICK-35: SCHED_YIELD to a halted vCPU and POLL_IRQ wake nobody and deliver
 * no interrupt. */
static void call_others(struct scene *scene)
{
	(void)scene;
	hypercall(KVM_HC_SCHED_YIELD, scene_target_id(), 0, 0, 0);
	hypercall(KVM_HC_VAPIC_POLL_IRQ, 0, scene_target_id(), 0, 0);
}

static void wakes_nobody(struct test_result *result)
{
	uint64_t interrupts = kick_control(result, call_others, "on a SCHED_YIELD or POLL_IRQ");

	if (interrupts != 0)
		test_fail(result, "%lu interrupts were delivered", interrupts);
}
ABI_CLAUSE(wakes_nobody, "ABI-YIELD-03", "abi.yield.wakes_nobody", ABI_KVM, KICK_NEEDS);

static void kick_alone_wakes(struct test_result *result)
{
	wakes_nobody(result);
}
ABI_CLAUSE(kick_alone_wakes, "ABI-KICK-35", "abi.kick.yield_and_poll_wake_nobody", ABI_KVM,
	   KICK_NEEDS);

/* ABI-YIELD-04: if not offered and enforced, the call returns -KVM_ENOSYS. */
static void enforced(struct test_result *result)
{
	int64_t got = hypercall(KVM_HC_SCHED_YIELD, this_cpu()->apic_id, 0, 0, 0);

	if (got != -KVM_ENOSYS)
		test_fail(result, "SCHED_YIELD returned %ld, expected %d", got, -KVM_ENOSYS);
}
ABI_CLAUSE(enforced, "ABI-YIELD-04", "abi.yield.enforced_is_refused", ABI_KVM,
	   .hidden = KVM_FEATURE_PV_SCHED_YIELD, .conditions = ABI_ENFORCE);
