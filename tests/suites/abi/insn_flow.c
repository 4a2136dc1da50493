/* SPDX-License-Identifier: MIT */
/*
 * Where a guest continues after a hypercall, and where it may make one: prefixes, single steps,
 * STI's shadow, handlers. Linux arch/x86/kvm/x86.c (kvm_skip_emulated_instruction),
 * arch/x86/kvm/svm/svm.c and vmx/vmx.c (skip_emulated_instruction).
 */
#include "bench/quoting.h"
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/percpu.h"
#include "kernel/tsc.h"
#include "lib/string.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/interrupts.h"
#include "tests/suites/abi/modes.h"
#include "tests/suites/abi/scene.h"

#define DR6_BS    (1ull << 14)  /* single step: SDM vol. 3B, 19.2.3 */
#define DR6_RESET 0xffff0ff0ull /* SDM vol. 3A, table 10-1 */

static const uint8_t none[1]; /* with count 0 */

/* Runs `prefix`, the native instruction with number 1, and `behind`, with these RFLAGS. */
static struct stop run(const uint8_t *prefix, size_t prefixes, const uint8_t *behind, size_t count,
		       uint64_t rflags)
{
	uint8_t code[16];
	struct trap_frame start = modes_start(MODE_64, modes_code);
	struct stop stop;

	memcpy(code, prefix, prefixes);
	memcpy(code + prefixes, modes_native(), HYPERCALL_BYTES);
	memcpy(code + prefixes + HYPERCALL_BYTES, behind, count);
	modes_place(0, code, prefixes + HYPERCALL_BYTES + count);
	modes_rights(0, PAGING_EXECUTE);
	start.rax = 1;
	start.rflags |= rflags;
	stop = modes_run(&start);
	modes_reset();
	return stop;
}

/* ABI-INSN-14: RIP advances exactly past the instruction and its prefixes. Tested with CS and
 * REX.W, and on AMD also with the prefixes that on Intel select another instruction of the group,
 * or none (SDM vol. 2D, table A-6). */
static void rip_advances(struct test_result *result)
{
	static const uint8_t prefixes[] = {0x2e, 0x48, 0x66, 0xf3, 0xf2};
	size_t count = hypercall_is_vmmcall ? sizeof(prefixes) : 2;

	for (size_t i = 0; i < count; i++) {
		struct stop stop = run(&prefixes[i], 1, none, 0, 0);

		this_cpu()->hypercalls++;
		if (!modes_through(&stop, modes_code, 1 + HYPERCALL_BYTES) || stop.frame.rax != 0)
			test_fail(result, "prefix %02x: vector %lu at %+ld, RAX %#lx", prefixes[i],
				  stop.frame.vector,
				  (int64_t)(stop.frame.rip - (uint64_t)modes_code), stop.frame.rax);
	}
}
ABI_CLAUSE(rip_advances, "ABI-INSN-14", "abi.insn.rip_advances_past_prefixes", ABI_KVM);

/* ABI-INSN-15: a single step over it is one #DB after it, with RAX already set. */
static void single_step(struct test_result *result)
{
	static const uint8_t nop[] = {0x90};
	struct stop stop;

	__asm__ volatile("movq %0, %%dr6" : : "r"(DR6_RESET));
	stop = run(none, 0, nop, 1, RFLAGS_TF);
	__asm__ volatile("movq %0, %%dr6" : : "r"(DR6_RESET));
	this_cpu()->hypercalls++;
	if (stop.frame.vector != VECTOR_DB ||
	    stop.frame.rip != (uint64_t)modes_code + HYPERCALL_BYTES || stop.frame.rax != 0 ||
	    !(stop.dr6 & DR6_BS))
		test_fail(result, "vector %lu at %+ld, RAX %#lx, DR6 %#lx", stop.frame.vector,
			  (int64_t)(stop.frame.rip - (uint64_t)modes_code), stop.frame.rax,
			  stop.dr6);
}
ABI_CLAUSE(single_step, "ABI-INSN-15", "abi.insn.single_step", ABI_KVM);

/* ABI-INSN-16: it ends STI's shadow: a pending interrupt is taken right after it. */
static int64_t behind_sti_hypercall(struct test_result *result)
{
	static const uint8_t sti[] = {0xfb}, nops_cli[] = {0x90, 0x90, 0xfa};
	struct stop stop;

	interrupts_pend();
	stop = run(sti, sizeof(sti), nops_cli, sizeof(nops_cli), 0);
	this_cpu()->hypercalls++;
	if (stop.frame.vector != VECTOR_UD)
		test_fail(result, "sti; hypercall; nop: vector %lu", stop.frame.vector);
	return (int64_t)(interrupts_place(result) - (uint64_t)modes_code - sizeof(sti));
}

static void ends_the_shadow(struct test_result *result)
{
	int64_t behind = interrupts_behind_sti(result, behind_sti_hypercall);

	if (result->verdict == VERDICT_OK && behind != HYPERCALL_BYTES)
		test_fail(result, "sti; hypercall; nop: the interrupt came %+ld bytes behind sti",
			  behind);
}
ABI_CLAUSE(ends_the_shadow, "ABI-INSN-16", "abi.insn.ends_the_sti_shadow", ABI_KVM);

/* ABI-INSN-17: the call works with IF=0, in interrupt handlers and in NMI handlers. */
static _Atomic int64_t from_handler;

static void call_in_interrupt(struct trap_frame *frame)
{
	(void)frame;
	atomic_store_explicit(&from_handler, hypercall(KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0),
			      memory_order_relaxed);
	apic_eoi();
}

static void call_in_nmi(struct trap_frame *frame)
{
	(void)frame;
	atomic_store_explicit(&from_handler, hypercall(KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0),
			      memory_order_relaxed);
}

#define NOT_CALLED 1 /* no result of a hypercall */

static void expect_called(struct test_result *result, const char *where)
{
	uint64_t start = rdtsc(), bound = tsc_from_ns(WAKE_BOUND_MS * 1000000ull);
	int64_t got;

	do {
		got = atomic_load_explicit(&from_handler, memory_order_relaxed);
		cpu_relax();
	} while (got == NOT_CALLED && rdtsc() - start < bound);
	if (got == NOT_CALLED)
		test_error(result, "%s did not come", where);
	else if (got != 0)
		test_fail(result, "in %s it returned %ld", where, got);
	atomic_store_explicit(&from_handler, NOT_CALLED, memory_order_relaxed);
}

static void in_any_context(struct test_result *result)
{
	uint32_t self = this_cpu()->apic_id;

	irq_disable();
	atomic_store_explicit(&from_handler, hypercall(KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0),
			      memory_order_relaxed);
	expect_called(result, "code with IF=0");
	traps_handle(VECTOR_NMI, call_in_nmi);
	apic_send_nmi(self);
	expect_called(result, "an NMI handler");
	traps_handle(VECTOR_TEST, call_in_interrupt);
	apic_send(self, VECTOR_TEST);
	irq_enable();
	expect_called(result, "an interrupt handler");
	traps_handle(VECTOR_TEST, NULL);
	traps_handle(VECTOR_NMI, NULL);
}
ABI_CLAUSE(in_any_context, "ABI-INSN-17", "abi.insn.in_handlers_and_if0", ABI_KVM,
	   .conditions = ABI_IRQCHIP);

/* ABI-INSN-18: with a LOCK prefix it is #UD on a real CPU. (QEMU's TCG, the CPU under nested,
 * executes it.) */
static void lock_prefix(struct test_result *result)
{
	static const uint8_t lock[] = {0xf0};
	struct stop stop;

	if (!accel_is_kvm(abi_plan->accel) || abi_is_nested()) {
		test_skip(result, "an emulated CPU says nothing about LOCK");
		return;
	}
	stop = run(lock, 1, none, 0, 0);
	if (stop.frame.vector != VECTOR_UD || stop.frame.rip != (uint64_t)modes_code)
		test_fail(result, "vector %lu at %+ld", stop.frame.vector,
			  (int64_t)(stop.frame.rip - (uint64_t)modes_code));
}
ABI_CLAUSE(lock_prefix, "ABI-INSN-18", "abi.insn.lock_prefix_is_ud", ABI_KVM);
