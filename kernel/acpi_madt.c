/* SPDX-License-Identifier: MIT */
/* Reads the CPUs from the entries of the MADT: see kernel/acpi.h. ACPI 6.5, 5.2.12 */
#include "kernel/acpi_table.h"

#include <stddef.h>

#define MADT_ENTRIES_FROM 44

#define MADT_LOCAL_APIC    0 /* 5.2.12.2 */
#define MADT_IO_APIC       1 /* 5.2.12.3 */
#define MADT_LAPIC_ADDRESS 5 /* 5.2.12.8 */
#define MADT_LOCAL_X2APIC  9 /* 5.2.12.12 */

#define MADT_ENABLED        (1u << 0)
#define MADT_ONLINE_CAPABLE (1u << 1)

/* Drops an ID that is already listed, but an enabled entry replaces one that is not enabled,
 * because firmware fills the entries of absent CPUs arbitrarily. */
static bool add_cpu(struct acpi_cpus *cpus, const struct acpi_cpu *new)
{
	for (size_t i = 0; i < cpus->count; i++) {
		if (cpus->cpu[i].apic_id != new->apic_id)
			continue;
		if (new->enabled && !cpus->cpu[i].enabled)
			cpus->cpu[i] = *new;
		return true;
	}
	if (cpus->count == cpus->capacity)
		return false;
	cpus->cpu[cpus->count++] = *new;
	return true;
}

/* Whether the entry names a CPU (5.2.12.2, 5.2.12.12). The ID of all ones is the broadcast. */
static bool read_cpu(const uint8_t *entry, size_t length, struct acpi_cpu *cpu)
{
	uint32_t flags;

	if (entry[0] == MADT_LOCAL_APIC && length >= 8) {
		cpu->uid = entry[2];
		cpu->apic_id = entry[3];
		flags = acpi_u32(entry + 4);
		if (cpu->apic_id == 0xff)
			return false;
	} else if (entry[0] == MADT_LOCAL_X2APIC && length >= 16) {
		cpu->apic_id = acpi_u32(entry + 4);
		flags = acpi_u32(entry + 8);
		cpu->uid = acpi_u32(entry + 12);
		if (cpu->apic_id == UINT32_MAX)
			return false;
	} else {
		return false;
	}
	cpu->enabled = flags & MADT_ENABLED;
	cpu->online_capable = flags & MADT_ONLINE_CAPABLE;
	return true;
}

static size_t entry_min_bytes(uint8_t type)
{
	switch (type) {
	case MADT_LOCAL_APIC:
		return 8;
	case MADT_IO_APIC:
	case MADT_LAPIC_ADDRESS:
		return 12;
	case MADT_LOCAL_X2APIC:
		return 16;
	default:
		return 2;
	}
}

static const struct acpi_wanted madt = {
	.signature = "APIC",
	.missing = ACPI_NO_MADT,
	.entries_from = MADT_ENTRIES_FROM,
	.entry_min_bytes = entry_min_bytes,
};

static enum acpi_status read_entries(const struct acpi_reader *reader,
				     const struct acpi_table *table, struct acpi_cpus *cpus)
{
	uint32_t at = MADT_ENTRIES_FROM;
	const uint8_t *entry;
	struct acpi_cpu cpu;

	for (;;) {
		enum acpi_status status = acpi_next_entry(reader, table, &madt, &at, &entry);

		if (status != ACPI_OK || entry == NULL)
			return status;
		if (entry[0] == MADT_LAPIC_ADDRESS)
			cpus->lapic_address = acpi_u64(entry + 4);
		else if (entry[0] == MADT_IO_APIC && cpus->ioapics < ACPI_MAX_IOAPICS)
			cpus->ioapic[cpus->ioapics++] = (struct acpi_ioapic){
				.address = acpi_u32(entry + 4),
				.first_interrupt = acpi_u32(entry + 8),
			};
		else if (read_cpu(entry, entry[1], &cpu) && !add_cpu(cpus, &cpu))
			return acpi_fail(reader, ACPI_TOO_MANY_CPUS, "more than %zu",
					 cpus->capacity);
	}
}

enum acpi_status acpi_find_cpus(acpi_map_fn map, uint64_t rsdp, struct acpi_cpus *cpus,
				char *detail, size_t detail_size)
{
	struct acpi_reader reader = {.map = map, .detail = detail, .detail_size = detail_size};
	struct acpi_table table = {.bytes = NULL};
	enum acpi_status status;

	cpus->count = 0;
	cpus->lapic_address = 0;
	cpus->ioapics = 0;
	cpus->revision = 0;
	status = acpi_find_table(&reader, rsdp, &madt, &table);
	if (status != ACPI_OK)
		return status;
	cpus->lapic_address = acpi_u32(table.bytes + ACPI_HEADER_BYTES);
	cpus->revision = table.bytes[ACPI_REVISION_AT];
	status = read_entries(&reader, &table, cpus);
	if (status != ACPI_OK)
		return status;
	for (size_t i = 0; i < cpus->count; i++) {
		if (cpus->cpu[i].enabled)
			return ACPI_OK;
	}
	return acpi_fail(&reader, ACPI_NO_CPUS, "APIC at %#llx: %zu CPUs, none enabled",
			 (unsigned long long)table.address, cpus->count);
}
