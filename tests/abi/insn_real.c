/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls in real mode, on an AP taken from its idling. Linux arch/x86/kvm/x86.c
 * (kvm_emulate_hypercall, emulator_fix_hypercall).
 */
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/paging.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/tsc.h"
#include "pvspin/layout.h"
#include "pvspin/string.h"
#include "tests/abi/kick.h"
#include "tests/abi/modes.h"

#define NATIVE_PAGE 0x9000u  /* free RAM below 1 MiB, as are */
#define BASED_PAGE  0x20000u /* and its neighbour */
#define CALLS       3

extern const char real_ap[], real_ap_end[], real_ap_results[],
	real_ap_kicked_id[]; /* real_ap.asm */
extern const uint16_t real_ap_calls[CALLS];

static volatile uint32_t *word_of(const char *symbol)
{
	return (volatile uint32_t *)(NATIVE_PAGE + (uint64_t)(symbol - real_ap));
}

static bool becomes(volatile uint32_t *word, uint32_t value)
{
	uint64_t start = rdtsc(), bound = tsc_from_ns(WAKE_BOUND_MS * 1000000ull);

	while (*word != value) {
		if (rdtsc() - start > bound)
			return false;
		cpu_relax();
	}
	return true;
}

static void give_back(struct test_result *result)
{
	if (!smp_rejoin(1))
		test_error(result, "CPU 1 did not come back after INIT and SIPI");
}

/* ABI-INSN-12: the native instruction works in real mode, by the rules of 32-bit code: numbers 1,
 * 99 and 5 return 0, 0xfffffc18 and 0. */
static void works_in_real_mode(struct test_result *result)
{
	static const uint32_t expected[CALLS] = {0, 0xfffffc18, 0};
	volatile uint32_t *results;

	smp_take(1);
	memcpy((void *)(uint64_t)NATIVE_PAGE, real_ap, (size_t)(real_ap_end - real_ap));
	for (int i = 0; i < CALLS; i++)
		memcpy((void *)(NATIVE_PAGE + (uint64_t)real_ap_calls[i]), modes_native(),
		       HYPERCALL_BYTES);
	*word_of(real_ap_kicked_id) = this_cpu()->apic_id;
	results = word_of(real_ap_results);
	apic_send_startup(scene_target_id(), NATIVE_PAGE / PAGE_BYTES);
	if (!becomes(results, CALLS))
		test_fail(result, "the AP stopped after %u results", results[0]);
	for (int i = 0; i < CALLS; i++)
		if (results[0] == CALLS && results[1 + i] != expected[i])
			test_fail(result, "call %d: EAX is %#x, expected %#x", i, results[1 + i],
				  expected[i]);
	give_back(result);
	scene_drain_self(); /* the third call kicked us */
}
ABI_CLAUSE(works_in_real_mode, "ABI-INSN-12", "abi.insn.native_in_real_mode", ABI_KVM, KICK_NEEDS);

/*
 * ABI-INSN-11: with a CS base KVM stores the patch at linear address IP, not at CS.base + IP:
 * foreign memory is overwritten, and the vCPU executes the same instruction for ever (a defect that
 * harms the guest alone). The AP starts at BASED_PAGE, whose code jumps to IP, where the wrong
 * instruction is.
 */
#define IP    0x142u /* in the interrupt vector table, which nobody uses any more */
#define STAGE 0x180u /* in the AP's page: 1 before the instruction, 2 behind it */

static const uint8_t based_code[] = {
	0xfa, /* cli */
	0x2e,
	0xc7,
	0x06,
	STAGE & 0xff,
	STAGE >> 8,
	1,
	0, /* mov word [cs:STAGE], 1 */
	0xe9,
	(IP - 11) & 0xff,
	(IP - 11) >> 8, /* jmp IP */
};
static const uint8_t based_behind[] = {
	0x2e, 0xc7, 0x06, STAGE & 0xff, STAGE >> 8, 2, 0, /* mov word [cs:STAGE], 2 */
	0xf4, 0xeb, 0xfd,                                 /* hlt; jmp $ - 1 */
};

static void run_based(volatile uint16_t *stage, uint8_t *linear_ip)
{
	uint8_t *page = (uint8_t *)(uint64_t)BASED_PAGE;
	uint64_t start, bound = tsc_from_ns(WATCH_MS * 1000000ull);

	memcpy(page, based_code, sizeof(based_code));
	memcpy(page + IP, modes_wrong(), HYPERCALL_BYTES);
	memcpy(page + IP + HYPERCALL_BYTES, based_behind, sizeof(based_behind));
	*stage = 0;
	memset(linear_ip, 0xcc, HYPERCALL_BYTES);
	apic_send_startup(scene_target_id(), BASED_PAGE / PAGE_BYTES);
	for (start = rdtsc(); *stage != 2 && rdtsc() - start < bound;)
		cpu_relax();
}

static void with_a_base(struct test_result *result)
{
	volatile uint16_t *stage = (volatile uint16_t *)(uint64_t)(BASED_PAGE + STAGE);
	uint8_t *linear_ip = (uint8_t *)(uint64_t)IP;

	__asm__("" : "+r"(linear_ip)); /* a small number, and an address all the same */
	paging_set(0, PAGE_BYTES, PAGING_WRITE);
	smp_take(1);
	run_based(stage, linear_ip);
	if (*stage == 0)
		test_error(result, "the AP did not start");
	else if (memcmp(linear_ip, modes_native(), HYPERCALL_BYTES) == 0)
		test_info(result, "the patch went to linear IP; the vCPU %s",
			  *stage == 2 ? "went on" : "never went on");
	else
		test_info(result, "nothing was written at linear IP; the vCPU %s",
			  *stage == 2 ? "went on" : "stopped");
	paging_set(0, PAGE_BYTES, PAGING_NONE);
	give_back(result);
}
ABI_CLAUSE(with_a_base, "ABI-INSN-11", "abi.insn.wrong_with_a_cs_base", ABI_INFO, .vcpus = 2,
	   .conditions = ABI_AMD | ABI_IRQCHIP);
