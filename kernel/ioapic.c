/* SPDX-License-Identifier: MIT */
/* See ioapic.h. */
#include "kernel/ioapic.h"

#include "kernel/layout.h"
#include "kernel/memory.h"
#include "kernel/paging.h"
#include <stddef.h>

/* An index and a data register; each pin has two words. 3.1, 3.2 */
#define IOAPIC_DATA         0x10
#define IOAPIC_VERSION      0x01
#define IOAPIC_LAST_PIN(v)  ((v) >> 16 & 0xff)
#define IOAPIC_PIN_LOW(pin) (0x10 + 2 * (pin))
#define IOAPIC_MASKED       (1u << 16)
#define IOAPIC_MODE         (7u << 8)
#define IOAPIC_SMI          (2u << 8)
#define IOAPIC_NMI          (4u << 8) /* edge-triggered, active high, physical destination */
#define IOAPIC_DESTINATION  24
#define IOAPIC_MAX_ID       0xfe

static volatile uint32_t *first; /* the one with global interrupt 0; NULL: none */

static uint32_t read(volatile uint32_t *ioapic, uint32_t index)
{
	ioapic[0] = index;
	return ioapic[IOAPIC_DATA / 4];
}

static void write(volatile uint32_t *ioapic, uint32_t index, uint32_t value)
{
	ioapic[0] = index;
	ioapic[IOAPIC_DATA / 4] = value;
}

/*
 * Devices that firmware left running still send interrupts (UEFI's tick is often an HPET's). By an
 * unknown vector that would be a panic; by a vector in use here it would disturb measured phases.
 * SMIs are left to the firmware.
 */
static void mask_pins(volatile uint32_t *ioapic)
{
	uint32_t version = read(ioapic, IOAPIC_VERSION);

	if (version == UINT32_MAX) /* nothing answers there */
		return;
	for (uint32_t pin = 0; pin <= IOAPIC_LAST_PIN(version); pin++) {
		uint32_t entry = read(ioapic, IOAPIC_PIN_LOW(pin));

		if ((entry & IOAPIC_MODE) != IOAPIC_SMI)
			write(ioapic, IOAPIC_PIN_LOW(pin), entry | IOAPIC_MASKED);
	}
}

void ioapic_init(const struct acpi_cpus *cpus)
{
	first = NULL;
	for (size_t i = 0; i < cpus->ioapics; i++) {
		uint64_t address = cpus->ioapic[i].address;

		if (address == 0)
			continue;
		paging_set(address & ~(uint64_t)(PAGE_BYTES - 1), PAGE_BYTES, PAGING_DEVICE);
		mask_pins((volatile uint32_t *)address);
		if (cpus->ioapic[i].first_interrupt == 0)
			first = (volatile uint32_t *)address;
	}
}

bool ioapic_nmi(uint32_t pin, uint32_t apic_id)
{
	if (first == NULL || apic_id > IOAPIC_MAX_ID)
		return false;
	write(first, IOAPIC_PIN_LOW(pin) + 1, apic_id << IOAPIC_DESTINATION);
	write(first, IOAPIC_PIN_LOW(pin), IOAPIC_NMI);
	return true;
}
