/* SPDX-License-Identifier: MIT */
/* The TSC frequency ladder: what the hypervisor says, else measured against the PIT. */
#include "kernel/tsc.h"

#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/panic.h"

/* Intel 8254 PIT, channel 2: gated by port 0x61 bit 0, its output readable at bit 5. */
#define PIT_HZ          1193182
#define PIT_CHANNEL2    0x42
#define PIT_COMMAND     0x43
#define PIT_COMMAND_CH2 0xb0 /* channel 2, low then high byte, mode 0: output rises at 0 */
#define PIT_GATE        0x61
#define PIT_GATE_ON     0x01
#define PIT_SPEAKER     0x02
#define PIT_OUTPUT      0x20
#define PIT_MS          10
#define PIT_ROUNDS      5
#define PIT_MAX_READS   10000000

static uint32_t khz;

/* TSC ticks while the PIT counts down PIT_MS milliseconds; 0 if it never does. */
static uint64_t pit_interval(void)
{
	uint32_t count = PIT_HZ * PIT_MS / 1000;
	uint8_t gate = in8(PIT_GATE) & (uint8_t) ~(PIT_SPEAKER | PIT_GATE_ON);
	uint64_t start;

	out8(PIT_GATE, gate);
	out8(PIT_COMMAND, PIT_COMMAND_CH2);
	out8(PIT_CHANNEL2, (uint8_t)count);
	out8(PIT_CHANNEL2, (uint8_t)(count >> 8));
	start = rdtsc();
	out8(PIT_GATE, gate | PIT_GATE_ON);
	for (uint32_t i = 0; i < PIT_MAX_READS; i++)
		if (in8(PIT_GATE) & PIT_OUTPUT)
			return rdtsc() - start;
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
		khz = measure_by_pit();
		m->tsc_source = "pit";
	}
	if (khz == 0)
		panic("TSC frequency unknown: no leaf 0x40000010, no kvmclock, and the PIT does "
		      "not count");
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
