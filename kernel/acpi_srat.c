/* SPDX-License-Identifier: MIT */
/*
 * Reads the proximity domains of CPUs and memory from the entries of the SRAT: see kernel/acpi.h.
 * ACPI 6.5, 5.2.16; other affinities are skipped.
 */
#include "kernel/acpi_table.h"

#include <stddef.h>

#define SRAT_ENTRIES_FROM 48

#define SRAT_LOCAL_APIC   0 /* 5.2.16.1 */
#define SRAT_MEMORY       1 /* 5.2.16.2 */
#define SRAT_LOCAL_X2APIC 2 /* 5.2.16.3 */

#define SRAT_LOCAL_APIC_BYTES   16
#define SRAT_MEMORY_BYTES       40
#define SRAT_LOCAL_X2APIC_BYTES 24

#define SRAT_ENABLED (1u << 0)

/* Before this revision (ACPI 3.0) a domain had 8 bits, and the bytes of the other 24 were undefined
 * (Linux arch/x86/mm/srat.c checks the revision, too). QEMU's SRAT has revision 1. */
#define SRAT_REVISION_WIDE_DOMAIN 2

static size_t entry_min_bytes(uint8_t type)
{
	switch (type) {
	case SRAT_LOCAL_APIC:
		return SRAT_LOCAL_APIC_BYTES;
	case SRAT_MEMORY:
		return SRAT_MEMORY_BYTES;
	case SRAT_LOCAL_X2APIC:
		return SRAT_LOCAL_X2APIC_BYTES;
	default:
		return 2;
	}
}

static const struct acpi_wanted srat = {
	.signature = "SRAT",
	.missing = ACPI_NO_SRAT,
	.entries_from = SRAT_ENTRIES_FROM,
	.entry_min_bytes = entry_min_bytes,
};

/* Whether the entry places a CPU. */
static bool read_affinity(const uint8_t *entry, uint8_t revision, struct acpi_affinity *affinity)
{
	if (entry[0] == SRAT_LOCAL_APIC) {
		affinity->domain = entry[2];
		if (revision >= SRAT_REVISION_WIDE_DOMAIN)
			affinity->domain |= acpi_u32(entry + 8) & 0xffffff00;
		affinity->apic_id = entry[3];
		return acpi_u32(entry + 4) & SRAT_ENABLED;
	}
	if (entry[0] == SRAT_LOCAL_X2APIC) {
		affinity->domain = acpi_u32(entry + 4);
		affinity->apic_id = acpi_u32(entry + 8);
		return acpi_u32(entry + 12) & SRAT_ENABLED;
	}
	return false;
}

/* Of two entries for one CPU the later one counts, as in Linux. */
static bool add_affinity(struct acpi_affinities *all, const struct acpi_affinity *new)
{
	for (size_t i = 0; i < all->count; i++) {
		if (all->affinity[i].apic_id == new->apic_id) {
			all->affinity[i] = *new;
			return true;
		}
	}
	if (all->count == all->capacity)
		return false;
	all->affinity[all->count++] = *new;
	return true;
}

static void add_memory(struct acpi_affinities *all, const uint8_t *entry)
{
	uint64_t start = acpi_u64(entry + 8), length = acpi_u64(entry + 16);

	if (all->memories == ACPI_MAX_MEMORY || !(acpi_u32(entry + 28) & SRAT_ENABLED) ||
	    start + length <= start)
		return;
	all->memory[all->memories++] = (struct acpi_memory){
		.start = start,
		.end = start + length,
		.domain = acpi_u32(entry + 2),
	};
}

enum acpi_status acpi_find_affinities(acpi_map_fn map, uint64_t rsdp, struct acpi_affinities *all,
				      char *detail, size_t detail_size)
{
	struct acpi_reader reader = {.map = map, .detail = detail, .detail_size = detail_size};
	struct acpi_table table = {.bytes = NULL};
	uint32_t at = SRAT_ENTRIES_FROM;
	struct acpi_affinity affinity;
	enum acpi_status status;
	const uint8_t *entry;

	all->count = all->memories = 0;
	status = acpi_find_table(&reader, rsdp, &srat, &table);
	while (status == ACPI_OK) {
		status = acpi_next_entry(&reader, &table, &srat, &at, &entry);
		if (status != ACPI_OK || entry == NULL)
			break;
		if (entry[0] == SRAT_MEMORY)
			add_memory(all, entry);
		else if (read_affinity(entry, table.bytes[ACPI_REVISION_AT], &affinity) &&
			 !add_affinity(all, &affinity))
			status = acpi_fail(&reader, ACPI_TOO_MANY_CPUS, "SRAT: more than %zu",
					   all->capacity);
	}
	return status;
}
