/* SPDX-License-Identifier: MIT */
/*
 * Steal time, MSR 0x4b564d03: which parts of the area KVM writes, and which values of the MSR it
 * accepts. Runs on CPU 0 with an area of its own and restores the guest's. KVM updates the area
 * before the vCPU is entered again after the WRMSR, so the update is visible right after that
 * instruction. Linux Documentation/virt/kvm/x86/msr.rst (MSR_KVM_STEAL_TIME), arch/x86/kvm/x86.c
 * (record_steal_time).
 */
#include "lib/steal.h"

#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/smp.h"
#include "kernel/timer.h"
#include "kernel/tsc.h"
#include "lib/string.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/pv_msrs.h"

#define STEAL_NEEDS .features = KVM_FEATURE_STEAL_TIME

#define RESERVED_FIRST 1 /* bits 5:1 */
#define RESERVED_LAST  5
#define EXITS          5
#define EXIT_NS        5000000ull
#define MS             1000000ull
#define FILL           0xff
#define MOST_VERSIONS  1000                /* between two looks; an update adds 2 */
#define STEAL_BASE     (UINT64_C(1) << 48) /* 78 hours of ns: more than any VM here has waited */

static struct steal_area area;
static uint64_t guests; /* the guest's value of the MSR, restored by end() */

static uint32_t version(void)
{
	return atomic_load_explicit(&area.version, memory_order_acquire);
}

static uint64_t steal(void)
{
	return atomic_load_explicit(&area.steal, memory_order_relaxed);
}

/* Fills the area with `fill` and disables steal time. */
static void begin(struct test_result *result, uint8_t fill)
{
	guests = pv_read(result, MSR_KVM_STEAL_TIME);
	pv_write(result, MSR_KVM_STEAL_TIME, 0);
	memset(&area, fill, sizeof(area));
}

static void enable(struct test_result *result)
{
	pv_write(result, MSR_KVM_STEAL_TIME, (uint64_t)&area | MSR_KVM_ENABLE);
}

static void end(struct test_result *result)
{
	pv_write(result, MSR_KVM_STEAL_TIME, guests);
}

/* Gives KVM occasions to write to the area: HLTs, each of which gives up the host's CPU. */
static void exit_often(void)
{
	for (int i = 0; i < EXITS; i++)
		timer_sleep(EXIT_NS);
}

/* ABI-STEAL-01: if one of bits 5:1 is set, the write is #GP and changes nothing, whatever bit 0 is.
 */
static void reserved_bits(struct test_result *result)
{
	for (int bit = RESERVED_FIRST; bit <= RESERVED_LAST; bit++) {
		pv_write_faults(result, MSR_KVM_STEAL_TIME, (uint64_t)&area | 1ull << bit);
		pv_write_faults(result, MSR_KVM_STEAL_TIME,
				(uint64_t)&area | 1ull << bit | MSR_KVM_ENABLE);
	}
}
ABI_CLAUSE(reserved_bits, "ABI-STEAL-01", "abi.steal.reserved_bits_fault", ABI_MUST, STEAL_NEEDS);

static bool all_bytes_are(uint8_t fill)
{
	const volatile uint8_t *bytes = (const volatile uint8_t *)&area;

	for (size_t i = 0; i < sizeof(area); i++)
		if (bytes[i] != fill)
			return false;
	return true;
}

/* ABI-STEAL-02: bit 0 enables; without it nothing is written. */
static void enable_bit(struct test_result *result)
{
	begin(result, 0);
	pv_write(result, MSR_KVM_STEAL_TIME, (uint64_t)&area);
	exit_often();
	if (!all_bytes_are(0))
		test_fail(result, "the area was written to although bit 0 was clear");
	enable(result);
	if (version() == 0)
		test_fail(result, "the area was not written to although bit 0 was set");
	end(result);
}
ABI_CLAUSE(enable_bit, "ABI-STEAL-02", "abi.steal.bit_0_enables", ABI_MUST, STEAL_NEEDS);

/* ABI-STEAL-03: the version is even whenever the vCPU reads it, and each update adds 2. An odd
 * initial version is first made even: 7 becomes 8, then 10 by the first update. */
static void version_from(struct test_result *result, uint32_t initial, uint32_t least)
{
	uint32_t first, second;

	begin(result, 0);
	atomic_store_explicit(&area.version, initial, memory_order_relaxed);
	enable(result);
	first = version();
	enable(result);
	second = version();
	end(result);
	/* There is more than one update if the vCPU lost its CPU meanwhile. */
	if ((first & 1) || first - least > MOST_VERSIONS)
		test_fail(result, "version %#x became %#x, expected %#x or a few times 2 more",
			  initial, first, least);
	if ((second & 1) || second - first == 0 || second - first > MOST_VERSIONS)
		test_fail(result, "version %#x became %#x by an update, expected 2 more", first,
			  second);
	test_info(result, "%#x, %#x, %#x", initial, first, second);
}

static void version_is_even(struct test_result *result)
{
	version_from(result, 0, 2);
	version_from(result, 7, 10);
	version_from(result, 0xffffffff, 2);
}
ABI_CLAUSE(version_is_even, "ABI-STEAL-03", "abi.steal.version_is_even", ABI_MUST, STEAL_NEEDS);

/* ABI-STEAL-04: KVM does not write flags and padding: they keep the guest's values. */
static void padding_is_kept(struct test_result *result)
{
	uint32_t flags;

	begin(result, FILL);
	enable(result);
	exit_often();
	flags = atomic_load_explicit(&area.flags, memory_order_relaxed);
	end(result);
	if (version() == UINT32_MAX)
		test_fail(result, "the area was not written to");
	if (flags != UINT32_MAX)
		test_fail(result, "flags were all ones, are %#x", flags);
	for (size_t i = 0; i < sizeof(area.pad); i++)
		if (area.pad[i] != FILL)
			test_fail(result, "byte %zu was %#x, is %#x",
				  offsetof(struct steal_area, pad) + i, FILL, area.pad[i]);
}
ABI_CLAUSE(padding_is_kept, "ABI-STEAL-04", "abi.steal.flags_and_padding_are_kept", ABI_KVM,
	   STEAL_NEEDS);

/* ABI-STEAL-05: KVM adds the time to the value in memory, so a guest's own start value survives. */
static void adds(struct test_result *result)
{
	uint64_t now;

	begin(result, 0);
	atomic_store_explicit(&area.steal, STEAL_BASE, memory_order_relaxed);
	enable(result);
	exit_often();
	now = steal();
	end(result);
	if (version() == 0)
		test_fail(result, "the area was not written to");
	if (now < STEAL_BASE || now >= 2 * STEAL_BASE)
		test_fail(result, "steal was set to %#lx, became %#lx", STEAL_BASE, now);
	test_info(result, "%lu us added", (now - STEAL_BASE) / 1000);
}
ABI_CLAUSE(adds, "ABI-STEAL-05", "abi.steal.adds_to_what_is_there", ABI_KVM, STEAL_NEEDS);

/* ABI-STEAL-06: the first report in a vCPU's life covers all its waiting since its thread was
 * created. Later ones, even to another area, cover only the time since the last. */
static void first_has_history(struct test_result *result)
{
	uint64_t total, again;

	begin(result, 0);
	total = atomic_load_explicit(&smp_steal(0)->steal, memory_order_relaxed);
	enable(result);
	again = steal();
	end(result);
	test_info(result, "%lu us at boot, %lu us until now, then %lu us to a new area",
		  smp_first_steal(0) / 1000, total / 1000, again / 1000);
	if (total >= 10 * MS && again >= total)
		test_fail(result, "the new area was given all of it again");
}
ABI_CLAUSE(first_has_history, "ABI-STEAL-06", "abi.steal.first_report_has_the_history", ABI_INFO,
	   STEAL_NEEDS);

static bool version_rests(void)
{
	uint32_t before = version();

	exit_often();
	return version() == before;
}

/* ABI-STEAL-12: an address without RAM is accepted. KVM cannot write there and no longer writes to
 * the previous area. The APIC's page may have memory of KVM's own behind it. */
static void without_ram(struct test_result *result)
{
	static const uint64_t addresses[] = {1ull << 40, 0xfee00000, ABI_NO_RAM, ~0ull << 6};
	uint32_t before;

	begin(result, 0);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		uint64_t value = addresses[i] | MSR_KVM_ENABLE;

		enable(result);
		if (!pv_write(result, MSR_KVM_STEAL_TIME, value))
			continue;
		pv_expect(result, MSR_KVM_STEAL_TIME, value);
		if (!version_rests())
			test_fail(result, "with %#lx set, the area before it is written to", value);
	}
	before = version();
	enable(result);
	if (version() == before)
		test_fail(result, "the area is not written to any more");
	end(result);
}
ABI_CLAUSE(without_ram, "ABI-STEAL-12", "abi.steal.address_without_ram_is_accepted", ABI_KVM,
	   STEAL_NEEDS);

/* ABI-STEAL-13: 0 ends the reports. */
static void zero_stops(struct test_result *result)
{
	begin(result, 0);
	enable(result);
	if (version() == 0)
		test_fail(result, "the area was not written to");
	if (version_rests())
		test_info(result, "no update by %u halts", EXITS);
	pv_write(result, MSR_KVM_STEAL_TIME, 0);
	if (!version_rests())
		test_fail(result, "the area is still written to");
	end(result);
}
ABI_CLAUSE(zero_stops, "ABI-STEAL-13", "abi.steal.zero_stops", ABI_KVM, STEAL_NEEDS);
