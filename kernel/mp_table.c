/* SPDX-License-Identifier: MIT */
/*
 * The CPUs and I/O APICs of a machine without ACPI: old firmware, Firecracker before 1.8, QEMU's PC
 * with acpi=off. Intel MultiProcessor Specification 1.4, chapter 4. The default configurations of
 * chapter 5, which have no table, are not supported.
 */
#include "kernel/acpi_table.h"

#include "lib/string.h"

#define EBDA_SEGMENT_AT 0x40e /* BIOS data area */
#define BASE_KIB_AT     0x413 /* BIOS data area: KiB of memory below the EBDA */
#define BASE_KIB_USUAL  639   /* a VMM without a BIOS has no such data (Firecracker) */
#define SEARCHED        1024
#define BIOS_START      0xf0000
#define BIOS_BYTES      0x10000

#define FLOATING_BYTES   16 /* 4.1 */
#define FLOATING_TABLE   4
#define FLOATING_DEFAULT 11 /* a default configuration, if not 0 */

#define HEADER_BYTES 44 /* 4.2 */
#define BASE_LENGTH  4
#define LAPIC_AT     36

#define ENTRY_PROCESSOR 0 /* 4.3.1; all others have OTHER_BYTES */
#define ENTRY_IO_APIC   2 /* 4.3.3 */
#define PROCESSOR_BYTES 20
#define OTHER_BYTES     8
#define ENABLED         (1u << 0)

static uint32_t u16(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

static const uint8_t *search(acpi_map_fn map, uint64_t start, size_t length)
{
	const uint8_t *bytes = map(start, length);

	for (size_t i = 0; bytes != NULL && i + FLOATING_BYTES <= length; i += FLOATING_BYTES)
		if (memcmp(bytes + i, "_MP_", 4) == 0 &&
		    acpi_sums_to_zero(bytes + i, FLOATING_BYTES))
			return bytes + i;
	return NULL;
}

/* Searches the first KiB of the EBDA, the last KiB of base memory, and the BIOS (4). */
static const uint8_t *find_floating(acpi_map_fn map)
{
	const uint8_t *ebda = map(EBDA_SEGMENT_AT, 2), *base = map(BASE_KIB_AT, 2);
	uint32_t kib = base != NULL && u16(base) != 0 ? u16(base) - 1 : BASE_KIB_USUAL;
	const uint8_t *found = NULL;

	if (ebda != NULL && u16(ebda) != 0)
		found = search(map, (uint64_t)u16(ebda) << 4, SEARCHED);
	if (found == NULL)
		found = search(map, kib * UINT64_C(1024), SEARCHED);
	return found != NULL ? found : search(map, BIOS_START, BIOS_BYTES);
}

static const uint8_t *find_table(acpi_map_fn map, uint32_t *length)
{
	const uint8_t *floating = find_floating(map), *table;
	uint64_t address;

	if (floating == NULL || floating[FLOATING_DEFAULT] != 0)
		return NULL;
	address = acpi_u32(floating + FLOATING_TABLE);
	table = map(address, HEADER_BYTES);
	if (table == NULL || memcmp(table, "PCMP", 4) != 0)
		return NULL;
	*length = u16(table + BASE_LENGTH);
	table = *length < HEADER_BYTES ? NULL : map(address, *length);
	return table != NULL && acpi_sums_to_zero(table, *length) ? table : NULL;
}

static void add_processor(const uint8_t *entry, struct acpi_cpus *cpus)
{
	if ((entry[3] & ENABLED) && cpus->count < cpus->capacity)
		cpus->cpu[cpus->count++] =
			(struct acpi_cpu){.apic_id = entry[1], .uid = entry[1], .enabled = true};
}

/* The table does not tell its global interrupts; those of the ISA bus belong to the first I/O APIC.
 */
static void add_ioapic(const uint8_t *entry, struct acpi_cpus *cpus)
{
	if ((entry[3] & ENABLED) && cpus->ioapics < ACPI_MAX_IOAPICS) {
		cpus->ioapic[cpus->ioapics] = (struct acpi_ioapic){
			.address = acpi_u32(entry + 4),
			.first_interrupt = cpus->ioapics == 0 ? 0 : UINT32_MAX,
		};
		cpus->ioapics++;
	}
}

bool mp_table_find_cpus(acpi_map_fn map, struct acpi_cpus *cpus)
{
	uint32_t length = 0, at = HEADER_BYTES, bytes;
	const uint8_t *table = find_table(map, &length);

	cpus->count = cpus->ioapics = 0;
	if (table == NULL)
		return false;
	cpus->lapic_address = acpi_u32(table + LAPIC_AT);
	cpus->revision = 0;
	for (; at < length; at += bytes) {
		bytes = table[at] == ENTRY_PROCESSOR ? PROCESSOR_BYTES : OTHER_BYTES;
		if (bytes > length - at)
			break;
		if (table[at] == ENTRY_PROCESSOR)
			add_processor(table + at, cpus);
		else if (table[at] == ENTRY_IO_APIC)
			add_ioapic(table + at, cpus);
	}
	return cpus->count != 0;
}
