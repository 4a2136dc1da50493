/* SPDX-License-Identifier: MIT */
/* KVM_HC_SEND_IPI: which modes its fourth argument, an ICR value, may have. */
#include "tests/suites/abi/ipi.h"

#include "kernel/cpu.h"
#include "kernel/percpu.h"

static struct ipi to_target(uint64_t icr)
{
	struct ipi ipi = ipi_to(ipi_id(1), ipi_id(1));

	ipi.icr = icr;
	return ipi;
}

/* Addresses both CPUs; false if their IDs are too far apart for one call. */
static bool to_both(struct ipi *ipi, uint64_t icr)
{
	uint32_t self = ipi_id(0), target = ipi_id(1), min = self < target ? self : target;

	*ipi = ipi_add(ipi_to(min, self), self + target - 2 * min < IPI_CALL_IDS ? target : self);
	ipi->icr = icr;
	return self + target - 2 * min < IPI_CALL_IDS;
}

/* ABI-IPI-06: an interrupt that merges with a pending one of its vector counts as accepted, and
 * only one is taken. */
static void merged(struct test_result *result)
{
	struct ipi self = ipi_to(ipi_id(0), ipi_id(0));
	int64_t first, second;

	ipi_begin();
	irq_disable();
	first = ipi_call(result, self);
	second = ipi_call(result, self);
	irq_enable();
	interrupts_reach(0, VECTOR_TEST, 1);
	interrupts_settle(result, 0);
	if (first != 1 || second != 1)
		test_fail(result, "twice to itself, IF=0: %ld and %ld, expected 1 and 1", first,
			  second);
	if (interrupts_taken(0, VECTOR_TEST) != 1)
		test_fail(result, "%u interrupts taken, expected 1",
			  interrupts_taken(0, VECTOR_TEST));
	ipi_end(result);
}
ABI_CLAUSE(merged, "ABI-IPI-06", "abi.ipi.merged_into_pending_counts_1", ABI_MUST, IPI_NEEDS);

/* ABI-IPI-10: logical destinations and shorthands are refused, and nothing is sent. */
static void refused(struct test_result *result)
{
	static const uint32_t bits[] = {ICR_LOGICAL, ICR_SELF, ICR_ALL, ICR_OTHERS,
					ICR_LOGICAL | ICR_OTHERS};
	struct ipi ipi;

	ipi_begin();
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		to_both(&ipi, bits[i] | VECTOR_TEST);
		ipi_expect(result, "logical destination or shorthand", ipi, -KVM_EINVAL, 0, 0);
	}
	ipi_end(result);
}
ABI_CLAUSE(refused, "ABI-IPI-10", "abi.ipi.logical_and_shorthand_return_einval", ABI_MUST,
	   IPI_NEEDS);

/* ABI-IPI-11: NMI mode sends the target an NMI, whatever the vector field has. */
static void as_nmi(struct test_result *result)
{
	static const uint32_t vectors[] = {0, VECTOR_TEST, 0xff};

	ipi_begin();
	interrupts_count(VECTOR_NMI);
	for (uint32_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		ipi_expect(result, "NMI mode", to_target(ICR_NMI | vectors[i]), 1, 0, 0);
		if (!interrupts_reach(1, VECTOR_NMI, i + 1)) /* one by one: NMIs merge */
			test_fail(result, "NMI %u, with vector field %#x, did not come", i + 1,
				  vectors[i]);
	}
	ipi_end(result);
	if (interrupts_taken(1, VECTOR_NMI) > 3 || interrupts_taken(0, VECTOR_NMI) > 0)
		test_fail(result, "3 NMIs sent, the target took %u, the sender %u",
			  interrupts_taken(1, VECTOR_NMI), interrupts_taken(0, VECTOR_NMI));
	if (interrupts_taken(1, VECTOR_NMI) >= 3) /* a late one would otherwise be a panic */
		traps_handle(VECTOR_NMI, NULL);
}
ABI_CLAUSE(as_nmi, "ABI-IPI-11", "abi.ipi.nmi_mode_is_an_nmi", ABI_KVM, IPI_NEEDS);

/* ABI-IPI-12: lowest priority selects no CPU: each addressed CPU takes it, as in fixed mode. */
static void lowest_priority(struct test_result *result)
{
	struct ipi ipi;

	ipi_begin();
	ipi_expect(result, "lowest priority to one", to_target(ICR_LOWEST | VECTOR_TEST), 1, 0, 1);
	if (to_both(&ipi, ICR_LOWEST | VECTOR_TEST))
		ipi_expect(result, "lowest priority to two", ipi, 2, 1, 1);
	ipi_end(result);
}
ABI_CLAUSE(lowest_priority, "ABI-IPI-12", "abi.ipi.lowest_priority_is_fixed_to_each", ABI_KVM,
	   IPI_NEEDS);

/* ABI-IPI-13: ExtINT mode is dropped. */
static void extint(struct test_result *result)
{
	ipi_begin();
	ipi_expect(result, "ExtINT mode", to_target(ICR_EXTINT | VECTOR_TEST), 0, 0, 0);
	ipi_expect(result, "fixed mode after it", to_target(VECTOR_TEST), 1, 0, 1);
	ipi_end(result);
}
ABI_CLAUSE(extint, "ABI-IPI-13", "abi.ipi.extint_mode_is_dropped", ABI_KVM, IPI_NEEDS);

/* ABI-IPI-16: a level-triggered interrupt needs the assert bit; without it, it is dropped. */
static void level_triggered(struct test_result *result)
{
	ipi_begin();
	ipi_expect(result, "level without assert", to_target(ICR_LEVEL | VECTOR_TEST), 0, 0, 0);
	ipi_expect(result, "level with assert", to_target(ICR_LEVEL | ICR_ASSERT | VECTOR_TEST), 1,
		   0, 1);
	/* Edge again, which clears the vector's bit in the target's trigger mode register. */
	ipi_expect(result, "edge with assert", to_target(ICR_ASSERT | VECTOR_TEST), 1, 0, 1);
	ipi_end(result);
}
ABI_CLAUSE(level_triggered, "ABI-IPI-16", "abi.ipi.level_needs_assert", ABI_KVM, IPI_NEEDS);

/* ABI-IPI-17: the ICR's destination half and its reserved bits have no effect. */
static void ignored_bits(struct test_result *result)
{
	/* bits 12 (delivery status), 13, 17:16 and 31:20 */
	static const uint64_t bits[] = {
		0xffffffff00000000, 0x1000, 0x2000, 0x10000, 0x20000, 0xfff03000,
		0xfffffffffff33000};

	ipi_begin();
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		ipi_expect(result, "ignored bits of the ICR", to_target(bits[i] | VECTOR_TEST), 1,
			   0, 1);
	ipi_end(result);
}
ABI_CLAUSE(ignored_bits, "ABI-IPI-17", "abi.ipi.icr_upper_and_reserved_bits_ignored", ABI_KVM,
	   IPI_NEEDS);
