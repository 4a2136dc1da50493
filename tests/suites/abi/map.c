/* SPDX-License-Identifier: MIT */
/*
 * KVM_HC_MAP_GPA_RANGE. A VMM must opt in to it; QEMU does so for confidential guests only.
 * Linux Documentation/virt/kvm/x86/hypercalls.rst (KVM_HC_MAP_GPA_RANGE), arch/x86/kvm/x86.c.
 */
#include "kernel/kvm.h"
#include "kernel/layout.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/call.h"

#define MAP_4K        0ull
#define MAP_ENCRYPTED (1ull << 4) /* attributes: page size in bits 3:0, then this */

static uint8_t page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

struct range {
	uint64_t address, pages, attributes;
};

static int64_t map(struct test_result *result, struct range range)
{
	struct abi_result got = abi_hypercall(KVM_HC_MAP_GPA_RANGE, range.address, range.pages,
					      range.attributes, 0);

	if (got.faulted)
		test_fail(result, "MAP_GPA_RANGE faulted: vector %u, error code %#x", got.vector,
			  got.error);
	return (int64_t)got.value;
}

/* Fails unless the call returns `expected` for all the ranges. */
static void expect_all(struct test_result *result, const struct range *ranges, size_t count,
		       int64_t value)
{
	for (size_t i = 0; i < count; i++) {
		int64_t got = map(result, ranges[i]);

		if (got != value)
			test_fail(result,
				  "address %#lx, %lu pages, attributes %#lx: %ld, expected %ld",
				  ranges[i].address, ranges[i].pages, ranges[i].attributes, got,
				  value);
	}
}

/* ABI-MAP-01: unless the VMM opts in, the call does not exist, whatever its arguments: KVM decides
 * that before it reads them. */
static void not_offered(struct test_result *result)
{
	const struct range ranges[] = {
		{(uint64_t)page, 1, MAP_4K | MAP_ENCRYPTED},
		{(uint64_t)page, 1, MAP_4K},
		{(uint64_t)page + 1, 1, MAP_4K},
		{(uint64_t)page, 0, MAP_4K},
		{(uint64_t)page, UINT64_MAX, MAP_4K},
		{UINT64_MAX, UINT64_MAX, UINT64_MAX},
	};

	expect_all(result, ranges, sizeof(ranges) / sizeof(ranges[0]), -KVM_ENOSYS);
}
ABI_CLAUSE(not_offered, "ABI-MAP-01", "abi.map.not_offered_returns_enosys", ABI_KVM,
	   .hidden = KVM_FEATURE_HC_MAP_GPA_RANGE);

/* ABI-MAP-02: if offered, it refuses an unaligned address, a range of no pages, and one past 2^64.
 */
static void refused(struct test_result *result)
{
	const struct range ranges[] = {
		{(uint64_t)page + 1, 1, MAP_4K | MAP_ENCRYPTED},
		{(uint64_t)page, 0, MAP_4K | MAP_ENCRYPTED},
		{(uint64_t)page, UINT64_MAX / PAGE_BYTES, MAP_4K | MAP_ENCRYPTED},
	};

	expect_all(result, ranges, sizeof(ranges) / sizeof(ranges[0]), -KVM_EINVAL);
}
ABI_CLAUSE(refused, "ABI-MAP-02", "abi.map.bad_ranges_return_einval", ABI_KVM,
	   .features = KVM_FEATURE_HC_MAP_GPA_RANGE);

/* ABI-MAP-03: if offered, the VMM decides the result of a valid call: 0, or an error of its own.
 * The call says that a page is encrypted, which it already is, so nothing changes. */
static void vmm_answers(struct test_result *result)
{
	int64_t got = map(result, (struct range){(uint64_t)page, 1, MAP_4K | MAP_ENCRYPTED});

	if (got == -KVM_ENOSYS)
		test_fail(result, "offered, and returns %ld", got);
	test_info(result, "the VMM's result: %ld", got);
}
ABI_CLAUSE(vmm_answers, "ABI-MAP-03", "abi.map.result_is_the_vmms", ABI_INFO,
	   .features = KVM_FEATURE_HC_MAP_GPA_RANGE);
