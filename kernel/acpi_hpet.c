/* SPDX-License-Identifier: MIT */
/* Finds the HPET's registers: see kernel/acpi.h. IA-PC HPET Specification 1.0a, 3.2.4
 */
#include "kernel/acpi_table.h"

#define HPET_BYTES      56
#define HPET_SPACE_AT   40 /* generic address structure, ACPI 6.5, 5.2.3.2: 0 is memory */
#define HPET_ADDRESS_AT 44
#define REGISTERS_ALIGN 1024

static size_t no_entries(uint8_t type)
{
	(void)type;
	return 2;
}

static const struct acpi_wanted hpet = {
	.signature = "HPET",
	.missing = ACPI_NO_HPET,
	.entries_from = HPET_BYTES,
	.entry_min_bytes = no_entries,
};

enum acpi_status acpi_find_hpet(acpi_map_fn map, uint64_t rsdp, uint64_t *address, char *detail,
				size_t detail_size)
{
	struct acpi_reader reader = {.map = map, .detail = detail, .detail_size = detail_size};
	struct acpi_table table = {.bytes = NULL};
	enum acpi_status status = acpi_find_table(&reader, rsdp, &hpet, &table);

	if (status != ACPI_OK)
		return status;
	*address = acpi_u64(table.bytes + HPET_ADDRESS_AT);
	if (table.bytes[HPET_SPACE_AT] != 0 || *address == 0 || *address % REGISTERS_ALIGN != 0)
		return acpi_fail(&reader, ACPI_BAD_TABLE, "HPET at %#llx: registers at %#llx",
				 (unsigned long long)table.address, (unsigned long long)*address);
	return ACPI_OK;
}
