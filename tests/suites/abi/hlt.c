/* SPDX-License-Identifier: MIT */
/*
 * HLT and STI's interrupt shadow, which every wait of a paravirtual lock relies on. SDM vol. 2A
 * (HLT), 2B (STI); Linux arch/x86/kvm/x86.c (kvm_emulate_halt, kvm_vcpu_has_events).
 */
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/percpu.h"
#include "kernel/traps.h"
#include "tests/suites/abi/interrupts.h"
#include "tests/suites/abi/kick.h"

#define NO_SPURIOUS_MS 1000

/*
 * ABI-HLT-01: with an interrupt pending, sti; hlt takes it after the HLT. An emulated SVM loses the
 * shadow now and then (kernel/traps.c repairs the frame and counts the loss): under nested the test
 * reports that, anywhere else it is a failure. No other CPU takes part; if the HLT sleeps, the
 * timer ends it.
 */
static void sti_hlt(struct test_result *result)
{
	uint64_t behind, taken_at, lost = this_cpu()->lost_shadows;

	interrupts_pend();
	this_cpu()->halts++;
	__asm__ volatile("leaq 1f(%%rip), %0\n\t"
			 "sti\n\t"
			 "hlt\n\t"
			 "1:"
			 : "=r"(behind)
			 :
			 : "memory");
	taken_at = interrupts_place(result);
	if (result->verdict == VERDICT_OK && taken_at != behind)
		test_fail(result, "the interrupt was taken at %+ld bytes from behind sti; hlt",
			  (int64_t)(taken_at - behind));
	lost = this_cpu()->lost_shadows - lost;
	if (lost != 0 && abi_is_nested())
		test_info(result, "the emulated CPU lost STI's shadow");
	else if (lost != 0)
		test_fail(result, "the interrupt came between sti and hlt");
}
ABI_CLAUSE(sti_hlt, "ABI-HLT-01", "abi.hlt.pending_interrupt_is_taken_behind", ABI_MUST);

/* ABI-HLT-02: an instruction between sti and hlt ends the shadow: the interrupt is taken before the
 * HLT. The HLT would then sleep, so the test has a NOP in its place. */
#define NOP_BYTES 1

static int64_t behind_sti_nop(struct test_result *result)
{
	uint64_t behind_sti;

	interrupts_pend();
	__asm__ volatile("leaq 1f(%%rip), %0\n\t"
			 "sti\n\t"
			 "1: nop\n\t"
			 "nop" /* stands for the HLT */
			 : "=r"(behind_sti)
			 :
			 : "memory");
	return (int64_t)(interrupts_place(result) - behind_sti);
}

static void sti_nop_hlt(struct test_result *result)
{
	int64_t behind = interrupts_behind_sti(result, behind_sti_nop);

	if (result->verdict == VERDICT_OK && behind != NOP_BYTES)
		test_fail(result, "sti; nop; hlt: the interrupt came %+ld bytes behind sti",
			  behind);
}
ABI_CLAUSE(sti_nop_hlt, "ABI-HLT-02", "abi.hlt.shadow_is_one_instruction", ABI_KVM);

/* ABI-HLT-03: with IF=0 an NMI ends a HLT, an interrupt does not. */
static void call_interrupt(struct scene *scene)
{
	(void)scene;
	apic_send(scene_target_id(), VECTOR_WAKE);
}

static void what_wakes(struct test_result *result)
{
	scene_control_by_nmi(result, call_interrupt, "on an interrupt, with IF=0");
}
ABI_CLAUSE(what_wakes, "ABI-HLT-03", "abi.hlt.nmi_wakes_interrupt_does_not_if0", ABI_MUST,
	   .conditions = ABI_HLT_EXITS | ABI_IRQCHIP, .vcpus = 2);

/* ABI-HLT-05: a HLT does not return without an event. */
static void controller_watches_long(struct scene *scene)
{
	if (!scene_reaches(&scene->halts, 1, WAKE_BOUND_MS))
		test_error(scene->result, "the target did not reach its HLT");
	else if (scene_reaches(&scene->wakes, 1, NO_SPURIOUS_MS))
		test_fail(scene->result, "a HLT returned within %u ms though nothing happened",
			  NO_SPURIOUS_MS);
	scene_kick_target(scene);
	scene_wakes(scene, 1, "a kick");
}

static void no_spurious_return(struct test_result *result)
{
	scene_play(result, scene_target_halts_once, controller_watches_long, NULL);
}
ABI_CLAUSE(no_spurious_return, "ABI-HLT-05", "abi.hlt.returns_only_on_an_event", ABI_KVM,
	   KICK_NEEDS);
