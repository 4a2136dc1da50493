/* SPDX-License-Identifier: MIT */
/* The TSC frequency ladder: what the hypervisor or the CPU says, else measured against the PIT. */
#include "kernel/tsc.h"

#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/panic.h"

/* Intel 8254 PIT. Channel 0: its gate is always on, where channel 2 needs port 0x61, which QEMU's
 * microvm lacks; its interrupt ends at the masked 8259. The read-back command latches the status:
 * output, null count, then the six low bits of the control word. */
#define PIT_HZ          1193182
#define PIT_CHANNEL0    0x40
#define PIT_COMMAND     0x43
#define PIT_COMMAND_CH0 0x30 /* channel 0, low then high byte, mode 0: output rises at 0 */
#define PIT_STATUS_CH0  0xe2 /* read back the status of channel 0 */
#define PIT_STATUS_MODE 0x3f
#define PIT_OUTPUT      0x80
#define PIT_MS          10
#define PIT_ROUNDS      5
#define PIT_MAX_READS   10000000

#define CPUID_CRYSTAL   0x15
#define CPUID_BASE_RATE 0x16 /* EAX, bits 15:0: in MHz */

static uint32_t khz;

static uint8_t pit_status(void)
{
	out8(PIT_COMMAND, PIT_STATUS_CH0);
	return in8(PIT_CHANNEL0);
}

/* TSC ticks while the PIT counts down PIT_MS milliseconds; 0 if there is none (reads as ones) or it
 * never does. */
static uint64_t pit_interval(void)
{
	uint32_t count = PIT_HZ * PIT_MS / 1000;
	uint64_t start;
	uint8_t status;

	out8(PIT_COMMAND, PIT_COMMAND_CH0);
	out8(PIT_CHANNEL0, (uint8_t)count);
	start = rdtsc(); /* before it starts: a vCPU that is descheduled here sees a longer time */
	out8(PIT_CHANNEL0, (uint8_t)(count >> 8));
	for (uint32_t i = 0; i < PIT_MAX_READS; i++) {
		status = pit_status();
		if ((status & PIT_STATUS_MODE) != PIT_COMMAND_CH0)
			return 0;
		if (status & PIT_OUTPUT)
			return rdtsc() - start;
	}
	return 0;
}

/* The shortest of several rounds: being descheduled only ever lengthens one. */
static uint32_t measure_by_pit(void)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < PIT_ROUNDS; i++) {
		uint64_t ticks = pit_interval();

		if (ticks == 0)
			return 0;
		if (ticks < best)
			best = ticks;
	}
	return (uint32_t)(best / PIT_MS);
}

/* What the CPU says, SDM vol. 2A, CPUID leaf 0x15: TSC = crystal (ECX, in Hz) * EBX / EAX; 0 if any
 * of them is not told. Virtual CPUs are not asked: they may repeat what holds for the host alone.
 */
static uint32_t crystal_khz(const struct kvm_info *kvm)
{
	struct cpuid r;

	if (kvm->hypervisor_bit || cpuid(0, 0).eax < CPUID_CRYSTAL)
		return 0;
	r = cpuid(CPUID_CRYSTAL, 0);
	return r.eax == 0 ? 0 : (uint32_t)((uint64_t)r.ecx * r.ebx / r.eax / 1000);
}

/* The processor's base frequency, at which the TSC runs (SDM vol. 3B, 18.7.3): rounded to MHz, so
 * after the PIT; but newer chipsets gate that one's clock, and tell no crystal. */
static uint32_t base_khz(const struct kvm_info *kvm)
{
	if (kvm->hypervisor_bit || cpuid(0, 0).eax < CPUID_BASE_RATE)
		return 0;
	return (cpuid(CPUID_BASE_RATE, 0).eax & 0xffff) * 1000;
}

void tsc_init(struct machine *m)
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
	if (khz == 0) {
		khz = measure_by_pit();
		m->tsc_source = "pit";
	}
	if (khz == 0) {
		khz = base_khz(&m->kvm);
		m->tsc_source = "cpuid-0x16";
	}
	if (khz == 0)
		panic("TSC frequency unknown: no CPUID leaf 0x40000010, 0x15 or 0x16, no kvmclock, "
		      "and the PIT does not count (microvm under TCG needs pit=on)");
	m->tsc_khz = khz;
}

/* Split so that nothing overflows for spans of up to centuries. */
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
