/* SPDX-License-Identifier: MIT */
/*
 * KVM_HC_CLOCK_PAIRING: the host's wall clock and the guest's TSC at one instant, written to the
 * guest's memory. Only where the host's clocksource is the TSC; -EOPNOTSUPP otherwise. Linux
 * Documentation/virt/kvm/x86/hypercalls.rst (KVM_HC_CLOCK_PAIRING), arch/x86/kvm/x86.c
 * (kvm_pv_clock_pairing).
 */
#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/layout.h"
#include "kernel/paging.h"
#include "kernel/tsc.h"
#include "lib/string.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/call.h"

#define KVM_CLOCK_PAIRING_WALLCLOCK 0 /* the only type */

#define FILL         0xaa
#define ROUNDS       100
#define YEAR_2020    1577836800ll /* seconds since 1970 */
#define SKEW_NS      100000       /* between TSCs of the host's CPUs, at most */
#define CLOCKS_NS    100000       /* between the two ways to the wall clock, at most */
#define CLOCKS_TRIES 10

/* hypercalls.rst */
struct pairing {
	int64_t sec, nsec;
	uint64_t tsc;
	uint32_t flags, pad[9];
};

_Static_assert(sizeof(struct pairing) == 64, "KVM writes 64 bytes");

static uint8_t buffer[2 * PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static struct abi_result pair(uint64_t address, uint64_t type)
{
	return abi_hypercall(KVM_HC_CLOCK_PAIRING, address, type, 0, 0);
}

static void expect(struct test_result *result, const char *what, struct abi_result got,
		   int64_t wanted)
{
	if (got.faulted)
		test_fail(result, "%s: faulted, vector %u", what, got.vector);
	else if ((int64_t)got.value != wanted)
		test_fail(result, "%s: returned %ld, expected %ld", what, (int64_t)got.value,
			  wanted);
}

/* Fills the buffer and makes a pairing at `at` in it. Returns false if the call is not supported
 * here (SKIP) or fails (a failure). */
static bool paired(struct test_result *result, size_t at, struct pairing *pairing)
{
	struct abi_result got;

	memset(buffer, FILL, sizeof(buffer));
	got = pair((uint64_t)buffer + at, KVM_CLOCK_PAIRING_WALLCLOCK);
	if (!got.faulted && (int64_t)got.value == -KVM_EOPNOTSUPP) {
		test_skip(result, "the host's clocksource is not the TSC (returned %d)",
			  -KVM_EOPNOTSUPP);
		return false;
	}
	expect(result, "pairing", got, 0);
	memcpy(pairing, buffer + at, sizeof(*pairing));
	return !got.faulted && got.value == 0;
}

/* Fails if a byte of the buffer outside of [at, at + length) has changed. */
static void rest_is_untouched(struct test_result *result, size_t at, size_t length)
{
	for (size_t i = 0; i < sizeof(buffer); i++)
		if ((i < at || i >= at + length) && buffer[i] != FILL) {
			test_fail(result, "wrote to offset %ld of the 64 bytes at %#zx",
				  (int64_t)(i - at), at);
			return;
		}
}

static void looks_right(struct test_result *result, const struct pairing *pairing)
{
	if (pairing->sec < YEAR_2020 || pairing->nsec < 0 || pairing->nsec >= 1000000000)
		test_fail(result, "%ld s %ld ns is not a plausible time", pairing->sec,
			  pairing->nsec);
	if (pairing->flags != 0)
		test_fail(result, "flags are %#x, expected 0", pairing->flags);
	for (int i = 0; i < 9; i++)
		if (pairing->pad[i] != 0)
			test_fail(result, "pad[%d] is %#x, expected 0", i, pairing->pad[i]);
}

/* ABI-PAIR-01: the call writes 64 bytes: seconds, nanoseconds, TSC, flags 0, padding 0. */
static void layout(struct test_result *result)
{
	struct pairing pairing;

	if (!paired(result, 0, &pairing))
		return;
	looks_right(result, &pairing);
	rest_is_untouched(result, 0, sizeof(pairing));
	test_info(result, "%ld s %ld ns at TSC %lu", pairing.sec, pairing.nsec, pairing.tsc);
}
ABI_CLAUSE(layout, "ABI-PAIR-01", "abi.pair.writes_64_bytes", ABI_MUST);

/* ABI-PAIR-02: the TSC value is the guest's TSC at an instant within the call. */
static void tsc_in_call(struct test_result *result)
{
	uint64_t skew = tsc_from_ns(SKEW_NS), longest = 0;
	struct pairing pairing;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t before = rdtsc(), after;

		if (!paired(result, 0, &pairing))
			return;
		after = rdtsc();
		if (pairing.tsc > after || pairing.tsc + skew < before)
			test_fail(result, "round %d: TSC %lu is not in %lu..%lu", i, pairing.tsc,
				  before, after);
		if (after - before > longest)
			longest = after - before;
	}
	test_info(result, "%d calls, the longest %lu us", ROUNDS, tsc_to_ns(longest) / 1000);
}
ABI_CLAUSE(tsc_in_call, "ABI-PAIR-02", "abi.pair.tsc_is_within_the_call", ABI_KVM);

/* ABI-PAIR-03: a type other than 0 (in any of 64 bits) is not supported, and nothing is written.
 */
static void other_types(struct test_result *result)
{
	static const uint64_t types[] = {1, 2, UINT64_MAX, 1ull << 32, 1ull << 63};

	memset(buffer, FILL, sizeof(buffer));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		expect(result, "type other than 0", pair((uint64_t)buffer, types[i]),
		       -KVM_EOPNOTSUPP);
	rest_is_untouched(result, 0, 0);
}
ABI_CLAUSE(other_types, "ABI-PAIR-03", "abi.pair.other_types_return_eopnotsupp", ABI_MUST);

/* ABI-PAIR-04: an address without RAM is -EFAULT. The page of the APIC, 0xfee00000, may have memory
 * of KVM's own behind it (APICv, AVIC). */
static void without_ram(struct test_result *result)
{
	static const uint64_t addresses[] = {1ull << 45, 0xfec00000, UINT64_MAX - 63, 1ull << 63};
	struct pairing pairing;
	struct abi_result apic_page;

	if (!paired(result, 0, &pairing)) /* the check for support comes first */
		return;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		expect(result, "no RAM", pair(addresses[i], 0), -KVM_EFAULT);
	apic_page = pair(0xfee00000, 0);
	if (apic_page.faulted || apic_page.value != 0)
		expect(result, "the APIC's page", apic_page, -KVM_EFAULT);
	test_info(result, "at the APIC's page: %ld", (int64_t)apic_page.value);
}
ABI_CLAUSE(without_ram, "ABI-PAIR-04", "abi.pair.no_ram_returns_efault", ABI_KVM);

/* ABI-PAIR-05: any alignment is accepted, and the 64 bytes may cross a page boundary. */
static void unaligned(struct test_result *result)
{
	static const size_t offsets[] = {1, 3, 7, PAGE_BYTES - 1, PAGE_BYTES - 37, PAGE_BYTES - 63};

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		struct pairing pairing;

		if (!paired(result, offsets[i], &pairing))
			return;
		looks_right(result, &pairing);
		rest_is_untouched(result, offsets[i], sizeof(pairing));
	}
}
ABI_CLAUSE(unaligned, "ABI-PAIR-05", "abi.pair.unaligned_and_across_pages", ABI_KVM);

/* ABI-PAIR-06: where the host's clocksource is not the TSC, each call returns -EOPNOTSUPP and
 * writes nothing. */
static void unsupported(struct test_result *result)
{
	memset(buffer, FILL, sizeof(buffer));
	if (pair((uint64_t)buffer, 0).value == 0) {
		test_skip(result, "the host's clocksource is the TSC");
		return;
	}
	for (int i = 0; i < ROUNDS; i++)
		expect(result, "pairing", pair((uint64_t)buffer, 0), -KVM_EOPNOTSUPP);
	rest_is_untouched(result, 0, 0);
}
ABI_CLAUSE(unsupported, "ABI-PAIR-06", "abi.pair.host_without_tsc_returns_eopnotsupp", ABI_KVM);

/* Copies bytes 0..63 of memory, where C has no objects. */
static void copy_from_0(void *to)
{
	uint64_t from = 0, count = sizeof(struct pairing);

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static void copy_to_0(const void *from)
{
	uint64_t to = 0, count = sizeof(struct pairing);

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

/* ABI-PAIR-07: no feature bit offers or hides the call, enforced or not. It writes to whatever
 * address it is given, even to 0, so a guest that tries hypercalls with zeroed registers loses its
 * real-mode vectors. (The test restores them.) */
static void not_gated(struct test_result *result)
{
	struct pairing saved = {0}, written = {0};
	struct abi_result got;

	paging_set(0, PAGE_BYTES, PAGING_WRITE); /* unmapped for null pointers to fault */
	copy_from_0(&saved);
	got = pair(0, 0);
	copy_from_0(&written);
	copy_to_0(&saved);
	paging_set(0, PAGE_BYTES, PAGING_NONE);
	if (!got.faulted && (int64_t)got.value == -KVM_EOPNOTSUPP) {
		test_skip(result, "the host's clocksource is not the TSC");
		return;
	}
	expect(result, "all arguments 0", got, 0);
	looks_right(result, &written);
	test_info(result, "features %#x, %senforced", machine.kvm.features,
		  abi_plan->vmm.enforce ? "" : "not ");
}
ABI_CLAUSE(not_gated, "ABI-PAIR-07", "abi.pair.no_feature_bit_and_no_gate", ABI_KVM);

/* Sets how many ns a pairing lies before or after the two readings of kvmclock around it (0: it is
 * between them). Reads the wall clock again, because the host may have adjusted its clock since
 * boot. */
static bool disagreement(struct test_result *result, uint64_t *ns)
{
	struct pairing pairing;
	uint64_t before, after, at;

	if (!kvm_clock_init(&machine.kvm)) {
		test_error(result, "kvmclock does not start");
		return false;
	}
	before = kvm_clock_wall_ns();
	if (!paired(result, 0, &pairing))
		return false;
	after = kvm_clock_wall_ns();
	at = (uint64_t)pairing.sec * 1000000000 + (uint64_t)pairing.nsec;
	*ns = at < before ? before - at : at > after ? at - after : 0;
	return true;
}

/* ABI-PAIR-08: its time is that of the wall clock MSR plus kvmclock. KVM computes that MSR's value
 * from two clocks, read one after the other, and can lose the CPU in between: so take the best of
 * several. */
static void agrees_with_kvmclock(struct test_result *result)
{
	uint64_t best = UINT64_MAX, ns;

	for (int i = 0; i < CLOCKS_TRIES && best > CLOCKS_NS; i++) {
		if (!disagreement(result, &ns))
			return;
		if (ns < best)
			best = ns;
	}
	if (best > CLOCKS_NS)
		test_fail(result, "%lu ns outside of two readings of kvmclock around it", best);
	test_info(result, "%lu ns outside of two readings of kvmclock around it", best);
}
ABI_CLAUSE(agrees_with_kvmclock, "ABI-PAIR-08", "abi.pair.agrees_with_kvmclock", ABI_KVM,
	   .features = KVM_FEATURE_CLOCKSOURCE2);
