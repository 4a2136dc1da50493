/* SPDX-License-Identifier: MIT */
/*
 * kvmclock, MSR SYSTEM_TIME in its two names: which part of the area KVM writes and when, and which
 * values of the MSR it accepts. Runs on CPU 0 with areas of its own and restores the guest's. KVM
 * writes to the area before the vCPU is entered again after the WRMSR. Linux
 * Documentation/virt/kvm/x86/msr.rst (MSR_KVM_SYSTEM_TIME_NEW), arch/x86/kvm/x86.c
 * (kvm_write_system_time, kvm_setup_guest_pvclock, kvm_gen_kvmclock_update).
 */
#include "kernel/kvm.h"
#include "kernel/layout.h"
#include "kernel/machine.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/timer.h"
#include "lib/string.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/pv_msrs.h"
#include "tests/suites/abi/scene.h"

#define CLOCK_NEEDS  .features = KVM_FEATURE_CLOCKSOURCE2
#define BOTH_CLOCKS  (KVM_FEATURE_CLOCKSOURCE2 | KVM_FEATURE_CLOCKSOURCE)
#define STABLE_CLOCK (1u << 24) /* KVM_FEATURE_CLOCKSOURCE_STABLE_BIT, cpuid.rst */
#define TSC_STABLE   1u         /* one of the area's flags: PVCLOCK_TSC_STABLE_BIT */

#define FILL       0xcc
#define AREA_BYTES sizeof(struct kvm_system_time)
#define OTHER      1024 /* offset of a second area */

/* 100 ms after a WRMSR, KVM writes again to all vCPUs' areas (KVMCLOCK_UPDATE_DELAY). */
#define UPDATE_NS 300000000ull

static uint8_t page[2 * PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static uint64_t guests; /* the guest's value of the MSR, restored by end() */

static struct kvm_system_time copy_at(size_t offset)
{
	struct kvm_system_time copy;

	__asm__ volatile("" : : : "memory"); /* KVM has written */
	memcpy(&copy, page + offset, sizeof(copy));
	return copy;
}

static uint32_t version_at(size_t offset)
{
	struct kvm_system_time copy = copy_at(offset);

	return atomic_load_explicit(&copy.version, memory_order_relaxed);
}

static uint8_t flags_at(size_t offset)
{
	struct kvm_system_time copy = copy_at(offset);

	return atomic_load_explicit(&copy.flags, memory_order_relaxed);
}

static void begin(struct test_result *result)
{
	guests = pv_read(result, MSR_KVM_SYSTEM_TIME_NEW);
	pv_write(result, MSR_KVM_SYSTEM_TIME_NEW, 0);
	memset(page, FILL, sizeof(page));
}

/* Zeroes and enables the area at `offset`. */
static void enable_by(struct test_result *result, uint32_t msr, size_t offset)
{
	memset(page + offset, 0, AREA_BYTES);
	pv_write(result, msr, (uint64_t)(page + offset) | MSR_KVM_ENABLE);
}

static void enable(struct test_result *result, size_t offset)
{
	enable_by(result, MSR_KVM_SYSTEM_TIME_NEW, offset);
}

static void end(struct test_result *result)
{
	pv_write(result, MSR_KVM_SYSTEM_TIME_NEW, guests);
}

/* Fails if KVM wrote outside the area at `offset`. */
static void rest_is_untouched(struct test_result *result, size_t offset)
{
	for (size_t i = 0; i < sizeof(page); i++)
		if ((i < offset || i >= offset + AREA_BYTES) && page[i] != FILL) {
			test_fail(result, "wrote to offset %ld of the %zu bytes at %#zx",
				  (int64_t)(i - offset), AREA_BYTES, offset);
			return;
		}
}

static void is_filled(struct test_result *result, size_t offset)
{
	struct kvm_system_time copy = copy_at(offset);
	uint32_t version = atomic_load_explicit(&copy.version, memory_order_relaxed);

	if (version == 0 || (version & 1))
		test_fail(result, "at offset %zu the version is %u, expected even, not 0", offset,
			  version);
	if (atomic_load_explicit(&copy.tsc_to_system_mul, memory_order_relaxed) == 0 ||
	    atomic_load_explicit(&copy.tsc_timestamp, memory_order_relaxed) == 0)
		test_fail(result, "at offset %zu the TSC or its multiplier is 0", offset);
}

/* ABI-CLK-01: 0x11 and 0x4b564d00 are two names of one register, 0x12 and 0x4b564d01 of another. */
static void two_names(struct test_result *result)
{
	uint64_t wall = pv_read(result, MSR_KVM_WALL_CLOCK_NEW);
	uint64_t value = (uint64_t)page | MSR_KVM_ENABLE, other = value + OTHER;

	begin(result);
	pv_write(result, MSR_KVM_SYSTEM_TIME, value);
	pv_expect(result, MSR_KVM_SYSTEM_TIME_NEW, value);
	pv_write(result, MSR_KVM_SYSTEM_TIME_NEW, other);
	pv_expect(result, MSR_KVM_SYSTEM_TIME, other);
	pv_write(result, MSR_KVM_WALL_CLOCK, (uint64_t)page);
	pv_expect(result, MSR_KVM_WALL_CLOCK_NEW, (uint64_t)page);
	pv_write(result, MSR_KVM_WALL_CLOCK_NEW, (uint64_t)page + OTHER);
	pv_expect(result, MSR_KVM_WALL_CLOCK, (uint64_t)page + OTHER);
	pv_write(result, MSR_KVM_WALL_CLOCK_NEW, wall);
	end(result);
}
ABI_CLAUSE(two_names, "ABI-CLK-01", "abi.clk.two_names_of_one_register", ABI_MUST,
	   .features = BOTH_CLOCKS);

/* ABI-CLK-02: bit 0 enables; without it nothing is written. */
static void enable_bit(struct test_result *result)
{
	begin(result);
	pv_write(result, MSR_KVM_SYSTEM_TIME_NEW, (uint64_t)page);
	timer_sleep(UPDATE_NS);
	for (size_t i = 0; i < AREA_BYTES; i++)
		if (page[i] != FILL)
			test_fail(result, "byte %zu was written to, and bit 0 was clear", i);
	enable(result, 0);
	is_filled(result, 0);
	end(result);
}
ABI_CLAUSE(enable_bit, "ABI-CLK-02", "abi.clk.bit_0_enables", ABI_MUST, CLOCK_NEEDS);

/* ABI-CLK-03: the version is even whenever the vCPU reads it, and rises with each update; KVM
 * writes 32 bytes, with zeros in the padding. */
static void layout(struct test_result *result)
{
	struct kvm_system_time copy;
	uint32_t first, second;

	begin(result);
	pv_write(result, MSR_KVM_SYSTEM_TIME_NEW, (uint64_t)(page + OTHER) | MSR_KVM_ENABLE);
	copy = copy_at(OTHER);
	first = version_at(OTHER);
	pv_write(result, MSR_KVM_SYSTEM_TIME_NEW, (uint64_t)(page + OTHER) | MSR_KVM_ENABLE);
	second = version_at(OTHER);
	end(result);
	is_filled(result, OTHER);
	rest_is_untouched(result, OTHER);
	if ((first & 1) || (second & 1) || second <= first)
		test_fail(result, "version %#x, then %#x: expected even, and more", first, second);
	if (copy.pad0 != 0 || copy.pad[0] != 0 || copy.pad[1] != 0)
		test_fail(result, "padding is %#x, %#x, %#x; expected 0", copy.pad0, copy.pad[0],
			  copy.pad[1]);
	test_info(result, "version %#x, then %#x", first, second);
}
ABI_CLAUSE(layout, "ABI-CLK-03", "abi.clk.version_is_even_and_rises", ABI_MUST, CLOCK_NEEDS);

/* ABI-CLK-04: any even address is accepted (bit 0 is the enable bit). */
static void unaligned(struct test_result *result)
{
	static const size_t offsets[] = {2, 4, 6, OTHER + 30, PAGE_BYTES - AREA_BYTES};

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		begin(result);
		enable(result, offsets[i]);
		is_filled(result, offsets[i]);
		end(result);
		rest_is_untouched(result, offsets[i]);
	}
}
ABI_CLAUSE(unaligned, "ABI-CLK-04", "abi.clk.any_alignment", ABI_KVM, CLOCK_NEEDS);

/* ABI-CLK-05: an area across two pages, or without RAM, is accepted and never written. Linux before
 * 6.1 wrote across pages. */
static void unusable(struct test_result *result)
{
	size_t across = PAGE_BYTES - AREA_BYTES / 2;
	uint32_t kernel = abi_plan->vmm.kernel, version;

	begin(result);
	enable(result, across);
	timer_sleep(UPDATE_NS);
	version = version_at(across);
	rest_is_untouched(result, across);
	if (pv_write(result, MSR_KVM_SYSTEM_TIME_NEW, ABI_NO_RAM | MSR_KVM_ENABLE))
		pv_expect(result, MSR_KVM_SYSTEM_TIME_NEW, ABI_NO_RAM | MSR_KVM_ENABLE);
	timer_sleep(UPDATE_NS);
	end(result);
	if (version != 0 && kernel >= 6001)
		test_fail(result, "an area across two pages was written to, version %u", version);
	test_info(result, "across two pages: %s", version == 0 ? "never written" : "written");
}
ABI_CLAUSE(unusable, "ABI-CLK-05", "abi.clk.across_pages_or_no_ram_is_accepted", ABI_KVM,
	   CLOCK_NEEDS);

/* ABI-CLK-06: flag 0 says that the TSC shows one time on all vCPUs. KVM sets it only if vCPU 0 used
 * the MSR's new name: the old one turns the VM's master clock off (boot_vcpu_runs_old_kvmclock). */
static void stable_flag(struct test_result *result)
{
	uint8_t by_new, by_old, again;

	begin(result);
	enable(result, 0);
	by_new = flags_at(0);
	enable_by(result, MSR_KVM_SYSTEM_TIME, 0);
	by_old = flags_at(0);
	enable(result, 0);
	again = flags_at(0);
	end(result);
	test_info(result, "flags %#x by the new MSR, %#x by the old, %#x by the new again", by_new,
		  by_old, again);
	if (by_old & TSC_STABLE)
		test_fail(result, "the flag is set though the old MSR was used");
	if ((by_new ^ again) & TSC_STABLE)
		test_fail(result, "by the new MSR the flag was %u, and is %u after the old one",
			  by_new & TSC_STABLE, again & TSC_STABLE);
	if (!(by_new & TSC_STABLE))
		test_skip(result, "the flag is never set: the host's clock is not the TSC, or the "
				  "TSCs of the vCPUs differ");
}
ABI_CLAUSE(stable_flag, "ABI-CLK-06", "abi.clk.stable_flag_needs_the_new_msr", ABI_KVM,
	   .features = BOTH_CLOCKS | STABLE_CLOCK);

static void enable_on_ap(void *result)
{
	if (this_cpu()->index == 1)
		enable(result, 0);
}

static void nothing(void *unused)
{
	(void)unused;
}

/* Makes KVM write to the areas of all vCPUs, which includes entering CPU 1 from its HLT. Returns
 * whether it wrote to the area at 0. */
static bool updated(struct test_result *result)
{
	uint32_t before = version_at(0);

	enable(result, OTHER);
	timer_sleep(UPDATE_NS);
	smp_run_on(machine.online < 2 ? 1 : 2, nothing, NULL);
	is_filled(result, OTHER);
	return version_at(0) != before;
}

static void init_stops(struct test_result *result)
{
	smp_run_on(2, enable_on_ap, result);
	is_filled(result, 0);
	if (!updated(result))
		test_info(result, "CPU 1's area is not written to when CPU 0's is");
	if (scene_rejoin_target(result) && updated(result))
		test_fail(result, "after INIT of CPU 1 its area is still written to");
}

/*
 * After any WRMSR of this MSR, KVM writes to an area in use before the next entry, and again some
 * time later. It would do so after a WRMSR of 0, too, if 0 had no effect. (updated() cannot test
 * this: it replaces CPU 0's area, which by itself ends the writes to the old one.)
 */
static void zero_stops(struct test_result *result)
{
	uint32_t before;

	enable(result, 0);
	is_filled(result, 0);
	before = version_at(0);
	pv_write(result, MSR_KVM_SYSTEM_TIME_NEW, 0);
	timer_sleep(UPDATE_NS);
	if (version_at(0) != before)
		test_fail(result, "after 0 was written the area is still written to");
}

/* ABI-CLK-10: 0 ends the updates, and so does INIT on that vCPU. */
static void stops(struct test_result *result)
{
	begin(result);
	zero_stops(result);
	if (machine.online >= 2)
		init_stops(result);
	end(result);
}
ABI_CLAUSE(stops, "ABI-CLK-10", "abi.clk.zero_and_init_stop", ABI_KVM, CLOCK_NEEDS);
