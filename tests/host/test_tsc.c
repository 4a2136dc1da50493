/* SPDX-License-Identifier: MIT */
/*
 * Tests kernel/tsc*.c: which source gives the TSC's frequency on which machine, and the arithmetic.
 * The PIT counts like an 8254 in mode 0, or is missing, or has no clock (chipsets can switch it
 * off). The HPET and the ACPI timer are about to wrap.
 */
#include "kernel/tsc.h"

#include "kernel/fatal.h"
#include "kernel/hpet.h"
#include "kernel/kvm.h"
#include "kernel/memory.h"
#include "kernel/smp.h"
#include "lib/log.h"
#include "tests/host/fake_cpu.h"
#include "tests/host/test.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define KHZ           2400000 /* of the machine's TSC */
#define ACCESS_CYCLES 2400    /* an access to a port takes a microsecond */
#define PIT_HZ        1193182
#define HPET_KHZ      14318
#define PM_TIMER_HZ   3579545
#define PM_TIMER_PORT 0x608

static struct {
	bool pit, clock, hpet, pm_timer;
	uint32_t max_leaf, crystal_hz, ratio[2], base_mhz;
	uint32_t timing_leaf_khz, kvmclock_khz;
	uint32_t stolen_rounds; /* measurements during which the vCPU is off its CPU for 15 ms */
} machine_has;

static uint64_t now;
static uint32_t pit_low, rounds;
static uint64_t pit_start, pit_count;
static bool latched, high_next;
static jmp_buf ended;
static char said[512];

uint64_t rdtsc(void)
{
	return now += 20;
}

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	(void)subleaf;
	if (leaf == 0)
		return (struct cpuid){.eax = machine_has.max_leaf};
	if (leaf == 7)
		return (struct cpuid){.ebx = 2};
	if (leaf == 0x80000000)
		return (struct cpuid){.eax = 0x80000008};
	if (leaf == 0x80000007)
		return (struct cpuid){.edx = 0x100};
	if (leaf == 0x15)
		return (struct cpuid){.eax = machine_has.ratio[0],
				      .ebx = machine_has.ratio[1],
				      .ecx = machine_has.crystal_hz};
	if (leaf == 0x16)
		return (struct cpuid){.eax = 0xabcd0000 | machine_has.base_mhz};
	fail_msg("asks leaf %#x", leaf);
	return (struct cpuid){.eax = 0};
}

void out8(uint16_t port, uint8_t value)
{
	now += ACCESS_CYCLES;
	if (port == 0x43) {
		latched = value == 0xe2;
		high_next = false;
	} else if (port == 0x40 && !high_next) {
		pit_low = value;
		high_next = true;
	} else if (port == 0x40) {
		pit_count = pit_low | (uint32_t)value << 8;
		pit_start = now;
		if (rounds++ < machine_has.stolen_rounds)
			now += 15 * KHZ;
	} else {
		fail_msg("writes port %#x", port);
	}
}

uint8_t in8(uint16_t port)
{
	uint64_t ticks;

	now += ACCESS_CYCLES;
	assert_int_equal(port, 0x40);
	assert_true(latched);
	if (!machine_has.pit)
		return 0xff;
	ticks = (now - pit_start) * (PIT_HZ / 1000) / KHZ;
	return machine_has.clock && ticks > pit_count ? 0xb0 : 0x30;
}

uint32_t in32(uint16_t port)
{
	now += ACCESS_CYCLES;
	assert_int_equal(port, PM_TIMER_PORT);
	if (rounds++ < machine_has.stolen_rounds)
		now += 15 * KHZ;
	return (uint32_t)(0xff0000 + now / 1000 * PM_TIMER_HZ / KHZ) & 0xffffff;
}

bool hpet_present(void)
{
	return machine_has.hpet;
}

uint64_t hpet_period_fs(void)
{
	return UINT64_C(1000000000000) / HPET_KHZ;
}

uint64_t hpet_mask(void)
{
	return UINT32_MAX;
}

uint64_t hpet_counter(void)
{
	now += ACCESS_CYCLES;
	return (uint32_t)(0xffff0000 + (machine_has.clock ? now * HPET_KHZ / KHZ : 0));
}

const void *memory_map_physical(uint64_t address, size_t length)
{
	(void)address;
	(void)length;
	return NULL;
}

enum acpi_status acpi_find_pm_timer(acpi_map_fn map, uint64_t rsdp, uint16_t *port, char *detail,
				    size_t detail_size)
{
	(void)map;
	(void)rsdp;
	(void)detail;
	(void)detail_size;
	*port = PM_TIMER_PORT;
	return machine_has.pm_timer ? ACPI_OK : ACPI_NO_TIMER;
}

uint32_t kvm_cpuid_tsc_khz(const struct kvm_info *kvm)
{
	(void)kvm;
	return machine_has.timing_leaf_khz;
}

bool kvm_clock_init(const struct kvm_info *kvm)
{
	(void)kvm;
	return machine_has.kvmclock_khz != 0;
}

uint32_t kvm_clock_tsc_khz(void)
{
	return machine_has.kvmclock_khz;
}

void log_line(const char *format, ...)
{
	snprintf(said, sizeof(said), "%s", format);
}

void exit_unfit(const char *reason)
{
	assert_string_equal(reason, "tsc-unknown");
	longjmp(ended, 1);
}

static void expect(const char *source, uint32_t khz, bool hypervisor)
{
	const struct boot_info boot = {.rsdp = 0};
	struct machine m = {.kvm.hypervisor_bit = hypervisor};

	rounds = 0;
	assert_int_equal(setjmp(ended), 0);
	tsc_init(&boot, &m);
	assert_string_equal(m.tsc_source, source);
	assert_in_range(m.tsc_khz, khz - khz / 1000, khz + khz / 1000);
}

static int bare_metal(void **state)
{
	(void)state;
	memset(&machine_has, 0, sizeof(machine_has));
	machine_has.pit = machine_has.clock = true;
	machine_has.max_leaf = 0x16;
	machine_has.ratio[0] = 2;
	machine_has.ratio[1] = 200;
	machine_has.base_mhz = 2500;
	return 0;
}

static void uses_the_best_source(void **state)
{
	(void)state;
	expect("pit", KHZ, false);
	machine_has.crystal_hz = 24000000;
	expect("cpuid-0x15", 2400000, false);
	expect("pit", KHZ, true); /* the CPUID leaves of a virtual CPU are not used */
	machine_has.kvmclock_khz = 2100000;
	expect("kvmclock", 2100000, true);
	machine_has.timing_leaf_khz = 2000000;
	expect("cpuid-0x40000010", 2000000, true);
}

static void ignores_measurements_with_stolen_time(void **state)
{
	(void)state;
	machine_has.stolen_rounds = 4;
	expect("pit", KHZ, false);
}

static void expect_error(bool hypervisor)
{
	const struct boot_info boot = {.rsdp = 0};
	struct machine m = {.kvm.hypervisor_bit = hypervisor};

	said[0] = '\0';
	if (setjmp(ended) == 0) {
		tsc_init(&boot, &m);
		fail_msg("the rate is %u, says %s", m.tsc_khz, m.tsc_source);
	}
	assert_non_null(strstr(said, "error: TSC frequency unknown"));
}

/* There is no 8254, or one that does not count, which is noticed within a second. */
static void no_pit(void **state)
{
	uint64_t start;

	(void)state;
	machine_has.pit = false;
	expect("cpuid-0x16", 2500000, false);
	expect_error(true);
	machine_has.pit = true;
	machine_has.clock = false;
	start = now;
	expect("cpuid-0x16", 2500000, false);
	assert_true(now - start < UINT64_C(1000) * KHZ);
	machine_has.max_leaf = 0x15;
	expect_error(false);
}

static void uses_other_clocks_without_a_pit(void **state)
{
	(void)state;
	machine_has.pit = false;
	machine_has.pm_timer = true;
	expect("acpi-pm", KHZ, true);
	machine_has.stolen_rounds = 4;
	expect("acpi-pm", KHZ, false);
	machine_has.hpet = true;
	expect("hpet", KHZ, true);
	machine_has.clock = false; /* the HPET does not count */
	expect("acpi-pm", KHZ, true);
}

/* Two CPUs read in turns; the TSC of the second is `behind` cycles behind the first's. */
static uint64_t behind, adjust[2];
static int on_cpu;

uint64_t rdtsc_ordered(void)
{
	return rdtsc() - (on_cpu ? behind : 0);
}

bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	assert_int_equal(msr, 0x3b);
	*value = adjust[on_cpu];
	return true;
}

void smp_run_on(uint32_t count, void (*fn)(void *arg), void *arg)
{
	for (on_cpu = 0; on_cpu < (int)count; on_cpu++)
		fn(arg);
	on_cpu = 0;
}

bool kvm_clock_stable(const struct kvm_info *kvm)
{
	(void)kvm;
	return true;
}

static void notices_tscs_that_differ(void **state)
{
	struct machine m = {.online = 2};

	(void)state;
	machine_has.max_leaf = 7;
	tsc_check(&m);
	assert_true(m.tsc_warp_cycles == 0 && m.tsc_invariant && m.kvmclock_stable);
	assert_string_equal(m.tsc_adjust, "equal");
	behind = 5000;
	adjust[1] = 1;
	tsc_check(&m);
	assert_in_range(m.tsc_warp_cycles, behind - 20, behind); /* 20: rdtsc() above */
	assert_string_equal(m.tsc_adjust, "differs");
}

static void converts_years_without_loss(void **state)
{
	const uint64_t year_ns = UINT64_C(31557600) * 1000000000;

	(void)state;
	machine_has.kvmclock_khz = 4999999;
	expect("kvmclock", 4999999, true);
	for (uint64_t years = 1; years <= 100; years *= 10) {
		uint64_t cycles = tsc_from_ns(years * year_ns);

		assert_in_range(tsc_to_ns(cycles), years * year_ns - 1, years * year_ns);
	}
	assert_int_equal(tsc_from_ns(1), 4);
	assert_int_equal(tsc_to_ns(5), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(uses_the_best_source, bare_metal),
		cmocka_unit_test_setup(ignores_measurements_with_stolen_time, bare_metal),
		cmocka_unit_test_setup(no_pit, bare_metal),
		cmocka_unit_test_setup(uses_other_clocks_without_a_pit, bare_metal),
		cmocka_unit_test_setup(notices_tscs_that_differ, bare_metal),
		cmocka_unit_test_setup(converts_years_without_loss, bare_metal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
