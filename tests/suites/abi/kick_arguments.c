/* SPDX-License-Identifier: MIT */
/*
 * KVM_HC_KICK_CPU's arguments, flags and APIC ID: which bits count, and the effect of an ID that no
 * vCPU has, and of the broadcast ID. Linux arch/x86/kvm/x86.c kvm_pv_kick_cpu_op,
 * arch/x86/kvm/lapic.c kvm_apic_is_broadcast_dest.
 */
#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/machine.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "tests/suites/abi/call.h"
#include "tests/suites/abi/kick.h"

#define GARBAGE 0xdeadbeef00000000ull

static void expect_0(struct scene *scene, int64_t got, const char *what)
{
	if (got != 0)
		test_fail(scene->result, "KICK_CPU with %s returned %ld, expected 0", what, got);
}

/* ABI-KICK-13: the flags have no effect. hypercalls.rst reserves them; KVM reads none. */
static void call_flags_1(struct scene *scene)
{
	expect_0(scene, hypercall(KVM_HC_KICK_CPU, 1, scene_target_id(), 0, 0), "flags 1");
}

static void call_flags_all(struct scene *scene)
{
	expect_0(scene, hypercall(KVM_HC_KICK_CPU, ~0ull, scene_target_id(), 0, 0), "flags ~0");
}

static void flags_are_ignored(struct test_result *result)
{
	kick_wakes_by(result, call_flags_1, "a kick with flags 1");
	kick_wakes_by(result, call_flags_all, "a kick with flags ~0");
}
ABI_CLAUSE(flags_are_ignored, "ABI-KICK-13", "abi.kick.flags_are_ignored", ABI_MUST, KICK_NEEDS);

/* ABI-KICK-14: the APIC ID is the second argument, not the first. */
static void call_swapped(struct scene *scene)
{
	/* In the ID's place an unused ID; 0 would set this CPU's latch. */
	expect_0(scene, hypercall(KVM_HC_KICK_CPU, scene_target_id(), ABI_UNUSED_ID, 0, 0),
		 "swapped arguments");
}

static void id_is_the_second(struct test_result *result)
{
	kick_control(result, call_swapped, "on a kick with its arguments swapped");
}
ABI_CLAUSE(id_is_the_second, "ABI-KICK-14", "abi.kick.apic_id_is_the_second_argument", ABI_MUST,
	   KICK_NEEDS);

/* ABI-KICK-15: only the low 32 bits of the ID count (an int in kvm_pv_kick_cpu_op). */
static void call_garbage_id(struct scene *scene)
{
	expect_0(scene, hypercall(KVM_HC_KICK_CPU, 0, GARBAGE | scene_target_id(), 0, 0),
		 "bits 63:32 of the ID set");
}

static void id_has_32_bits(struct test_result *result)
{
	kick_wakes_by(result, call_garbage_id, "a kick with bits 63:32 of the ID set");
}
ABI_CLAUSE(id_has_32_bits, "ABI-KICK-15", "abi.kick.apic_id_has_32_bits", ABI_KVM, KICK_NEEDS);

/* ABI-KICK-16: the third and fourth argument have no effect. */
static void call_more_arguments(struct scene *scene)
{
	expect_0(scene, hypercall(KVM_HC_KICK_CPU, 0, scene_target_id(), ~0ull, GARBAGE),
		 "a2 and a3 set");
}

static void others_are_ignored(struct test_result *result)
{
	kick_wakes_by(result, call_more_arguments, "a kick with a2 and a3 set");
}
ABI_CLAUSE(others_are_ignored, "ABI-KICK-16", "abi.kick.other_arguments_are_ignored", ABI_KVM,
	   KICK_NEEDS);

/* ABI-KICK-17: kicks to APIC IDs that no vCPU has return 0 and wake nobody. */
static void call_nobody(struct scene *scene)
{
	static const uint32_t ids[] = {0x77,       0xfe,       ABI_UNUSED_ID,
				       0x7fffffff, 0x80000000, 0xfffffffe};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		int64_t got = hypercall_kick_cpu(ids[i]);

		if (got != 0)
			test_fail(scene->result, "KICK_CPU of APIC ID %#x returned %ld", ids[i],
				  got);
	}
}

static void kick_of_nobody(struct test_result *result)
{
	kick_control(result, call_nobody, "on a kick of somebody else");
}
ABI_CLAUSE(kick_of_nobody, "ABI-KICK-17", "abi.kick.unknown_apic_id_wakes_nobody", ABI_MUST,
	   KICK_NEEDS);

/*
 * ABI-KICK-18 and 19: a broadcast wakes every vCPU and sets the caller's latch, too. Its ID is
 * 0xff, or 0xffffffff if the VMM has enabled the x2APIC API (KVM_CAP_X2APIC_API: QEMU does so for
 * more than 255 vCPUs or a remapping IOMMU).
 */
static uint32_t broadcast_id;

static void call_broadcast(struct scene *scene)
{
	expect_0(scene, hypercall_kick_cpu(broadcast_id), "a broadcast ID");
}

/* Returns whether a kick of `id` wakes the target, judged by a result of its own. */
static bool wakes_all(uint32_t id)
{
	struct test_result probe = {.verdict = VERDICT_OK};

	broadcast_id = id;
	kick_control(&probe, call_broadcast, "on a broadcast");
	kick_drain_all();
	return probe.verdict == VERDICT_FAIL;
}

static void one_is_the_broadcast(struct test_result *result)
{
	bool low = wakes_all(0xff), high = wakes_all(0xffffffff);

	test_info(result, "the broadcast ID is %s",
		  low && high ? "0xff and 0xffffffff"
		  : low       ? "0xff"
		  : high      ? "0xffffffff"
			      : "none");
	if (low == high)
		test_fail(result, "kicks of 0xff and of 0xffffffff %s wake the target",
			  low ? "both" : "never");
	else if (high && machine.possible_cpus <= 255)
		test_info(result, "though there are no more than 255 possible vCPUs");
}
ABI_CLAUSE(one_is_the_broadcast, "ABI-KICK-18", "abi.kick.one_id_is_the_broadcast", ABI_KVM,
	   KICK_NEEDS);

static bool has_high_ids(struct test_result *result)
{
	if (machine.cpus.cpu[machine.cpus.count - 1].apic_id > 255)
		return true;
	test_skip(result, "no vCPU has an APIC ID above 255");
	return false;
}

static void high_ids_move_the_broadcast(struct test_result *result)
{
	if (!has_high_ids(result))
		return;
	if (wakes_all(0xff))
		test_fail(result, "0xff is a broadcast although there are 32-bit IDs");
	if (!wakes_all(0xffffffff))
		test_fail(result, "0xffffffff is no broadcast although there are 32-bit IDs");
}
ABI_CLAUSE(high_ids_move_the_broadcast, "ABI-KICK-19", "abi.kick.broadcast_with_32_bit_ids",
	   ABI_KVM, KICK_NEEDS);

/* ABI-KICK-20: IDs above 255 are kicked like others. */
static void high_id_wakes(struct test_result *result)
{
	if (scene_target_id() <= 255) {
		test_skip(result, "CPU 1's APIC ID is not above 255");
		return;
	}
	kick_wakes_by(result, scene_kick_target, "a kick of an ID above 255");
}
ABI_CLAUSE(high_id_wakes, "ABI-KICK-20", "abi.kick.apic_id_above_255", ABI_KVM, KICK_NEEDS);

/* ABI-KICK-27: the result 0 does not tell whether anybody woke: it is the same for a halted, a
 * running and an absent vCPU. */
static void returns_0_always(struct test_result *result)
{
	uint32_t ids[] = {this_cpu()->apic_id, ABI_UNUSED_ID};

	kick_wakes_by(result, scene_kick_target, "a kick");
	for (size_t i = 0; i < 2; i++) {
		int64_t got = hypercall_kick_cpu(ids[i]);

		if (got != 0)
			test_fail(result, "KICK_CPU of %s returned %ld",
				  i == 0 ? "oneself" : "nobody", got);
	}
	scene_drain_self();
}
ABI_CLAUSE(returns_0_always, "ABI-KICK-27", "abi.kick.returns_0_whoever_woke", ABI_KVM, KICK_NEEDS);

/* ABI-KICK-28: not offered and not enforced, the call still works. */
#define KICK_HIDDEN .hidden = KVM_FEATURE_PV_UNHALT, .vcpus = 2

static void hidden_wakes(struct test_result *result)
{
	kick_wakes_by(result, scene_kick_target, "a kick that is not offered");
}
ABI_CLAUSE(hidden_wakes, "ABI-KICK-28", "abi.kick.hidden_works", ABI_KVM, KICK_HIDDEN,
	   .conditions = ABI_IRQCHIP | ABI_HLT_EXITS | ABI_NO_ENFORCE);

/*
 * ABI-KICK-29: not offered and enforced, the call returns -KVM_ENOSYS and wakes nobody. An NMI
 * still wakes the same target.
 */
static void refused(struct scene *scene)
{
	int64_t got = hypercall_kick_cpu(scene_target_id());

	if (got != -KVM_ENOSYS)
		test_fail(scene->result, "KICK_CPU returned %ld, expected %d", got, -KVM_ENOSYS);
}

static void enforced_is_refused(struct test_result *result)
{
	scene_control_by_nmi(result, refused, "on a refused kick");
}
ABI_CLAUSE(enforced_is_refused, "ABI-KICK-29", "abi.kick.enforced_is_refused", ABI_KVM, KICK_HIDDEN,
	   .conditions = ABI_IRQCHIP | ABI_HLT_EXITS | ABI_ENFORCE);

/* ABI-KICK-31: with the APIC in the VMM, KVM can wake nobody and returns 0, or -KVM_ENOSYS if
 * enforced. */
static void vmm_apic_returns(struct test_result *result)
{
	int64_t expected = abi_plan->vmm.enforce ? -KVM_ENOSYS : 0;
	int64_t got = hypercall_kick_cpu(this_cpu()->apic_id);

	if (got != expected)
		test_fail(result, "KICK_CPU returned %ld, expected %ld", got, expected);
}
ABI_CLAUSE(vmm_apic_returns, "ABI-KICK-31", "abi.kick.apic_in_the_vmm", ABI_KVM,
	   .conditions = ABI_NO_IRQCHIP);

/* ABI-KICK-32: where HLT does not exit, the feature is not offered. The call still returns 0, or
 * -KVM_ENOSYS if enforced. */
static void native_hlt_returns(struct test_result *result)
{
	int64_t expected = abi_plan->vmm.enforce ? -KVM_ENOSYS : 0;
	int64_t got = hypercall_kick_cpu(ABI_UNUSED_ID);

	kick_judge_offered(result, machine.kvm.features & KVM_FEATURE_PV_UNHALT);
	if (got != expected)
		test_fail(result, "KICK_CPU returned %ld, expected %ld", got, expected);
}
ABI_CLAUSE(native_hlt_returns, "ABI-KICK-32", "abi.kick.where_hlt_does_not_exit", ABI_KVM,
	   .conditions = ABI_HLT_NATIVE);
