/* SPDX-License-Identifier: MIT */
/* Hypercall numbers: what exists answers, what does not says so. hypercalls.rst, kvm_para.h */
#include "pvspin/hypercall.h"
#include "tests/abi/abi.h"

/* Arguments that are harmless for every known number: flags 0, an APIC ID nobody has. */
#define UNUSED_APIC_ID 0x1000

/* ABI-NR-01: an unknown number returns -KVM_ENOSYS, sign-extended to 64 bits. */
static void unknown_number(struct test_result *result)
{
	static const uint64_t numbers[] = {0, 13, 14, 15, 99, UINT64_MAX, 1ull << 63 | 1};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int64_t got = hypercall(numbers[i], 0, UNUSED_APIC_ID, 0, 0);

		if (got != -KVM_ENOSYS)
			test_fail(result, "number %#lx returned %ld, expected %d", numbers[i], got,
				  -KVM_ENOSYS);
	}
}
ABI_CLAUSE(unknown_number, "ABI-NR-01", "abi.nr.unknown_returns_enosys", ABI_MUST);

/* ABI-NR-02: VAPIC_POLL_IRQ returns 0 whatever its arguments: the "hypercalls work" probe. */
static void poll_irq(struct test_result *result)
{
	int64_t got;

	got = hypercall(KVM_HC_VAPIC_POLL_IRQ, ~0ull, ~0ull, ~0ull, ~0ull);
	if (got != 0)
		test_fail(result, "returned %ld, expected 0", got);
}
ABI_CLAUSE(poll_irq, "ABI-NR-02", "abi.nr.vapic_poll_irq_returns_0", ABI_MUST);
