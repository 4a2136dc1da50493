/* SPDX-License-Identifier: MIT */
/* KVM_HC_SEND_IPI: which APIC IDs it addresses and counts, and where the call exists. */
#include "tests/suites/abi/ipi.h"

#include "kernel/cpu.h"
#include "kernel/percpu.h"

#define NOBODY_FROM 300u /* no VM with fewer vCPUs has this APIC ID or a higher one */

struct ipi ipi_add(struct ipi ipi, uint32_t id)
{
	uint64_t bit = id - (uint32_t)ipi.min;

	if (bit < IPI_WORD_IDS)
		ipi.low |= 1ull << bit;
	else
		ipi.high |= 1ull << (bit - IPI_WORD_IDS);
	return ipi;
}

struct ipi ipi_to(uint64_t min, uint32_t id)
{
	return ipi_add((struct ipi){.min = min, .icr = ICR_FIXED | VECTOR_TEST}, id);
}

int64_t ipi_call(struct test_result *result, struct ipi ipi)
{
	struct abi_result got = abi_hypercall(KVM_HC_SEND_IPI, ipi.low, ipi.high, ipi.min, ipi.icr);

	if (got.faulted)
		test_fail(result, "SEND_IPI faulted: vector %u, error code %#x", got.vector,
			  got.error);
	return (int64_t)got.value;
}

void ipi_begin(void)
{
	interrupts_count(VECTOR_TEST);
}

void ipi_end(struct test_result *result)
{
	interrupts_stop(result, VECTOR_TEST);
	for (uint32_t i = 2; i < machine.online; i++)
		if (interrupts_taken(i, VECTOR_TEST) != 0)
			test_fail(result, "CPU %u, which was not addressed, took %u interrupts", i,
				  interrupts_taken(i, VECTOR_TEST));
}

void ipi_expect(struct test_result *result, const char *what, struct ipi ipi, int64_t value,
		uint32_t sender, uint32_t target)
{
	uint32_t wanted[2] = {sender, target}, before[2];
	int64_t got;

	for (uint32_t i = 0; i < 2; i++)
		before[i] = interrupts_taken(i, VECTOR_TEST);
	got = ipi_call(result, ipi);
	if (got != value)
		test_fail(result, "%s: returned %ld, expected %ld", what, got, value);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t taken;

		interrupts_reach(i, VECTOR_TEST, before[i] + wanted[i]);
		if (!interrupts_settle(result, i))
			continue;
		taken = interrupts_taken(i, VECTOR_TEST) - before[i];
		if (taken != wanted[i])
			test_fail(result, "%s: CPU %u took %u interrupts, expected %u", what, i,
				  taken, wanted[i]);
	}
}

/* ABI-IPI-01: bit i of a0 addresses APIC ID min + i; the result is the number of APICs that
 * accepted. */
static void low_mask(struct test_result *result)
{
	static const uint32_t bits[] = {0, 1, 2, 17, 31, 32, 63};
	uint32_t self = ipi_id(0), target = ipi_id(1), min = self < target ? self : target;

	ipi_begin();
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (target >= bits[i])
			ipi_expect(result, "the target by one bit of a0",
				   ipi_to(target - bits[i], target), 1, 0, 1);
	ipi_expect(result, "the sender by bit 0", ipi_to(self, self), 1, 1, 0);
	if (self + target - 2 * min < IPI_CALL_IDS)
		ipi_expect(result, "both", ipi_add(ipi_to(min, self), target), 2, 1, 1);
	ipi_end(result);
}
ABI_CLAUSE(low_mask, "ABI-IPI-01", "abi.ipi.low_mask_bit_is_min_plus_i", ABI_MUST, IPI_NEEDS);

/* ABI-IPI-02: in 64-bit code, bit i of a1 addresses APIC ID min + 64 + i. It reaches IDs below 64
 * only through the wrap of ABI-IPI-09. */
static void high_mask(struct test_result *result)
{
	static const uint32_t bits[] = {63, 64, 65, 100, 127};
	uint32_t target = ipi_id(1);

	if (target < IPI_WORD_IDS) {
		test_skip(result, "needs a CPU 1 with an APIC ID of 64 or more, has %u", target);
		return;
	}
	ipi_begin();
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (target >= bits[i])
			ipi_expect(result, "the target by one bit of a0 and a1",
				   ipi_to(target - bits[i], target), 1, 0, 1);
	if (target >= IPI_CALL_IDS + ipi_id(0) + 1)
		ipi_expect(result, "all bits, the target just above them",
			   (struct ipi){.low = ~0ull,
					.high = ~0ull,
					.min = target - IPI_CALL_IDS,
					.icr = VECTOR_TEST},
			   0, 0, 0);
	ipi_end(result);
}
ABI_CLAUSE(high_mask, "ABI-IPI-02", "abi.ipi.high_mask_bit_is_min_plus_64_plus_i", ABI_MUST,
	   IPI_NEEDS);

/* ABI-IPI-04: the sender may address itself and takes the interrupt like others; while it masks
 * interrupts, the interrupt stays pending. */
static void to_self(struct test_result *result)
{
	struct ipi self = ipi_to(ipi_id(0), ipi_id(0));
	int64_t got;
	bool pending;

	ipi_begin();
	irq_disable();
	got = ipi_call(result, self);
	pending = interrupts_bit(APIC_IRR, VECTOR_TEST);
	irq_enable();
	if (got != 1 || !pending)
		test_fail(result, "to itself, IF=0: returned %ld, IRR bit %d; expected 1, 1", got,
			  pending);
	if (!interrupts_reach(0, VECTOR_TEST, 1))
		test_fail(result, "to itself: not taken on sti");
	ipi_expect(result, "to itself, IF=1", self, 1, 1, 0);
	ipi_end(result);
}
ABI_CLAUSE(to_self, "ABI-IPI-04", "abi.ipi.sender_may_be_addressed", ABI_MUST, IPI_NEEDS);

/* Expects one interrupt on each CPU whose APIC ID a call with min = 0 can name. Returns their
 * number. */
static uint32_t expect_all_named(struct test_result *result)
{
	uint32_t named = 0;

	for (uint32_t i = 0; i < machine.online; i++) {
		uint32_t wanted = ipi_id(i) < IPI_CALL_IDS;

		named += wanted;
		interrupts_reach(i, VECTOR_TEST, wanted);
		if (interrupts_settle(result, i) && interrupts_taken(i, VECTOR_TEST) != wanted)
			test_fail(result, "CPU %u (APIC ID %u) took %u interrupts, expected %u", i,
				  ipi_id(i), interrupts_taken(i, VECTOR_TEST), wanted);
	}
	return named;
}

/* ABI-IPI-05: IDs that no vCPU has are skipped and not counted; with none left, the result is 0. */
static void absent_ids(struct test_result *result)
{
	struct ipi all = {.low = ~0ull, .high = ~0ull, .icr = VECTOR_TEST}, absent = all;
	uint32_t named;
	int64_t got;

	ipi_begin();
	got = ipi_call(result, all);
	named = expect_all_named(result);
	if (got != named)
		test_fail(result, "all bits from 0: returned %ld, expected %u CPUs", got, named);
	interrupts_stop(result, VECTOR_TEST);
	ipi_begin();
	for (uint32_t i = 0; i < machine.online; i++) {
		if (ipi_id(i) < IPI_WORD_IDS)
			absent.low &= ~(1ull << ipi_id(i));
		else if (ipi_id(i) < IPI_CALL_IDS)
			absent.high &= ~(1ull << (ipi_id(i) - IPI_WORD_IDS));
	}
	ipi_expect(result, "all IDs that nobody has", absent, 0, 0, 0);
	ipi_expect(result, "an empty mask", (struct ipi){.icr = VECTOR_TEST}, 0, 0, 0);
	ipi_end(result);
	test_info(result, "all bits from APIC ID 0: %ld of %u CPUs", got, machine.online);
}
ABI_CLAUSE(absent_ids, "ABI-IPI-05", "abi.ipi.absent_ids_are_not_counted", ABI_MUST, IPI_NEEDS);

/* ABI-IPI-07: a `min` above all existing IDs addresses nobody. */
static void min_above_all(struct test_result *result)
{
	static const uint64_t above[] = {NOBODY_FROM, 0x1000,     0x10000,
					 0x7fffffff,  0xfffffffe, 0xffffffff};

	for (uint32_t i = 0; i < machine.online; i++)
		if (ipi_id(i) >= NOBODY_FROM) {
			test_skip(result, "CPU %u has APIC ID %u", i, ipi_id(i));
			return;
		}
	ipi_begin();
	for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++)
		/* for the last ones, a1 would wrap to existing IDs: ABI-IPI-09 */
		ipi_expect(result, "all bits above the highest APIC ID",
			   (struct ipi){.low = ~0ull,
					.high = above[i] < 0x80000000u ? ~0ull : 0,
					.min = above[i],
					.icr = VECTOR_TEST},
			   0, 0, 0);
	ipi_end(result);
}
ABI_CLAUSE(min_above_all, "ABI-IPI-07", "abi.ipi.min_above_all_ids_returns_0", ABI_KVM, IPI_NEEDS);

/* ABI-IPI-08: `min` is 32 bits wide; the upper half of a2 has no effect. */
static void min_is_32_bits(struct test_result *result)
{
	uint32_t target = ipi_id(1);
	struct ipi ipi = ipi_to(target, target);

	ipi_begin();
	ipi.min = 1ull << 32 | target;
	ipi_expect(result, "a2 = target + 2^32", ipi, 1, 0, 1);
	ipi.min = 0xffffffffull << 32 | target;
	ipi_expect(result, "a2 = target + all upper bits", ipi, 1, 0, 1);
	ipi_end(result);
}
ABI_CLAUSE(min_is_32_bits, "ABI-IPI-08", "abi.ipi.min_is_32_bits", ABI_KVM, IPI_NEEDS);

/* ABI-IPI-09: min + 64 is taken modulo 2^32, so that a1 reaches the IDs 0..63 if min is at the very
 * top. This is an accident of KVM's implementation. */
static void second_word_wraps(struct test_result *result)
{
	uint32_t target = ipi_id(1);

	if (target >= IPI_WORD_IDS) {
		test_skip(result, "needs a CPU 1 with an APIC ID below 64, has %u", target);
		return;
	}
	ipi_begin();
	ipi_expect(result, "min 0xffffffc0, a1",
		   (struct ipi){.high = 1ull << target, .min = 0xffffffc0, .icr = VECTOR_TEST}, 1,
		   0, 1);
	ipi_end(result);
}
ABI_CLAUSE(second_word_wraps, "ABI-IPI-09", "abi.ipi.second_word_wraps_at_2_to_32", ABI_KVM,
	   IPI_NEEDS);

/* ABI-IPI-19: with the APICs in the VMM, KVM cannot send and returns -EOPNOTSUPP, though QEMU still
 * offers the feature. */
static void apic_in_vmm(struct test_result *result)
{
	uint32_t self = ipi_id(0);

	ipi_begin();
	if (ipi_call(result, ipi_to(self, self)) != -KVM_EOPNOTSUPP)
		test_fail(result, "returned %ld, expected %d", ipi_call(result, ipi_to(self, self)),
			  -KVM_EOPNOTSUPP);
	interrupts_settle(result, 0);
	if (interrupts_taken(0, VECTOR_TEST) != 0)
		test_fail(result, "and took %u interrupts", interrupts_taken(0, VECTOR_TEST));
	ipi_end(result);
	test_info(result, "PV_SEND_IPI is %soffered",
		  machine.kvm.features & KVM_FEATURE_PV_SEND_IPI ? "" : "not ");
}
ABI_CLAUSE(apic_in_vmm, "ABI-IPI-19", "abi.ipi.apic_in_vmm_returns_eopnotsupp", ABI_KVM,
	   .conditions = ABI_NO_IRQCHIP);

/* ABI-IPI-20: the call works even if CPUID hides it, unless the VMM enforces features: then it does
 * not exist. Commit 66570e966dd9 (KVM_CAP_ENFORCE_PV_FEATURE_CPUID). */
static void hidden(struct test_result *result)
{
	bool enforced = abi_plan->vmm.enforce;

	ipi_begin();
	ipi_expect(result, enforced ? "hidden and enforced" : "hidden only",
		   ipi_to(ipi_id(1), ipi_id(1)), enforced ? -KVM_ENOSYS : 1, 0, !enforced);
	ipi_end(result);
}
ABI_CLAUSE(hidden, "ABI-IPI-20", "abi.ipi.hidden_works_unless_enforced", ABI_KVM,
	   .hidden = KVM_FEATURE_PV_SEND_IPI, .conditions = ABI_IRQCHIP, .vcpus = 2);
