/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls and registers, and the rules of each mode and privilege level. Linux
 * Documentation/virt/kvm/x86/hypercalls.rst, arch/x86/kvm/x86.c (kvm_emulate_hypercall,
 * is_64_bit_hypercall).
 */
#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "lib/string.h"
#include "tests/suites/abi/call.h"
#include "tests/suites/abi/interrupts.h"
#include "tests/suites/abi/ipi.h"
#include "tests/suites/abi/kick.h"
#include "tests/suites/abi/modes.h"

#define UNKNOWN     99u
#define ENOSYS_64   0xfffffffffffffc18ull
#define ENOSYS_32   0x00000000fffffc18ull
#define LONG_NUMBER 0x100000001ull /* number 1, if cut to 32 bits */

static struct stop call(enum mode mode, uint64_t number)
{
	bool user = mode == MODE_64_RING3 || mode == MODE_32_RING3;

	return modes_hypercall(mode, modes_native(), user ? PAGING_USER_EXECUTE : PAGING_EXECUTE,
			       number, 0, ABI_UNUSED_ID, 0, ICR_LOGICAL);
}

static void expect_rax(struct test_result *result, const char *what, struct stop stop, uint64_t rax)
{
	if (!modes_through(&stop, modes_code, HYPERCALL_BYTES))
		test_fail(result, "%s: vector %lu, error %#lx", what, stop.frame.vector,
			  stop.frame.error);
	else if (stop.frame.rax != rax)
		test_fail(result, "%s: RAX is %#lx, expected %#lx", what, stop.frame.rax, rax);
}

/* ABI-REG-01: number in RAX, arguments in RBX, RCX, RDX, RSI, result in RAX. SEND_IPI uses all four
 * arguments. RDI, which another calling convention would use, holds nonsense. */
static void argument_registers(struct test_result *result)
{
	struct trap_frame start =
		modes_start(MODE_64, modes_place(0, modes_native(), HYPERCALL_BYTES));
	struct stop stop;

	interrupts_count(VECTOR_TEST);
	start.rax = KVM_HC_SEND_IPI;
	start.rbx = 1;
	start.rdx = this_cpu()->apic_id;
	start.rsi = ICR_ASSERT | VECTOR_TEST;
	start.rdi = start.r8 = start.r9 = start.r10 = 0x123456789ull;
	modes_rights(0, PAGING_EXECUTE);
	stop = modes_run(&start);
	this_cpu()->hypercalls++;
	modes_reset();
	expect_rax(result, "SEND_IPI to one's own ID", stop, 1);
	if (!interrupts_reach(0, VECTOR_TEST, 1))
		test_fail(result, "SEND_IPI delivered nothing");
	interrupts_stop(result, VECTOR_TEST);
}
ABI_CLAUSE(argument_registers, "ABI-REG-01", "abi.reg.arguments", ABI_MUST,
	   .features = KVM_FEATURE_PV_SEND_IPI, .conditions = ABI_IRQCHIP);

/* ABI-REG-02: only RAX changes, whether the call succeeds or not. */
#define RFLAGS_ARITHMETIC 0x8d5u /* CF, PF, AF, ZF, SF, OF: SDM vol. 1, 3.4.3.1 */

static void check_kept(struct test_result *result, uint64_t number)
{
	const uint64_t p = 0x0123456789abcd00ull;
	struct trap_frame start =
		modes_start(MODE_64, modes_place(0, modes_native(), HYPERCALL_BYTES));
	struct trap_frame expected;
	struct stop stop;

	start.r15 = p | 15;
	start.r14 = p | 14;
	start.r13 = p | 13;
	start.r12 = p | 12;
	start.r11 = p | 11;
	start.r10 = p | 10;
	start.r9 = p | 9;
	start.r8 = p | 8;
	start.rdi = p | 7;
	start.rsi = ICR_LOGICAL; /* SEND_IPI refuses it */
	start.rbp = p | 5;
	start.rbx = 1ull << 45 | 1; /* no RAM, for CLOCK_PAIRING; flags of KICK_CPU */
	start.rdx = p | 3;
	start.rcx = ABI_UNUSED_ID;
	start.rax = number;
	start.rflags |= RFLAGS_ARITHMETIC | RFLAGS_DF;
	modes_rights(0, PAGING_EXECUTE);
	stop = modes_run(&start);
	this_cpu()->hypercalls++;
	modes_reset();
	expected = start;
	expected.rax = stop.frame.rax;
	expected.vector = VECTOR_UD;
	expected.error = 0;
	expected.rip += HYPERCALL_BYTES;
	/* a fault sets RF in the flags it pushes: SDM vol. 3A, 6.8.3 */
	stop.frame.rflags &= ~(1ull << 16);
	if (memcmp(&stop.frame, &expected, sizeof(expected)) == 0)
		return;
	for (size_t i = 0; i < sizeof(expected) / 8; i++) {
		uint64_t was = ((const uint64_t *)&expected)[i];
		uint64_t is = ((const uint64_t *)&stop.frame)[i];

		if (was != is)
			test_fail(result, "number %lu: word %zu of the frame was %#lx, is %#lx",
				  number, i, was, is);
	}
}

static void only_rax_changes(struct test_result *result)
{
	static const uint64_t numbers[] = {UNKNOWN, 1, 5, 9, 10, 11};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		check_kept(result, numbers[i]);
}
ABI_CLAUSE(only_rax_changes, "ABI-REG-02", "abi.reg.only_rax_changes", ABI_MUST);

/* ABI-REG-03: x87 and SSE state, segment registers, CR0, CR3, CR4 and DR7 do not change either. */
#define CR4_OSFXSR (1ull << 9) /* FXSAVE with the SSE state: SDM vol. 1, 10.5 */

struct state {
	uint8_t fx[512];
	uint64_t cr0, cr3, cr4, dr7;
	uint16_t segment[6];
} __attribute__((aligned(16)));

static void read_state(struct state *s)
{
	memset(s, 0, sizeof(*s));
	__asm__ volatile("fxsave64 %0" : "=m"(s->fx));
	__asm__ volatile("movq %%cr0, %0" : "=r"(s->cr0));
	__asm__ volatile("movq %%cr3, %0" : "=r"(s->cr3));
	__asm__ volatile("movq %%cr4, %0" : "=r"(s->cr4));
	__asm__ volatile("movq %%dr7, %0" : "=r"(s->dr7));
	__asm__ volatile("movw %%cs, %0" : "=m"(s->segment[0]));
	__asm__ volatile("movw %%ds, %0" : "=m"(s->segment[1]));
	__asm__ volatile("movw %%es, %0" : "=m"(s->segment[2]));
	__asm__ volatile("movw %%fs, %0" : "=m"(s->segment[3]));
	__asm__ volatile("movw %%gs, %0" : "=m"(s->segment[4]));
	__asm__ volatile("movw %%ss, %0" : "=m"(s->segment[5]));
}

static void other_state(struct test_result *result)
{
	static struct state original, before, after;
	uint64_t cr4;

	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | CR4_OSFXSR));
	read_state(&original);
	before = original;
	for (int i = 32; i < 416; i++) /* the registers: SDM vol. 1, table 10-2 */
		before.fx[i] = (uint8_t)(i * 7 % 16 < 10 ? i : 0);
	__asm__ volatile("fxrstor64 %0" : : "m"(before.fx));
	read_state(&before);
	hypercall(UNKNOWN, 0, 0, 0, 0);
	hypercall(KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0);
	read_state(&after);
	__asm__ volatile("fxrstor64 %0" : : "m"(original.fx));
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4));
	for (size_t i = 0; i < sizeof(before); i++)
		if (((const uint8_t *)&before)[i] != ((const uint8_t *)&after)[i]) {
			test_fail(result, "byte %zu of the saved state changed", i);
			return;
		}
}
ABI_CLAUSE(other_state, "ABI-REG-03", "abi.reg.other_state_is_kept", ABI_MUST);

/* ABI-REG-04: in 64-bit code the result is sign-extended to 64 bits. */
static void result_64(struct test_result *result)
{
	expect_rax(result, "an unknown number", call(MODE_64, UNKNOWN), ENOSYS_64);
}
ABI_CLAUSE(result_64, "ABI-REG-04", "abi.reg.result_has_64_bits", ABI_MUST);

/* ABI-REG-05: outside 64-bit code number and arguments are cut to 32 bits, the result
 * zero-extended. */
static void result_32(struct test_result *result)
{
	expect_rax(result, "an unknown number in compatibility mode", call(MODE_32, UNKNOWN),
		   ENOSYS_32);
	expect_rax(result, "number 1 with bit 32 set in compatibility mode",
		   call(MODE_32, LONG_NUMBER), 0);
}
ABI_CLAUSE(result_32, "ABI-REG-05", "abi.reg.result_in_32_bit_code", ABI_MUST);

/* ABI-REG-06: CS.L decides, not long mode: compatibility mode at CPL 0 has EFER.LMA = 1. */
#define MSR_EFER 0xc0000080u
#define EFER_LMA (1u << 10)

static void mode_is_cs(struct test_result *result)
{
	if (!(rdmsr(MSR_EFER) & EFER_LMA))
		test_error(result, "EFER.LMA is 0 in 64-bit code");
	expect_rax(result, "CS.L = 0", call(MODE_32, UNKNOWN), ENOSYS_32);
	expect_rax(result, "CS.L = 1", call(MODE_64, UNKNOWN), ENOSYS_64);
}
ABI_CLAUSE(mode_is_cs, "ABI-REG-06", "abi.reg.mode_is_cs_l", ABI_KVM);

/* ABI-REG-07: the upper halves of the argument registers survive a call in compatibility mode. */
static void upper_halves(struct test_result *result)
{
	const uint64_t high = 0xabcdef12ull << 32;
	struct stop stop = modes_hypercall(MODE_32, modes_native(), PAGING_EXECUTE, 1, high | 1,
					   high | 2, high | 3, high | 4);

	expect_rax(result, "number 1", stop, 0);
	if (stop.frame.rbx != (high | 1) || stop.frame.rcx != (high | 2) ||
	    stop.frame.rdx != (high | 3) || stop.frame.rsi != (high | 4))
		test_fail(result, "RBX %#lx RCX %#lx RDX %#lx RSI %#lx", stop.frame.rbx,
			  stop.frame.rcx, stop.frame.rdx, stop.frame.rsi);
}
ABI_CLAUSE(upper_halves, "ABI-REG-07", "abi.reg.upper_halves_survive", ABI_KVM);

/* ABI-REG-08: KVM compares all 64 bits of a number from 64-bit code, 32 bits from 32-bit code. */
static void number_width(struct test_result *result)
{
	expect_rax(result, "0x100000001 in 64-bit code", call(MODE_64, LONG_NUMBER), ENOSYS_64);
	expect_rax(result, "0x100000001 in 32-bit code", call(MODE_32, LONG_NUMBER), 0);
}
ABI_CLAUSE(number_width, "ABI-REG-08", "abi.reg.number_width", ABI_KVM);

/* ABI-REG-09: at CPL 3 every number is refused with -KVM_EPERM, without a fault. */
static void ring3_is_refused(struct test_result *result)
{
	for (uint64_t number = 0; number <= 13; number++) {
		uint64_t n = number == 13 ? 999 : number;
		struct stop stop = call(MODE_64_RING3, n);

		if (!modes_through(&stop, modes_code, HYPERCALL_BYTES) ||
		    stop.frame.rax != UINT64_MAX)
			test_fail(result, "number %lu at CPL 3: vector %lu, RAX %#lx", n,
				  stop.frame.vector, stop.frame.rax);
	}
}
ABI_CLAUSE(ring3_is_refused, "ABI-REG-09", "abi.reg.ring3_is_refused", ABI_MUST);

/* ABI-REG-10: a refused call has no effect: a kick from ring 3 wakes nobody. */
static void kick_from_ring3(struct scene *scene)
{
	struct stop stop = modes_hypercall(MODE_64_RING3, modes_native(), PAGING_USER_EXECUTE,
					   KVM_HC_KICK_CPU, 0, scene_target_id(), 0, 0);

	expect_rax(scene->result, "KICK_CPU at CPL 3", stop, UINT64_MAX);
}

static void ring3_has_no_effect(struct test_result *result)
{
	kick_control(result, kick_from_ring3, "on a kick from ring 3");
}
ABI_CLAUSE(ring3_has_no_effect, "ABI-REG-10", "abi.reg.ring3_has_no_effect", ABI_KVM, KICK_NEEDS);

/* ABI-REG-11: a 32-bit caller at CPL 3 gets EAX = -1, the upper half 0. */
static void ring3_32(struct test_result *result)
{
	expect_rax(result, "number 1", call(MODE_32_RING3, 1), 0xffffffffull);
	expect_rax(result, "an unknown number", call(MODE_32_RING3, UNKNOWN), 0xffffffffull);
}
ABI_CLAUSE(ring3_32, "ABI-REG-11", "abi.reg.ring3_in_32_bit_code", ABI_KVM);

/* ABI-IPI-03: from 32-bit code, SEND_IPI's words have 32 bits, and the second one begins at min
 * + 32. min is taken modulo 2^32, so the test can use a low ID. */
static void ipi_cluster_32(struct test_result *result)
{
	uint32_t target = ipi_id(1);
	struct stop near, far, cut;

	ipi_begin();
	near = modes_hypercall(MODE_32, modes_native(), PAGING_EXECUTE, KVM_HC_SEND_IPI, 0, 1,
			       target - 32, ICR_ASSERT | VECTOR_TEST);
	expect_rax(result, "min = ID - 32, bit 0 of the second word", near, 1);
	if (!interrupts_reach(1, VECTOR_TEST, 1))
		test_fail(result, "min + 32 took no interrupt");
	far = modes_hypercall(MODE_32, modes_native(), PAGING_EXECUTE, KVM_HC_SEND_IPI, 0, 1,
			      target - 64, ICR_ASSERT | VECTOR_TEST);
	expect_rax(result, "min = ID - 64, bit 0 of the second word", far, 0);
	if (target >= 32) { /* a lower ID could not be reached by an uncut word either */
		cut = modes_hypercall(MODE_32, modes_native(), PAGING_EXECUTE, KVM_HC_SEND_IPI,
				      1ull << 32, 0, target - 32, ICR_ASSERT | VECTOR_TEST);
		expect_rax(result, "min = ID - 32, bit 32 of the first word", cut, 0);
	}
	ipi_end(result);
}
ABI_CLAUSE(ipi_cluster_32, "ABI-IPI-03", "abi.ipi.second_word_in_32_bit_code", ABI_KVM, IPI_NEEDS);

/* ABI-HLT-04: HLT at CPL 3 is #GP(0). */
static void hlt_in_ring3(struct test_result *result)
{
	static const uint8_t hlt[] = {0xf4};
	struct trap_frame start = modes_start(MODE_64_RING3, modes_place(0, hlt, sizeof(hlt)));
	struct stop stop;

	modes_rights(0, PAGING_USER_EXECUTE);
	stop = modes_run(&start);
	modes_reset();
	if (stop.frame.vector != VECTOR_GP || stop.frame.error != 0 ||
	    stop.frame.rip != (uint64_t)modes_code)
		test_fail(result, "vector %lu, error %#lx at %+ld", stop.frame.vector,
			  stop.frame.error, (int64_t)(stop.frame.rip - (uint64_t)modes_code));
}
ABI_CLAUSE(hlt_in_ring3, "ABI-HLT-04", "abi.hlt.in_ring3_is_gp", ABI_KVM);
