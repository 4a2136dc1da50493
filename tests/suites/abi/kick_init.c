/* SPDX-License-Identifier: MIT */
/*
 * KVM_HC_KICK_CPU and INIT: a kick of a vCPU that waits for its start-up IPI. CPU 1 is taken from
 * its idling (smp_take) and starts in kick_ap.asm. Linux arch/x86/kvm/x86.c (vcpu_block,
 * kvm_vcpu_reset); commit e9cb61055fee (6.15).
 */
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/layout.h"
#include "kernel/smp.h"
#include "kernel/tsc.h"
#include "lib/string.h"
#include "tests/suites/abi/kick.h"

#define AP_PAGE 0xa000u /* free RAM below 1 MiB; not the trampoline's */

extern const char kick_ap[], kick_ap_stage[], kick_ap_end[]; /* kick_ap.asm */

static _Atomic uint32_t *stage(void)
{
	return (_Atomic uint32_t *)(uint64_t)(AP_PAGE + (uint32_t)(kick_ap_stage - kick_ap));
}

static void prepare(void)
{
	memcpy((void *)(uint64_t)AP_PAGE, kick_ap, (size_t)(kick_ap_end - kick_ap));
	smp_take(1);
}

static void kick_it(struct test_result *result)
{
	int64_t got = hypercall_kick_cpu(scene_target_id());

	if (got != 0)
		test_fail(result, "KICK_CPU of a vCPU that waits for its SIPI returned %ld", got);
}

static void give_back(struct test_result *result)
{
	scene_rejoin_target(result);
	kick_drain_all();
}

/* ABI-KICK-24: the kick returns 0 and does not start the vCPU; only the SIPI does. */
static void kick_does_not_start(struct test_result *result)
{
	prepare();
	kick_it(result);
	if (scene_reaches(stage(), 1, WATCH_MS))
		test_fail(result, "a kick started a vCPU that waited for its SIPI");
	apic_send_startup(scene_target_id(), AP_PAGE / PAGE_BYTES);
	if (!scene_reaches(stage(), 1, WAKE_BOUND_MS))
		test_error(result, "CPU 1 did not start on a SIPI");
	give_back(result);
}
ABI_CLAUSE(kick_does_not_start, "ABI-KICK-24", "abi.kick.does_not_start_a_waiting_for_sipi",
	   ABI_KVM, KICK_NEEDS);

/* ABI-KICK-25: up to Linux 6.14 the latch outlives INIT and SIPI, and the started vCPU's first HLT
 * falls through. From 6.15 on KVM empties it when the vCPU becomes runnable. */
#define LATCH_CLEARED_SINCE 6015u

static void latch_and_init(struct test_result *result)
{
	uint32_t kernel = abi_plan->vmm.kernel;
	bool outlives = kernel != 0 && kernel < LATCH_CLEARED_SINCE, passes;

	prepare();
	kick_it(result);
	apic_send_startup(scene_target_id(), AP_PAGE / PAGE_BYTES);
	if (!scene_reaches(stage(), 1, WAKE_BOUND_MS))
		test_error(result, "CPU 1 did not start on a SIPI");
	passes = scene_reaches(stage(), 2, outlives ? WAKE_BOUND_MS : WATCH_MS);
	test_info(result, "a latch set before INIT's SIPI %s",
		  passes ? "outlives it (as before Linux 6.15)"
			 : "is gone (as from Linux 6.15 on)");
	if (kernel != 0 && passes != outlives)
		test_fail(result, "the first HLT of the started vCPU %s, on Linux %u.%u",
			  passes ? "fell through" : "blocked", kernel / 1000, kernel % 1000);
	give_back(result);
}
ABI_CLAUSE(latch_and_init, "ABI-KICK-25", "abi.kick.latch_and_init", ABI_INFO, KICK_NEEDS);
