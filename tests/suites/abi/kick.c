/* SPDX-License-Identifier: MIT */
/*
 * KVM_HC_KICK_CPU, the core: the effects of a kick on a vCPU in HLT, seen from another vCPU
 * (scene.h). Each vCPU has one wake latch: a kick sets it, completing a HLT clears it,
 * a HLT with the latch set does not block. Linux Documentation/virt/kvm/x86/hypercalls.rst
 * (KVM_HC_KICK_CPU), arch/x86/kvm/x86.c kvm_pv_kick_cpu_op.
 */
#include "tests/suites/abi/kick.h"
#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/traps.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/interrupts.h"

/* ABI-KICK-01: a vCPU in cli; hlt stays there until a kick, and a kick wakes it. */
static void kick_wakes(struct test_result *result)
{
	scene_play(result, scene_target_halts_once, scene_controller_kicks, NULL);
}
ABI_CLAUSE(kick_wakes, "ABI-KICK-01", "abi.kick.wakes_halted_if0", ABI_MUST, KICK_NEEDS);

/* ABI-KICK-02: a vCPU in sti; hlt continues after it without an interrupt and with IF still 1.
 * extra[0]: interrupts and exceptions taken meanwhile; extra[1]: RFLAGS after the HLT. */
static void target_halts_enabled(struct scene *scene)
{
	uint64_t before = traps_taken();

	scene->extra[1] = scene_halt_enabled(scene);
	scene->extra[0] = traps_taken() - before;
}

static void kick_wakes_enabled(struct test_result *result)
{
	struct scene after;

	scene_play(result, target_halts_enabled, scene_controller_kicks, &after);
	if (result->verdict != VERDICT_OK)
		return;
	if (after.extra[0] != 0)
		test_fail(result, "%lu interrupts came with the kick", after.extra[0]);
	if (!(after.extra[1] & RFLAGS_IF))
		test_fail(result, "IF is 0 behind sti; hlt: RFLAGS %#lx", after.extra[1]);
}
ABI_CLAUSE(kick_wakes_enabled, "ABI-KICK-02", "abi.kick.wakes_halted_if1", ABI_MUST, KICK_NEEDS);

/* ABI-KICK-03: a kick leaves the target's local APIC as it was: IRR, ISR and ESR. */
static void target_reads_apic(struct scene *scene)
{
	scene_halt_once(scene);
	for (uint32_t i = 0; i < 8; i++) {
		scene->extra[0] |= apic->read(APIC_IRR + 0x10 * i);
		scene->extra[1] |= apic->read(APIC_ISR + 0x10 * i);
	}
	apic->write(APIC_ERROR, 0); /* latches the errors so far (SDM vol. 3A, 11.5.3) */
	scene->extra[2] = apic->read(APIC_ERROR);
}

static void kick_leaves_no_trace(struct test_result *result)
{
	struct scene after;

	scene_play(result, target_reads_apic, scene_controller_kicks, &after);
	if (after.extra[0] | after.extra[1] | after.extra[2])
		test_fail(result, "after a kick: IRR %#lx, ISR %#lx, ESR %#lx", after.extra[0],
			  after.extra[1], after.extra[2]);
}
ABI_CLAUSE(kick_leaves_no_trace, "ABI-KICK-03", "abi.kick.leaves_no_trace_in_the_apic", ABI_MUST,
	   KICK_NEEDS);

/* ABI-KICK-04 and 05: kicks before the HLT are remembered as one: the first HLT falls through, the
 * second blocks until a new kick. */
static void target_kicked_first(struct scene *scene)
{
	while (scene_get(&scene->go) == 0)
		cpu_relax();
	scene_halt_once(scene);
	scene_halt_once(scene);
}

static void kicks_first(struct scene *scene, int kicks)
{
	for (int i = 0; i < kicks; i++)
		scene_kick_target(scene);
	scene_put(&scene->go, 1);
	scene_wakes(scene, 1, "kicks that came before it");
	if (!scene_stays_halted(scene, 2, "although its kick was used up by HLT 1"))
		return;
	scene_kick_target(scene);
	scene_wakes(scene, 2, "a new kick");
}

static void controller_kicks_once(struct scene *scene)
{
	kicks_first(scene, 1);
}

static void kick_is_remembered(struct test_result *result)
{
	scene_play(result, target_kicked_first, controller_kicks_once, NULL);
}
ABI_CLAUSE(kick_is_remembered, "ABI-KICK-04", "abi.kick.before_hlt_is_not_lost", ABI_MUST,
	   KICK_NEEDS);

static void controller_kicks_thrice(struct scene *scene)
{
	kicks_first(scene, 3);
}

static void controller_kicks_five_times(struct scene *scene)
{
	kicks_first(scene, 5);
}

static void kick_is_no_counter(struct test_result *result)
{
	scene_play(result, target_kicked_first, controller_kicks_thrice, NULL);
	scene_play(result, target_kicked_first, controller_kicks_five_times, NULL);
}
ABI_CLAUSE(kick_is_no_counter, "ABI-KICK-05", "abi.kick.several_before_hlt_are_one", ABI_MUST,
	   KICK_NEEDS);

/* ABI-KICK-06: after a wake-up the next HLT blocks until a new kick. */
static void target_halts_twice(struct scene *scene)
{
	scene_halt_once(scene);
	scene_halt_once(scene);
}

static void controller_wakes_twice(struct scene *scene)
{
	scene_kick_target(scene);
	scene_wakes(scene, 1, "a kick");
	if (!scene_stays_halted(scene, 2, "on the kick that ended HLT 1"))
		return;
	scene_kick_target(scene);
	scene_wakes(scene, 2, "a second kick");
}

static void kick_is_used_up(struct test_result *result)
{
	scene_play(result, target_halts_twice, controller_wakes_twice, NULL);
}
ABI_CLAUSE(kick_is_used_up, "ABI-KICK-06", "abi.kick.is_used_up_by_one_hlt", ABI_MUST, KICK_NEEDS);

/* ABI-KICK-07: RAPID kicks in a row wake a vCPU that halts in a loop between 1 and RAPID times. */
#define RAPID 3

static void target_halts_until_told(struct scene *scene)
{
	while (scene_get(&scene->go) == 0)
		scene_halt_once(scene);
}

static void controller_kicks_rapidly(struct scene *scene)
{
	uint32_t wakes;

	if (!scene_stays_halted(scene, 1, "although nobody kicked"))
		return;
	for (int i = 0; i < RAPID; i++)
		scene_kick_target(scene);
	scene_wakes(scene, 1, "three kicks");
	scene_reaches(&scene->wakes, RAPID + 1, WATCH_MS);
	wakes = scene_get(&scene->wakes);
	test_info(scene->result, "%u rapid kicks woke %u times", RAPID, wakes);
	if (wakes > RAPID)
		test_fail(scene->result, "%u kicks woke %u times", RAPID, wakes);
	scene_put(&scene->go, 1);
	scene_kick_target(scene);
}

static void kicks_rapidly(struct test_result *result)
{
	scene_play(result, target_halts_until_told, controller_kicks_rapidly, NULL);
}
ABI_CLAUSE(kicks_rapidly, "ABI-KICK-07", "abi.kick.rapid_kicks_wake_at_most_as_often", ABI_KVM,
	   KICK_NEEDS);

/* ABI-KICK-12: an interrupt does not wake a vCPU halted with IF=0. A kick does, and the interrupt
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

/* The call that the controller makes; only one scene plays at a time. */
static struct {
	void (*call)(struct scene *scene);
	const char *how;
} control;

static void controller_controls(struct scene *scene)
{
	if (!scene_stays_halted(scene, 1, "although nobody kicked"))
		return;
	control.call(scene);
	if (!scene_stays_halted(scene, 1, control.how))
		return;
	scene_kick_target(scene);
	scene_wakes(scene, 1, "a kick");
}

uint64_t kick_control(struct test_result *result, void (*call)(struct scene *scene),
		      const char *how)
{
	control.call = call;
	control.how = how;
	return scene_play(result, scene_target_halts_once, controller_controls, NULL);
}

static void controller_wakes_by(struct scene *scene)
{
	if (!scene_stays_halted(scene, 1, "although nobody kicked"))
		return;
	control.call(scene);
	scene_wakes(scene, 1, control.how);
}

void kick_wakes_by(struct test_result *result, void (*call)(struct scene *scene), const char *how)
{
	control.call = call;
	control.how = how;
	scene_play(result, scene_target_halts_once, controller_wakes_by, NULL);
}

static void drain_self(void *unused)
{
	(void)unused;
	scene_drain_self();
}

void kick_drain_all(void)
{
	smp_run_on(machine.online, drain_self, NULL);
}
