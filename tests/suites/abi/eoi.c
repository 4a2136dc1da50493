/* SPDX-License-Identifier: MIT */
/*
 * PV EOI, MSR 0x4b564d04: a word that KVM shares with the vCPU. If its bit 0 is 1 in a handler,
 * clearing the bit is the EOI. CPU 0 interrupts itself. Linux Documentation/virt/kvm/x86/msr.rst
 * (MSR_KVM_EOI_EN), arch/x86/kvm/lapic.c (kvm_lapic_set_pv_eoi, apic_sync_pv_eoi_to_guest).
 */
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/layout.h"
#include "kernel/machine.h"
#include "kernel/paging.h"
#include "kernel/percpu.h"
#include "kernel/traps.h"
#include "lib/string.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/call.h"
#include "tests/suites/abi/interrupts.h"
#include "tests/suites/abi/pv_msrs.h"
#include "tests/suites/abi/scene.h"

#define PV_EOI_ENABLE   1ull
#define PV_EOI_RESERVED 2ull

#define EOI_NEEDS .features = KVM_FEATURE_PV_EOI, .conditions = ABI_IRQCHIP

#define ROUNDS     20
#define PATTERN    0xdeadbef0u /* bit 0 is 0 */
#define ALL_BITS_0 0xdeadbe00u /* the same with byte 0 as KVM writes it: 0 and 1 */
#define ALL_BITS_1 0xdeadbe01u

enum ending {
	END_AS_ASKED, /* clears bit 0 if it is set; writes the APIC's EOI if not */
	END_TWICE,    /* clears bit 0, and writes the APIC's EOI whatever it was */
	END_LATER,    /* clears bit 0; the test writes the EOI later */
};

static _Atomic uint32_t word __attribute__((aligned(64))); /* shared with KVM */
static enum ending ending;

/* Vectors in the order in which they were taken, and the word that each handler found. */
static struct {
	_Atomic uint32_t taken;
	uint8_t vector[ROUNDS];
	uint32_t word[ROUNDS];
} seen;

static void handler(struct trap_frame *frame)
{
	uint32_t at = scene_get(&seen.taken), found;

	found = atomic_fetch_and(&word, ~1u);
	if (at < ROUNDS) {
		seen.vector[at] = (uint8_t)frame->vector;
		seen.word[at] = found;
	}
	scene_put(&seen.taken, at + 1);
	if (ending == END_TWICE || (ending == END_AS_ASKED && !(found & 1)))
		apic_eoi();
}

/* Sets the word to `initial`, enables it if asked to, and forgets earlier interrupts. */
static bool begin(struct test_result *result, enum ending how, uint32_t initial, bool enable)
{
	struct abi_result wrote;

	ending = how;
	scene_put(&seen.taken, 0);
	scene_put(&word, initial);
	traps_handle(VECTOR_TEST, handler);
	traps_handle(VECTOR_FENCE, handler);
	wrote = abi_wrmsr(MSR_KVM_PV_EOI_EN, (uint64_t)&word | (enable ? PV_EOI_ENABLE : 0));
	if (wrote.faulted)
		test_fail(result, "wrmsr of an aligned address faulted");
	return !wrote.faulted;
}

static bool in_service(uint8_t vector)
{
	return interrupts_bit(APIC_ISR, vector);
}

static void finish(struct test_result *result)
{
	static const uint8_t vectors[] = {VECTOR_TEST, VECTOR_FENCE};

	abi_wrmsr(MSR_KVM_PV_EOI_EN, 0);
	for (size_t i = 0; i < sizeof(vectors); i++) {
		/* after a failure, each EOI may let in another pending interrupt */
		for (int n = 0; n < ROUNDS && in_service(vectors[i]); n++)
			apic_eoi();
		if (in_service(vectors[i]) || interrupts_bit(APIC_IRR, vectors[i]))
			test_error(result, "vector %#x is still in service or pending", vectors[i]);
	}
	traps_handle(VECTOR_TEST, NULL);
	traps_handle(VECTOR_FENCE, NULL);
}

static bool interrupt_self(struct test_result *result)
{
	uint32_t before = scene_get(&seen.taken);

	apic_send(this_cpu()->apic_id, VECTOR_TEST);
	if (scene_reaches(&seen.taken, before + 1, WAKE_BOUND_MS))
		return true;
	test_fail(result, "interrupt %u did not come", before + 1);
	return false;
}

/* Interrupts itself `rounds` times in turn; returns how often the bit was set. */
static uint32_t run_rounds(struct test_result *result, uint32_t rounds)
{
	uint32_t set = 0;

	for (uint32_t i = 0; i < rounds && interrupt_self(result); i++) {
		set += seen.word[i] & 1;
		if (ending != END_LATER && in_service(VECTOR_TEST))
			test_fail(result, "interrupt %u is still in service after its end", i + 1);
	}
	return set;
}

/* Where the CPU delivers interrupts by itself (APICv, AVIC), KVM never sets the bit. The emulated
 * CPU of accel nested has neither. */
static bool may_be_inactive(void)
{
	return !abi_is_nested();
}

/* For a clause that needs the bit set: returns true if it was set; skips if it need not be. */
static bool was_active(struct test_result *result, uint32_t set)
{
	if (set > 0)
		return true;
	if (may_be_inactive())
		test_skip(result, "KVM never set the bit: APICv or AVIC");
	else
		test_fail(result, "KVM never set the bit, and this CPU has no APICv or AVIC");
	return false;
}

/* ABI-EOI-01: bit 1 must be 0 (the word is aligned to 4): else #GP, and the MSR keeps its value. */
static void reserved_bit(struct test_result *result)
{
	uint64_t good = (uint64_t)&word | PV_EOI_ENABLE;
	static const uint64_t flags[] = {PV_EOI_RESERVED, PV_EOI_RESERVED | PV_EOI_ENABLE};

	if (!begin(result, END_AS_ASKED, 0, true))
		return;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		uint64_t bad = (uint64_t)&word | flags[i];
		struct abi_result wrote = abi_wrmsr(MSR_KVM_PV_EOI_EN, bad), now;

		if (!wrote.faulted || wrote.vector != 13)
			test_fail(result, "wrmsr of address | %#lx: no #GP", flags[i]);
		now = abi_rdmsr(MSR_KVM_PV_EOI_EN);
		if (now.faulted || now.value != good)
			test_fail(result, "after the #GP the MSR is %#lx, was %#lx", now.value,
				  good);
	}
	finish(result);
}
ABI_CLAUSE(reserved_bit, "ABI-EOI-01", "abi.eoi.reserved_bit_faults", ABI_MUST, EOI_NEEDS);

/* ABI-EOI-02: enabling an address without RAM is #GP. Before Linux 5.17 (afd67ee3cbbd) the MSR
 * nevertheless kept the value. */
static void without_ram(struct test_result *result)
{
	uint32_t kernel = abi_plan->vmm.kernel;
	struct abi_result wrote, now;

	abi_wrmsr(MSR_KVM_PV_EOI_EN, 0);
	wrote = abi_wrmsr(MSR_KVM_PV_EOI_EN, ABI_NO_RAM | PV_EOI_ENABLE);
	now = abi_rdmsr(MSR_KVM_PV_EOI_EN);
	abi_wrmsr(MSR_KVM_PV_EOI_EN, 0);
	if (!wrote.faulted || wrote.vector != 13)
		test_fail(result, "no #GP");
	if (now.faulted)
		test_fail(result, "rdmsr faulted");
	else if (now.value != 0 && (kernel >= 5017 || now.value != (ABI_NO_RAM | PV_EOI_ENABLE)))
		test_fail(result, "the MSR is %#lx after the #GP, expected 0", now.value);
	test_info(result, "the MSR reads %#lx after the #GP", now.value);
}
ABI_CLAUSE(without_ram, "ABI-EOI-02", "abi.eoi.address_without_ram_faults", ABI_KVM, EOI_NEEDS);

/* ABI-EOI-03: if bit 0 is set, clearing it is the EOI: the vector's next interrupt comes, and none
 * stays in service. */
static void clearing_is_eoi(struct test_result *result)
{
	uint32_t set;

	if (!begin(result, END_AS_ASKED, 0, true))
		return;
	set = run_rounds(result, ROUNDS);
	finish(result);
	if (was_active(result, set))
		test_info(result, "%u of %u interrupts needed no EOI", set, ROUNDS);
}
ABI_CLAUSE(clearing_is_eoi, "ABI-EOI-03", "abi.eoi.clearing_the_bit_is_the_eoi", ABI_MUST,
	   EOI_NEEDS);

/* ABI-EOI-04: if bit 0 is 0, the APIC's EOI is needed. KVM leaves it 0 while another interrupt is
 * pending, which otherwise would not be delivered. Returns the second interrupt's bit. */
static bool two_pending(struct test_result *result)
{
	bool first_in_service;
	uint32_t before_eoi;

	if (!begin(result, END_LATER, 0, true))
		return false;
	irq_disable();
	apic_send(this_cpu()->apic_id, VECTOR_TEST);
	apic_send(this_cpu()->apic_id, VECTOR_FENCE);
	irq_enable();
	if (!scene_reaches(&seen.taken, 1, WAKE_BOUND_MS))
		test_fail(result, "the first interrupt did not come");
	first_in_service = in_service(VECTOR_TEST);
	before_eoi = scene_get(&seen.taken);
	apic_eoi();
	if (!scene_reaches(&seen.taken, 2, WAKE_BOUND_MS))
		test_fail(result, "the second interrupt did not come after the EOI");
	finish(result);
	if (seen.vector[0] != VECTOR_TEST || (seen.word[0] & 1))
		test_fail(result, "first vector %#x, bit %u; expected %#x, 0", seen.vector[0],
			  seen.word[0] & 1, VECTOR_TEST);
	if (!first_in_service || before_eoi != 1)
		test_fail(result,
			  "before the EOI: in service %d, %u taken, the second %#x; expected 1, 1",
			  first_in_service, before_eoi, seen.vector[1]);
	return seen.word[1] & 1;
}

static void pending_needs_eoi(struct test_result *result)
{
	uint32_t set = 0;

	for (int i = 0; i < ROUNDS && result->verdict == VERDICT_OK; i++)
		set += two_pending(result);
	if (set == 0 && !may_be_inactive())
		test_fail(result, "the last one pending never had bit 1");
	test_info(result, "bit 0 for the first of two; 1 for the second in %u of %u rounds", set,
		  ROUNDS);
}
ABI_CLAUSE(pending_needs_eoi, "ABI-EOI-04", "abi.eoi.bit_is_0_while_another_is_pending", ABI_KVM,
	   EOI_NEEDS);

/* ABI-EOI-05: clearing the bit and also writing the APIC's EOI does no harm. */
static void both_ends(struct test_result *result)
{
	uint32_t set;

	if (!begin(result, END_TWICE, 0, true))
		return;
	set = run_rounds(result, ROUNDS);
	finish(result);
	was_active(result, set);
}
ABI_CLAUSE(both_ends, "ABI-EOI-05", "abi.eoi.clearing_and_eoi_is_harmless", ABI_KVM, EOI_NEEDS);

/* ABI-EOI-06: KVM writes byte 0 as a whole, and no other byte. (msr.rst says that it changes the
 * lowest bit alone.) */
static void writes_byte_0(struct test_result *result)
{
	uint32_t set = 0, after;

	/* Until an interrupt is the only one pending (ABI-EOI-04), as nearly all are. */
	for (uint32_t i = 0; i < ROUNDS && set == 0; i++) {
		if (!begin(result, END_AS_ASKED, PATTERN, true))
			return;
		set = run_rounds(result, 1);
		after = scene_get(&word);
		finish(result);
	}
	if (!was_active(result, set))
		return;
	if (seen.word[0] != ALL_BITS_1 || after != ALL_BITS_0)
		test_fail(result, "%#x became %#x and after the end %#x; expected %#x, %#x",
			  PATTERN, seen.word[0], after, ALL_BITS_1, ALL_BITS_0);
	test_info(result, "%#x became %#x in the handler", PATTERN, seen.word[0]);
}
ABI_CLAUSE(writes_byte_0, "ABI-EOI-06", "abi.eoi.byte_0_is_written_whole", ABI_KVM, EOI_NEEDS);

/* ABI-EOI-07: with APICv or AVIC the bit is never set, although the feature is offered. Without
 * them it is set, unless another interrupt happens to be pending. */
static void active_or_not(struct test_result *result)
{
	uint32_t set;

	if (!begin(result, END_AS_ASKED, 0, true))
		return;
	set = run_rounds(result, ROUNDS);
	finish(result);
	test_info(result, "offered, %s: %u of %u", set == 0 ? "inactive (APICv or AVIC)" : "active",
		  set, ROUNDS);
	if (set == 0 && !may_be_inactive())
		test_fail(result, "the bit was never set, and this CPU has no APICv or AVIC");
}
ABI_CLAUSE(active_or_not, "ABI-EOI-07", "abi.eoi.offered_is_active_or_not", ABI_INFO, EOI_NEEDS);

/* ABI-EOI-08: while disabled, KVM does not touch the word, and the APIC's EOI is needed. */
static void disabled(struct test_result *result)
{
	if (!begin(result, END_LATER, PATTERN, false))
		return;
	for (uint32_t i = 0; i < 5 && interrupt_self(result); i++) {
		if (seen.word[i] != PATTERN)
			test_fail(result, "the word became %#x, was %#x", seen.word[i], PATTERN);
		if (!in_service(VECTOR_TEST))
			test_fail(result, "interrupt %u ended without an EOI", i + 1);
		apic_eoi();
		if (in_service(VECTOR_TEST))
			test_fail(result, "interrupt %u did not end by its EOI", i + 1);
	}
	finish(result);
}
ABI_CLAUSE(disabled, "ABI-EOI-08", "abi.eoi.disabled_needs_eoi", ABI_KVM, EOI_NEEDS);

/*
 * The I/O APIC (Intel 82093AA datasheet, 3.0): index register at its base, data at base + 0x10. Pin
 * 3 belongs to COM2, which does not exist, so a route on it is never used.
 */
#define IOAPIC_BASE          0xfec00000u
#define IOAPIC_VERSION       0x01
#define IOAPIC_ENTRY(pin)    (0x10 + 2 * (pin)) /* low word; the high word follows */
#define IOAPIC_PINS(version) (((version) >> 16 & 0xff) + 1)
#define IOAPIC_LEVEL         (1u << 15)
#define IOAPIC_MASKED        (1u << 16)
#define UNUSED_PIN           3
#define MAX_PHYSICAL_ID      0xfeu /* the destination has 8 bits; 0xff addresses all */

static uint32_t ioapic_read(uint32_t index)
{
	volatile uint32_t *registers = (volatile uint32_t *)(uint64_t)IOAPIC_BASE;

	registers[0] = index;
	return registers[4];
}

static void ioapic_write(uint32_t index, uint32_t value)
{
	volatile uint32_t *registers = (volatile uint32_t *)(uint64_t)IOAPIC_BASE;

	registers[0] = index;
	registers[4] = value;
}

static void route(uint32_t low, uint32_t high)
{
	/* Masked while only half of the entry is new. */
	ioapic_write(IOAPIC_ENTRY(UNUSED_PIN), IOAPIC_MASKED);
	ioapic_write(IOAPIC_ENTRY(UNUSED_PIN) + 1, high);
	ioapic_write(IOAPIC_ENTRY(UNUSED_PIN), low);
}

/* ABI-EOI-09: for a vector that the I/O APIC routes to this CPU as level-triggered, KVM never sets
 * the bit, because the I/O APIC must see the EOI. */
static void ioapic_vector(struct test_result *result)
{
	uint32_t low, high, routed, again;

	paging_set(IOAPIC_BASE, PAGE_BYTES, PAGING_DEVICE);
	if (IOAPIC_PINS(ioapic_read(IOAPIC_VERSION)) <= UNUSED_PIN ||
	    ioapic_read(IOAPIC_VERSION) == UINT32_MAX || this_cpu()->apic_id > MAX_PHYSICAL_ID) {
		test_skip(result, "no I/O APIC at %#x that could address this CPU", IOAPIC_BASE);
		return;
	}
	if (!begin(result, END_AS_ASKED, 0, true))
		return;
	low = ioapic_read(IOAPIC_ENTRY(UNUSED_PIN));
	high = ioapic_read(IOAPIC_ENTRY(UNUSED_PIN) + 1);
	route(IOAPIC_LEVEL | VECTOR_TEST, this_cpu()->apic_id << 24);
	routed = run_rounds(result, 5);
	/* With a split irqchip QEMU tells KVM only about unmasked routes: to make KVM forget the
	 * level-triggered route, give it an edge-triggered one. */
	route(VECTOR_SPURIOUS, this_cpu()->apic_id << 24);
	route(low, high);
	scene_put(&seen.taken, 0);
	again = run_rounds(result, 5);
	finish(result);
	if (!was_active(result, again))
		return;
	if (routed != 0)
		test_fail(result, "routed: the bit was set in %u of 5 interrupts, expected 0",
			  routed);
	test_info(result, "set in %u of 5 interrupts while routed, in %u of 5 after", routed,
		  again);
}
ABI_CLAUSE(ioapic_vector, "ABI-EOI-09", "abi.eoi.ioapic_vectors_get_no_bit", ABI_KVM, EOI_NEEDS);
