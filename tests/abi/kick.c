/* SPDX-License-Identifier: MIT */
/*
 * KVM_HC_KICK_CPU: its effect on a vCPU in HLT, seen from another vCPU (scene.h). Linux
 * Documentation/virt/kvm/x86/hypercalls.rst (KVM_HC_KICK_CPU), arch/x86/kvm/x86.c.
 */
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/traps.h"
#include "pvspin/hypercall.h"
#include "tests/abi/abi.h"
#include "tests/abi/scene.h"

#define KICK_NEEDS \
	.features = KVM_FEATURE_PV_UNHALT, .conditions = ABI_IRQCHIP | ABI_HLT_EXITS, .vcpus = 2

/* ABI-KICK-01: a vCPU in cli; hlt stays there until a kick, and a kick wakes it. */
static void controller_wakes(struct scene *scene)
{
	if (!scene_stays_halted(scene, 1, "although nobody kicked"))
		return;
	scene_kick_target(scene);
	scene_wakes(scene, 1, "a kick");
}

static void kick_wakes(struct test_result *result)
{
	scene_play(result, scene_target_halts_once, controller_wakes, NULL);
}
ABI_CLAUSE(kick_wakes, "ABI-KICK-01", "abi.kick.wakes_halted_if0", ABI_MUST, KICK_NEEDS);

/* ABI-KICK-12: an interrupt does not wake a vCPU halted with IF=0; the kick does, and the interrupt
 * is delivered once interrupts are enabled. */
static void controller_interrupts(struct scene *scene)
{
	if (!scene_stays_halted(scene, 1, "although nobody kicked"))
		return;
	apic_send(scene_target_id(), VECTOR_WAKE);
	if (!scene_stays_halted(scene, 1, "on an interrupt, with IF=0"))
		return;
	scene_kick_target(scene);
	scene_wakes(scene, 1, "a kick");
}

static void only_kick_wakes(struct test_result *result)
{
	uint64_t interrupts =
		scene_play(result, scene_target_halts_once, controller_interrupts, NULL);

	if (result->verdict == VERDICT_OK && interrupts == 0)
		test_fail(result, "the interrupt was lost: not delivered after sti");
}
ABI_CLAUSE(only_kick_wakes, "ABI-KICK-12", "abi.kick.interrupt_does_not_wake_if0", ABI_MUST,
	   KICK_NEEDS);

/* ABI-KICK-04 and 05: kicks before the HLT are remembered, as one: the first HLT falls through, the
 * second blocks until a new kick. */
static void target_kicked_first(struct scene *scene)
{
	while (scene_get(&scene->go) == 0)
		cpu_relax();
	scene_halt_once(scene);
	scene_halt_once(scene);
}

static void controller_kicks_first(struct scene *scene)
{
	for (int i = 0; i < 3; i++)
		scene_kick_target(scene);
	scene_put(&scene->go, 1);
	scene_wakes(scene, 1, "kicks that came before it");
	if (!scene_stays_halted(scene, 2, "although its kick was used up by HLT 1"))
		return;
	scene_kick_target(scene);
	scene_wakes(scene, 2, "a new kick");
}

static void kick_is_remembered(struct test_result *result)
{
	scene_play(result, target_kicked_first, controller_kicks_first, NULL);
}
ABI_CLAUSE(kick_is_remembered, "ABI-KICK-04", "abi.kick.before_hlt_is_not_lost", ABI_MUST,
	   KICK_NEEDS);

/* ABI-KICK-17: kicks to APIC IDs that nobody has return 0 and wake nobody. */
static void controller_kicks_nobody(struct scene *scene)
{
	static const uint32_t ids[] = {0x77, 0xfe, 0x100, 0x1000, 0x7fffffff};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		int64_t got = hypercall_kick_cpu(ids[i]);

		if (got != 0)
			test_fail(scene->result, "KICK_CPU of APIC ID %#x returned %ld", ids[i],
				  got);
	}
	if (!scene_stays_halted(scene, 1, "on a kick of somebody else"))
		return;
	scene_kick_target(scene);
	scene_wakes(scene, 1, "a kick");
}

static void kick_of_nobody(struct test_result *result)
{
	scene_play(result, scene_target_halts_once, controller_kicks_nobody, NULL);
}
ABI_CLAUSE(kick_of_nobody, "ABI-KICK-17", "abi.kick.unknown_apic_id_wakes_nobody", ABI_MUST,
	   KICK_NEEDS);
