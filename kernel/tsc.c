/* SPDX-License-Identifier: MIT */
/* The sources of the TSC frequency: the hypervisor or the CPU; otherwise tsc_measure.c measures it.
 */
#include "kernel/tsc.h"

#include "kernel/cpu.h"
#include "kernel/fatal.h"
#include "kernel/kvm.h"
#include "lib/log.h"

#define CPUID_CRYSTAL   0x15
#define CPUID_BASE_RATE 0x16 /* EAX bits 15:0, in MHz */

static uint32_t khz;

/* The CPU's own statement, SDM vol. 2A, CPUID leaf 0x15: TSC = crystal (ECX, in Hz) * EBX / EAX; 0
 * if one of them is missing. Not used on virtual CPUs, which may repeat the values of the host.
 */
static uint32_t crystal_khz(const struct kvm_info *kvm)
{
	struct cpuid r;

	if (kvm->hypervisor_bit || cpuid(0, 0).eax < CPUID_CRYSTAL)
		return 0;
	r = cpuid(CPUID_CRYSTAL, 0);
	return r.eax == 0 ? 0 : (uint32_t)((uint64_t)r.ecx * r.ebx / r.eax / 1000);
}

/* The processor's base frequency, at which the TSC runs (SDM vol. 3B, 18.7.3). It is nominal,
 * rounded to MHz and up to 0.25 % off, so it is the last resort. */
static uint32_t base_khz(const struct kvm_info *kvm)
{
	if (kvm->hypervisor_bit || cpuid(0, 0).eax < CPUID_BASE_RATE)
		return 0;
	return (cpuid(CPUID_BASE_RATE, 0).eax & 0xffff) * 1000;
}

/* The VM lacks a clock; pvspin is not to blame. */
static void __attribute__((noreturn)) no_source(void)
{
	log_line("error: TSC frequency unknown: no CPUID leaf 0x40000010, 0x15 or 0x16, no "
		 "kvmclock, and no PIT, HPET or ACPI timer that counts (microvm under TCG needs "
		 "pit=on)");
	exit_unfit("tsc-unknown");
}

void tsc_init(const struct boot_info *boot, struct machine *m)
{
	bool kvmclock = kvm_clock_init(&m->kvm);

	khz = kvm_cpuid_tsc_khz(&m->kvm);
	m->tsc_source = "cpuid-0x40000010";
	if (khz == 0 && kvmclock) {
		khz = kvm_clock_tsc_khz();
		m->tsc_source = "kvmclock";
	}
	if (khz == 0) {
		khz = crystal_khz(&m->kvm);
		m->tsc_source = "cpuid-0x15";
	}
	if (khz == 0)
		khz = tsc_measure(boot, &m->tsc_source);
	if (khz == 0) {
		khz = base_khz(&m->kvm);
		m->tsc_source = "cpuid-0x16";
	}
	if (khz == 0)
		no_source();
	m->tsc_khz = khz;
}

/* Computed in two parts, so that spans of centuries do not overflow. */
uint64_t tsc_to_ns(uint64_t cycles)
{
	return cycles / khz * 1000000 + cycles % khz * 1000000 / khz;
}

uint64_t tsc_from_ns(uint64_t ns)
{
	return ns / 1000000 * khz + ns % 1000000 * khz / 1000000;
}

void tsc_delay_us(uint32_t us)
{
	uint64_t start = rdtsc(), wait = tsc_from_ns(us * 1000ull);

	while (rdtsc() - start < wait)
		cpu_relax();
}
