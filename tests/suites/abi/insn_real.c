/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls in real mode, on an AP taken from its idling. Linux arch/x86/kvm/x86.c
 * (kvm_emulate_hypercall, emulator_fix_hypercall).
 */
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/layout.h"
#include "kernel/paging.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/timer.h"
#include "kernel/tsc.h"
#include "lib/string.h"
#include "tests/suites/abi/call.h"
#include "tests/suites/abi/kick.h"
#include "tests/suites/abi/modes.h"

#define NATIVE_PAGE 0x9000u  /* free RAM below 1 MiB */
#define BASED_PAGE  0x20000u /* free, too, with the page after it */
#define CALLS       3

/* real_ap.asm */
extern const char real_ap[], real_ap_end[], real_ap_results[], real_ap_kicked_id[];
extern const char real_ap_invalid[], real_ap_invalid_at[];
extern const uint16_t real_ap_calls[CALLS];

static volatile uint32_t *word_of(const char *symbol)
{
	return (volatile uint32_t *)(NATIVE_PAGE + (uint64_t)(symbol - real_ap));
}

/* Low memory with the interrupt vector table, whose page is unmapped otherwise. */
static uint8_t *low_memory(uint32_t address)
{
	uint64_t at = address;

	__asm__("" : "+r"(at)); /* hides it: to the compiler, no object has a small address */
	return (uint8_t *)at;
}

/* Real mode's vectors: offset and segment, 4 bytes each (SDM vol. 3B, figure 21-2). */
#define IVT_UD (4u * VECTOR_UD)

/* Starts CPU 1 in real_ap with `instruction` in all places. Waits until it has made all calls, the
 * last of which kicks `kicked`, or until one of them was #UD. If neither happens, fails and returns
 * false. */
static bool run_real(struct test_result *result, const uint8_t *instruction, uint32_t kicked)
{
	uint32_t handler = (uint32_t)(real_ap_invalid - real_ap) | NATIVE_PAGE >> 4 << 16;
	uint32_t bios;
	volatile uint32_t *made = word_of(real_ap_results), *invalid = word_of(real_ap_invalid_at);
	uint64_t start, bound = tsc_from_ns(WAKE_BOUND_MS * 1000000ull);

	smp_take(1);
	memcpy((void *)(uint64_t)NATIVE_PAGE, real_ap, (size_t)(real_ap_end - real_ap));
	for (int i = 0; i < CALLS; i++)
		memcpy((void *)(NATIVE_PAGE + (uint64_t)real_ap_calls[i]), instruction,
		       HYPERCALL_BYTES);
	*word_of(real_ap_kicked_id) = kicked;
	paging_set(0, PAGE_BYTES, PAGING_WRITE);
	memcpy(&bios, low_memory(IVT_UD), sizeof(bios));
	memcpy(low_memory(IVT_UD), &handler, sizeof(handler));
	apic_send_startup(scene_target_id(), NATIVE_PAGE / PAGE_BYTES);
	for (start = rdtsc(); *made != CALLS && *invalid == 0 && rdtsc() - start < bound;)
		cpu_relax();
	smp_take(1); /* the vector is no longer needed */
	memcpy(low_memory(IVT_UD), &bios, sizeof(bios));
	paging_set(0, PAGE_BYTES, PAGING_NONE);
	if (*made == CALLS || *invalid != 0)
		return true;
	test_fail(result, "the AP did not make all calls, and took no #UD");
	return false;
}

static void expect_made(struct test_result *result, int call, uint32_t expected)
{
	const volatile uint32_t *results = word_of(real_ap_results);

	if (*word_of(real_ap_invalid_at) != 0)
		test_fail(result, "#UD at %#x", *word_of(real_ap_invalid_at));
	else if (results[1 + call] != expected)
		test_fail(result, "call %d: EAX is %#x, expected %#x", call, results[1 + call],
			  expected);
}

/* ABI-INSN-12: the native instruction works in real mode, by the rules of 32-bit code: numbers 1
 * and 99 return 0 and 0xfffffc18. */
static void works_in_real_mode(struct test_result *result)
{
	if (run_real(result, modes_native(), ABI_UNUSED_ID)) {
		expect_made(result, 0, 0);
		expect_made(result, 1, 0xfffffc18);
	}
	scene_rejoin_target(result);
}
ABI_CLAUSE(works_in_real_mode, "ABI-INSN-12", "abi.insn.native_in_real_mode", ABI_KVM, .vcpus = 2,
	   .conditions = ABI_IRQCHIP);

/* ABI-INSN-13: VMMCALL on Intel is #UD in real mode. KVM does not patch it there, because its
 * decoder accepts it in protected mode only (arch/x86/kvm/emulate.c, group7_rm3). */
static void wrong_in_real_mode_intel(struct test_result *result)
{
	uint32_t at;

	if (run_real(result, modes_wrong(), ABI_UNUSED_ID)) {
		at = *word_of(real_ap_invalid_at);
		if (at != real_ap_calls[0])
			test_fail(result, "VMMCALL at %#x: #UD at %#x (0: none)", real_ap_calls[0],
				  at);
	}
	scene_rejoin_target(result);
}
ABI_CLAUSE(wrong_in_real_mode_intel, "ABI-INSN-13", "abi.insn.vmmcall_in_real_mode", ABI_KVM,
	   .vcpus = 2, .conditions = ABI_INTEL | ABI_IRQCHIP);

/* ABI-KICK-38: a kick works from compatibility mode (with garbage in the upper halves ignored) and
 * from real mode. */
static void kick_from_compatibility(struct scene *scene)
{
	const uint64_t high = 0xabcdef12ull << 32;
	struct stop stop =
		modes_hypercall(MODE_32, modes_native(), PAGING_EXECUTE, high | KVM_HC_KICK_CPU,
				high, high | scene_target_id(), high, high);

	if (!modes_through(&stop, modes_code, HYPERCALL_BYTES) || stop.frame.rax != 0)
		test_fail(scene->result, "KICK_CPU in compatibility mode: vector %lu, RAX %#lx",
			  stop.frame.vector, stop.frame.rax);
}

static void expire(void *expired)
{
	*(volatile bool *)expired = true;
}

/* The AP kicks the CPU that started it, because there may be no third: that CPU's next HLT must
 * fall through; otherwise the timer ends it. */
static void kick_from_real_mode(struct test_result *result)
{
	volatile bool expired = false;

	kick_drain_all();
	if (run_real(result, modes_native(), this_cpu()->apic_id)) {
		expect_made(result, 2, 0);
		irq_disable();
		timer_start(WAKE_BOUND_MS * 1000000ull, expire, (void *)&expired);
		this_cpu()->halts++;
		irq_enable_and_halt();
		timer_cancel();
		if (expired)
			test_fail(result, "a kick from real mode did not reach its target");
	}
	scene_rejoin_target(result);
	kick_drain_all();
}

static void kick_32(struct test_result *result)
{
	kick_wakes_by(result, kick_from_compatibility, "a kick from compatibility mode");
	kick_from_real_mode(result);
}
ABI_CLAUSE(kick_32, "ABI-KICK-38", "abi.kick.from_32_bit_code", ABI_KVM, KICK_NEEDS);

/*
 * ABI-INSN-11: with a CS base KVM stores the patch at linear address IP, not at CS.base + IP. It
 * overwrites unrelated memory, and the vCPU executes the same instruction for ever (a defect that
 * harms only the guest). The AP starts at BASED_PAGE, whose code jumps to IP, where the other
 * vendor's instruction is.
 */
#define IP    0x142u /* in the interrupt vector table, which is no longer used */
#define STAGE 0x180u /* in the AP's page: 1 before the instruction, 2 after it */

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

/* False after `ms` without it. */
static bool reaches_stage(const volatile uint16_t *stage, uint16_t wanted, uint64_t ms)
{
	uint64_t start = rdtsc(), bound = tsc_from_ns(ms * 1000000);

	while (*stage < wanted && rdtsc() - start < bound)
		cpu_relax();
	return *stage >= wanted;
}

static void run_based(volatile uint16_t *stage, uint8_t *linear_ip)
{
	uint8_t *page = low_memory(BASED_PAGE);

	memcpy(page, based_code, sizeof(based_code));
	memcpy(page + IP, modes_wrong(), HYPERCALL_BYTES);
	memcpy(page + IP + HYPERCALL_BYTES, based_behind, sizeof(based_behind));
	*stage = 0;
	memset(linear_ip, 0xcc, HYPERCALL_BYTES);
	apic_send_startup(scene_target_id(), BASED_PAGE / PAGE_BYTES);
	if (reaches_stage(stage, 1, WAKE_BOUND_MS))
		reaches_stage(stage, 2, WATCH_MS);
}

static void judge_based(struct test_result *result, uint16_t stage, bool stray, bool patched)
{
	if (stage == 0)
		test_error(result, "the AP did not start");
	else if (stray && !patched && stage == 1)
		test_info(result, "the patch went to linear IP; the vCPU never went on");
	else if (!stray && patched && stage == 2)
		test_info(result, "patched where the instruction is; the vCPU went on");
	else if (!stray && !patched && stage == 1)
		test_info(result, "nothing was patched; the vCPU stopped");
	else
		test_fail(result, "the patch went %s%s%s; the vCPU %s", stray ? "to linear IP" : "",
			  patched ? " to the instruction" : "", stray || patched ? "" : "nowhere",
			  stage == 2 ? "went on" : "stopped");
}

static void with_a_base(struct test_result *result)
{
	volatile uint16_t *stage = (volatile uint16_t *)low_memory(BASED_PAGE + STAGE);
	uint8_t *linear_ip = low_memory(IP);
	uint8_t bios[HYPERCALL_BYTES];

	paging_set(0, PAGE_BYTES, PAGING_WRITE);
	memcpy(bios, linear_ip, sizeof(bios));
	smp_take(1);
	run_based(stage, linear_ip);
	judge_based(result, *stage, memcmp(linear_ip, modes_native(), HYPERCALL_BYTES) == 0,
		    memcmp(low_memory(BASED_PAGE + IP), modes_native(), HYPERCALL_BYTES) == 0);
	scene_rejoin_target(result);
	memcpy(linear_ip, bios, sizeof(bios));
	paging_set(0, PAGE_BYTES, PAGING_NONE);
}
ABI_CLAUSE(with_a_base, "ABI-INSN-11", "abi.insn.wrong_with_a_cs_base", ABI_INFO, .vcpus = 2,
	   .conditions = ABI_AMD | ABI_IRQCHIP);
