/* SPDX-License-Identifier: MIT */
/*
 * The latch that KVM_HC_KICK_CPU sets: which events keep it, which empty it, and how the target's
 * local APIC matters. Linux arch/x86/kvm/x86.c (__kvm_emulate_halt, vcpu_block),
 * arch/x86/kvm/lapic.c (kvm_recalculate_apic_map, __apic_accept_irq: APIC_DM_REMRD).
 */
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/traps.h"
#include "tests/suites/abi/interrupts.h"
#include "tests/suites/abi/ipi.h"
#include "tests/suites/abi/kick.h"

/* Target: waits for the controller's n-th go. */
static void await_go(struct scene *scene, uint32_t n)
{
	while (scene_get(&scene->go) < n)
		cpu_relax();
}

/* ABI-KICK-08: a vCPU's kick of itself returns 0, and its next HLT (IF=0) falls through. If it
 * blocks, the scene's NMI ends it, which is a failure. */
static void target_kicks_itself(struct scene *scene)
{
	scene->extra[0] = (uint64_t)hypercall_kick_cpu(this_cpu()->apic_id);
	scene_halt_once(scene);
}

static void controller_waits(struct scene *scene)
{
	scene_wakes(scene, 1, "a kick of itself");
}

static void self_kick(struct test_result *result)
{
	struct scene after;

	scene_play(result, target_kicks_itself, controller_waits, &after);
	if (after.extra[0] != 0)
		test_fail(result, "a kick of itself returned %ld", (int64_t)after.extra[0]);
}
ABI_CLAUSE(self_kick, "ABI-KICK-08", "abi.kick.of_itself", ABI_MUST, KICK_NEEDS);

/* ABI-KICK-09: the latch stays set while time passes and the running target takes interrupts and
 * NMIs. The scene handles NMIs. */
static void target_is_interrupted(struct scene *scene)
{
	uint64_t before = traps_taken();

	irq_enable();
	await_go(scene, 1);
	while (traps_taken() - before < 2 && scene_get(&scene->go) < 2)
		cpu_relax();
	irq_disable();
	scene->extra[0] = traps_taken() - before;
	scene_put(&scene->ready, 2);
	await_go(scene, 2);
	scene_halt_once(scene);
	scene_halt_once(scene);
}

static void controller_interrupts_a_kicked(struct scene *scene)
{
	scene_kick_target(scene);
	apic_send_nmi(scene_target_id());
	apic_send(scene_target_id(), VECTOR_WAKE);
	scene_put(&scene->go, 1);
	if (!scene_reaches(&scene->ready, 2, WAKE_BOUND_MS)) {
		/* seen under nested, in one of about fifty runs, after other tests' NMIs */
		if (abi_is_nested())
			test_skip(scene->result, "the emulated CPU lost an NMI or an interrupt");
		else
			test_error(scene->result,
				   "the target did not take an NMI and an interrupt");
	}
	scene_put(&scene->go, 2);
	scene_wakes(scene, 1, "a kick before an NMI and an interrupt");
	if (!scene_stays_halted(scene, 2, "although the kick was used up"))
		return;
	scene_kick_target(scene);
	scene_wakes(scene, 2, "a kick");
}

static void latch_survives(struct test_result *result)
{
	scene_play(result, target_is_interrupted, controller_interrupts_a_kicked, NULL);
}
ABI_CLAUSE(latch_survives, "ABI-KICK-09", "abi.kick.latch_survives_interrupts", ABI_KVM,
	   KICK_NEEDS);

/*
 * ABI-KICK-10: one sti; hlt uses up a pending interrupt and the latch together: with both pending,
 * the first HLT falls through and the second blocks. With AMD's Idle HLT (Linux 6.15) the first
 * need not exit, and the latch may then let the second fall through, too. Both outcomes are
 * accepted.
 */
static void target_halts_enabled_twice(struct scene *scene)
{
	await_go(scene, 1);
	scene_halt_enabled(scene);
	scene_halt_enabled(scene);
}

static void controller_sends_both(struct scene *scene)
{
	scene_kick_target(scene);
	apic_send(scene_target_id(), VECTOR_WAKE);
	scene_put(&scene->go, 1);
	scene_wakes(scene, 1, "a kick and an interrupt");
	if (scene_reaches(&scene->wakes, 2, WATCH_MS)) {
		test_info(scene->result, "an interrupt and a kick let two HLTs pass");
		return;
	}
	test_info(scene->result, "one HLT uses up both");
	scene_kick_target(scene);
	scene_wakes(scene, 2, "a new kick");
}

static void one_hlt_takes_both(struct test_result *result)
{
	scene_play(result, target_halts_enabled_twice, controller_sends_both, NULL);
}
ABI_CLAUSE(one_hlt_takes_both, "ABI-KICK-10", "abi.kick.one_hlt_takes_kick_and_interrupt", ABI_INFO,
	   KICK_NEEDS);

/* ABI-KICK-11: a wake-up by an NMI or by an interrupt leaves no latch behind. */
static void target_halts_three_times(struct scene *scene)
{
	scene_halt_once(scene);    /* ended by an NMI */
	scene_halt_enabled(scene); /* ended by an interrupt */
	scene_halt_once(scene);
}

static void controller_wakes_otherwise(struct scene *scene)
{
	if (!scene_stays_halted(scene, 1, "although nobody woke it"))
		return;
	apic_send_nmi(scene_target_id());
	scene_wakes(scene, 1, "an NMI");
	if (!scene_stays_halted(scene, 2, "on the NMI that ended HLT 1"))
		return;
	apic_send(scene_target_id(), VECTOR_WAKE);
	scene_wakes(scene, 2, "an interrupt");
	if (!scene_stays_halted(scene, 3, "on the interrupt that ended HLT 2"))
		return;
	scene_kick_target(scene);
	scene_wakes(scene, 3, "a kick");
}

static void others_leave_no_latch(struct test_result *result)
{
	scene_play(result, target_halts_three_times, controller_wakes_otherwise, NULL);
}
ABI_CLAUSE(others_leave_no_latch, "ABI-KICK-11", "abi.kick.other_wakes_leave_no_latch", ABI_KVM,
	   KICK_NEEDS);

/* ABI-KICK-21: in xAPIC mode a kick's ID is the current value of the APIC ID register, which the
 * guest may write. OTHER_ID is free in any guest with fewer CPUs. */
#define OTHER_ID 0x70u

static void kick_id(struct scene *scene, uint32_t id)
{
	int64_t got = hypercall_kick_cpu(id);

	if (got != 0)
		test_fail(scene->result, "KICK_CPU of %#x returned %ld", id, got);
}

static void target_changes_its_id(struct scene *scene)
{
	uint32_t own = apic->read(APIC_ID);

	apic->write(APIC_ID, OTHER_ID << 24);
	scene_put(&scene->ready, 2);
	scene_halt_once(scene);
	apic->write(APIC_ID, own);
}

static void controller_kicks_both_ids(struct scene *scene)
{
	if (!scene_reaches(&scene->ready, 2, WAKE_BOUND_MS) ||
	    !scene_stays_halted(scene, 1, "although nobody kicked"))
		return;
	kick_id(scene, scene_target_id());
	if (!scene_stays_halted(scene, 1, "on a kick of the ID it had"))
		return;
	kick_id(scene, OTHER_ID);
	if (!scene_reaches(&scene->wakes, 1, WAKE_BOUND_MS)) {
		test_fail(scene->result, "a kick of the ID written to the register does not wake");
		apic_send_nmi(OTHER_ID);
	}
}

static void xapic_id_is_the_register(struct test_result *result)
{
	scene_play(result, target_changes_its_id, controller_kicks_both_ids, NULL);
}
ABI_CLAUSE(xapic_id_is_the_register, "ABI-KICK-21", "abi.kick.xapic_id_register", ABI_KVM,
	   .features = KVM_FEATURE_PV_UNHALT, .conditions = ABI_IRQCHIP | ABI_HLT_EXITS | ABI_XAPIC,
	   .vcpus = 2);

/* ABI-KICK-22: kicks reach a vCPU whose local APIC software has disabled (SVR bit 8). */
static void target_disables_softly(struct scene *scene)
{
	uint32_t spurious = apic->read(APIC_SPURIOUS);

	apic->write(APIC_SPURIOUS, spurious & ~(1u << 8));
	scene_halt_once(scene);
	apic->write(APIC_SPURIOUS, spurious);
}

static void soft_disabled_wakes(struct test_result *result)
{
	scene_play(result, target_disables_softly, scene_controller_kicks, NULL);
}
ABI_CLAUSE(soft_disabled_wakes, "ABI-KICK-22", "abi.kick.software_disabled_apic", ABI_KVM,
	   KICK_NEEDS);

/* ABI-KICK-23: an APIC disabled in IA32_APIC_BASE has no ID: a kick returns 0 and sets no latch.
 */

static void target_disables_globally(struct scene *scene)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	wrmsr(MSR_APIC_BASE, base & ~(uint64_t)(APIC_BASE_ENABLE | APIC_BASE_X2APIC));
	scene_put(&scene->ready, 2);
	await_go(scene, 1);
	apic_enable();
	scene_halt_once(scene);
}

static void controller_kicks_a_disabled(struct scene *scene)
{
	if (!scene_reaches(&scene->ready, 2, WAKE_BOUND_MS))
		return;
	scene_kick_target(scene);
	scene_put(&scene->go, 1);
	if (!scene_stays_halted(scene, 1, "on a kick from when its APIC was disabled"))
		return;
	scene_kick_target(scene);
	scene_wakes(scene, 1, "a kick");
}

static void hard_disabled_does_not(struct test_result *result)
{
	scene_play(result, target_disables_globally, controller_kicks_a_disabled, NULL);
}
ABI_CLAUSE(hard_disabled_does_not, "ABI-KICK-23", "abi.kick.globally_disabled_apic", ABI_KVM,
	   KICK_NEEDS);

/* ABI-KICK-36: KVM treats an IPI of delivery mode 3 (Remote Read; reserved in the manuals) as a
 * kick, whatever CPUID offers. ABI-KICK-37: the same through SEND_IPI, which counts it. */
static void call_remote_read(struct scene *scene)
{
	(void)scene;
	apic->command(scene_target_id(), ICR_REMOTE_READ | ICR_ASSERT);
}

static void remote_read_kicks(struct test_result *result)
{
	kick_wakes_by(result, call_remote_read, "an IPI of delivery mode 3");
}
ABI_CLAUSE(remote_read_kicks, "ABI-KICK-36", "abi.kick.remote_read_ipi_wakes", ABI_KVM, KICK_NEEDS);

static void call_pv_remote_read(struct scene *scene)
{
	int64_t got =
		hypercall(KVM_HC_SEND_IPI, 1, 0, scene_target_id(), ICR_REMOTE_READ | ICR_ASSERT);

	if (got != 1)
		test_fail(scene->result, "SEND_IPI of mode 3 returned %ld, expected 1", got);
}

static void pv_remote_read_kicks(struct test_result *result)
{
	kick_wakes_by(result, call_pv_remote_read, "a SEND_IPI of delivery mode 3");
}
ABI_CLAUSE(pv_remote_read_kicks, "ABI-KICK-37", "abi.kick.remote_read_pv_ipi_wakes", ABI_KVM,
	   .features = KVM_FEATURE_PV_UNHALT | KVM_FEATURE_PV_SEND_IPI,
	   .conditions = ABI_IRQCHIP | ABI_HLT_EXITS, .vcpus = 2);
