/* SPDX-License-Identifier: MIT */
/* See hpet.h. Registers are accessed by halves, which all implementations allow (2.3.2). */
#include "kernel/hpet.h"

#include "kernel/layout.h"
#include "kernel/memory.h"
#include "kernel/paging.h"
#include <stddef.h>

/* 2.3.1 */
#define HPET_CAPABILITIES   0x000 /* bit 15: legacy replacement, bit 13: 64-bit counter */
#define HPET_PERIOD         0x004 /* period of a tick, in fs */
#define HPET_CONFIGURATION  0x010
#define HPET_COUNTER        0x0f0
#define HPET_TIMER0         0x100 /* configuration */
#define HPET_TIMER0_COMPARE 0x108
#define HPET_TIMER_STRIDE   0x20

#define LAST_TIMER(low)  ((low) >> 8 & 0x1f)
#define CAPABLE_LEGACY   (1u << 15)
#define CAPABLE_64       (1u << 13)
#define CONFIGURE_RUN    (1u << 0)
#define CONFIGURE_LEGACY (1u << 1)
#define TIMER_INTERRUPTS (1u << 2) /* one-shot and edge-triggered with all other bits 0 */
#define TIMER_CAPABLE_64 (1u << 5)
#define TIMER_MESSAGES   (1u << 14) /* by the FSB, 2.3.8: past the I/O APIC */
#define PERIOD_MAX_FS    100000000  /* 2.3.4 */

static volatile uint32_t *hpet; /* NULL: there is none */
static uint64_t period_fs, mask;

static void set(uint32_t offset, uint32_t value)
{
	hpet[offset / 4] = value;
}

static void stop_timers(void)
{
	uint32_t last = LAST_TIMER(hpet[HPET_CAPABILITIES / 4]);

	for (uint32_t i = 0; i <= last; i++) {
		uint32_t timer = HPET_TIMER0 + i * HPET_TIMER_STRIDE;

		set(timer, hpet[timer / 4] & ~(TIMER_INTERRUPTS | TIMER_MESSAGES));
	}
}

/* Returns the HPET's registers, or NULL if there is none or firmware disabled it (reads return all
 * ones). */
static volatile uint32_t *find(const struct boot_info *boot)
{
	uint64_t address;

	if (acpi_find_hpet(memory_map_physical, boot->rsdp, &address, NULL, 0) != ACPI_OK ||
	    address >= MEMORY_MAPPED_END)
		return NULL;
	paging_set(address & ~(uint64_t)(PAGE_BYTES - 1), PAGE_BYTES, PAGING_DEVICE);
	hpet = (volatile uint32_t *)address;
	period_fs = hpet[HPET_PERIOD / 4];
	return period_fs == 0 || period_fs > PERIOD_MAX_FS ? NULL : hpet;
}

void hpet_init(const struct boot_info *boot)
{
	hpet = find(boot);
	if (hpet == NULL)
		return;
	/* AMD's counters have 32 bits */
	mask = (hpet[HPET_CAPABILITIES / 4] & CAPABLE_64) &&
			       (hpet[HPET_TIMER0 / 4] & TIMER_CAPABLE_64)
		       ? UINT64_MAX
		       : UINT32_MAX;
	stop_timers();
	set(HPET_CONFIGURATION, CONFIGURE_RUN);
}

bool hpet_present(void)
{
	return hpet != NULL;
}

uint64_t hpet_period_fs(void)
{
	return period_fs;
}

uint64_t hpet_mask(void)
{
	return mask;
}

uint64_t hpet_counter(void)
{
	uint32_t high, low;

	if (mask == UINT32_MAX)
		return hpet[HPET_COUNTER / 4];
	do {
		high = hpet[HPET_COUNTER / 4 + 1];
		low = hpet[HPET_COUNTER / 4];
	} while (high != hpet[HPET_COUNTER / 4 + 1]);
	return (uint64_t)high << 32 | low;
}

bool hpet_route_legacy(void)
{
	if (!(hpet[HPET_CAPABILITIES / 4] & CAPABLE_LEGACY))
		return false;
	set(HPET_CONFIGURATION, CONFIGURE_RUN | CONFIGURE_LEGACY);
	return true;
}

void hpet_interrupt_at(uint64_t counter)
{
	set(HPET_TIMER0_COMPARE, (uint32_t)counter);
	set(HPET_TIMER0_COMPARE + 4, (uint32_t)(counter >> 32));
	set(HPET_TIMER0, TIMER_INTERRUPTS);
}

void hpet_interrupt_off(void)
{
	set(HPET_TIMER0, 0);
}
