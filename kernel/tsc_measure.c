/* SPDX-License-Identifier: MIT */
/*
 * Measures the TSC by clocks of a known rate: 8254, HPET, ACPI's power management timer. The TSC is
 * read before the clock at the beginning and after it at the end. So a vCPU that loses its CPU in
 * between measures a higher rate, never a lower one, and the lowest of several rounds is the true
 * one.
 */
#include "kernel/cpu.h"
#include "kernel/hpet.h"
#include "kernel/memory.h"
#include "kernel/tsc.h"
#include <stdbool.h>
#include <stddef.h>

#define ROUND_MS 10
#define ROUNDS   5
/* If a round takes longer, the clock stands still (chipsets gate the 8254's). In TSC cycles, whose
 * rate is not yet known: 0.2 s at 5 GHz, 2 s at 500 MHz. */
#define MAX_CYCLES (UINT64_C(1) << 30)

/* Intel 8254 PIT. Uses channel 0, whose gate is always on; channel 2 needs port 0x61, which QEMU's
 * microvm lacks. The channel's interrupt ends at the masked 8259. The read-back command latches the
 * status: output, null count, then the six low bits of the control word. */
#define PIT_HZ          1193182
#define PIT_CHANNEL0    0x40
#define PIT_COMMAND     0x43
#define PIT_COMMAND_CH0 0x30 /* channel 0, low then high byte, mode 0: output rises at 0 */
#define PIT_STATUS_CH0  0xe2 /* read back the status of channel 0 */
#define PIT_STATUS_MODE 0x3f
#define PIT_OUTPUT      0x80

#define FS_PER_NS 1000000

/* ACPI 6.5, 4.8.3.3: 3.579545 MHz, 24 bits or 32. */
#define PM_TIMER_PERIOD_FS 279365115
#define PM_TIMER_MASK      0xffffff

static uint16_t pm_timer_port;

static uint8_t pit_status(void)
{
	out8(PIT_COMMAND, PIT_STATUS_CH0);
	return in8(PIT_CHANNEL0);
}

/* Measures kHz by one round of the PIT; 0 if there is none (reads return ones) or it stands still.
 */
static uint32_t pit_round(void)
{
	uint32_t count = PIT_HZ * ROUND_MS / 1000;
	uint64_t start, now;
	uint8_t status;

	out8(PIT_COMMAND, PIT_COMMAND_CH0);
	out8(PIT_CHANNEL0, (uint8_t)count);
	start = rdtsc();
	out8(PIT_CHANNEL0, (uint8_t)(count >> 8)); /* starts it */
	do {
		now = rdtsc(); /* before the status, which then covers a loss of the CPU */
		status = pit_status();
		if ((status & PIT_STATUS_MODE) != PIT_COMMAND_CH0)
			return 0;
		if (status & PIT_OUTPUT)
			return (uint32_t)((rdtsc() - start) / ROUND_MS);
	} while (now - start < MAX_CYCLES);
	return 0;
}

/* Measures kHz by one round of a counter. */
static uint32_t counter_round(uint64_t (*counter)(void), uint64_t mask, uint64_t period_fs)
{
	uint64_t wanted = ROUND_MS * UINT64_C(1000000) * FS_PER_NS / period_fs;
	uint64_t start = rdtsc(), first = counter(), now, ticks;

	do {
		now = rdtsc();
		ticks = (counter() - first) & mask;
		if (ticks >= wanted)
			return (uint32_t)((rdtsc() - start) * 1000000 /
					  (ticks * period_fs / FS_PER_NS));
	} while (now - start < MAX_CYCLES);
	return 0;
}

static uint32_t hpet_round(void)
{
	return hpet_present() ? counter_round(hpet_counter, hpet_mask(), hpet_period_fs()) : 0;
}

static uint64_t pm_timer(void)
{
	return in32(pm_timer_port);
}

static uint32_t pm_timer_round(void)
{
	return pm_timer_port != 0 ? counter_round(pm_timer, PM_TIMER_MASK, PM_TIMER_PERIOD_FS) : 0;
}

static uint32_t lowest(uint32_t (*round)(void))
{
	uint32_t best = UINT32_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t khz = round();

		if (khz == 0)
			return 0;
		if (khz < best)
			best = khz;
	}
	return best;
}

uint32_t tsc_measure(const struct boot_info *boot, const char **source)
{
	static const struct {
		const char *name;
		uint32_t (*round)(void);
	} clocks[] = {{"pit", pit_round}, {"hpet", hpet_round}, {"acpi-pm", pm_timer_round}};

	if (acpi_find_pm_timer(memory_map_physical, boot->rsdp, &pm_timer_port, NULL, 0) != ACPI_OK)
		pm_timer_port = 0;
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		uint32_t khz = lowest(clocks[i].round);

		*source = clocks[i].name;
		if (khz != 0)
			return khz;
	}
	return 0;
}
