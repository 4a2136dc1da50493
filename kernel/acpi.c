/* SPDX-License-Identifier: MIT */
/*
 * Finds a table: RSDP -> XSDT (or RSDT) -> the table with a given signature, whose entries
 * acpi_madt.c and acpi_srat.c read. Everything is checked before use: each address goes through the
 * caller's map function, each table's length is bounded and its checksum verified, each entry must
 * end inside its table. Fields are read byte by byte, since ACPI aligns nothing. ACPI 6.5: 5.2.5.3
 * (RSDP), 5.2.6 (table header), 5.2.7/8 (RSDT, XSDT).
 */
#include "kernel/acpi_table.h"

#include "lib/printf.h"
#include "lib/string.h"
#include <stdarg.h>

#define RSDP_BYTES      20 /* ACPI 1.0; the first checksum covers these */
#define RSDP_BYTES_V2   36
#define RSDP_MAX_BYTES  4096
#define TABLE_MAX_BYTES (1u << 20) /* 64 K CPUs; bounds the checksum of a damaged length */

#define EBDA_SEGMENT_AT 0x40e /* BIOS data area: real-mode segment of the EBDA */
#define EBDA_SEARCHED   1024
#define BIOS_START      0xe0000
#define BIOS_BYTES      0x20000

bool acpi_sums_to_zero(const uint8_t *bytes, size_t length)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

enum acpi_status acpi_fail(const struct acpi_reader *reader, enum acpi_status status,
			   const char *format, ...)
{
	va_list arguments;

	if (reader->detail != NULL && reader->detail_size != 0) {
		va_start(arguments, format);
		kvsnprintf(reader->detail, reader->detail_size, format, arguments);
		va_end(arguments);
	}
	return status;
}

/* The first good RSDP on a 16-byte boundary in length bytes at start, or 0 (5.2.5.1). */
static uint64_t search_rsdp(const struct acpi_reader *reader, uint64_t start, size_t length)
{
	const uint8_t *bytes = reader->map(start, length);

	if (bytes == NULL)
		return 0;
	for (size_t i = 0; i + RSDP_BYTES <= length; i += 16) {
		if (memcmp(bytes + i, "RSD PTR ", 8) == 0 &&
		    acpi_sums_to_zero(bytes + i, RSDP_BYTES))
			return start + i;
	}
	return 0;
}

static uint64_t search_bios_areas(const struct acpi_reader *reader)
{
	const uint8_t *pointer = reader->map(EBDA_SEGMENT_AT, 2);
	uint64_t ebda = pointer ? (uint64_t)(pointer[0] | pointer[1] << 8) << 4 : 0;
	uint64_t rsdp = 0;

	if (ebda != 0)
		rsdp = search_rsdp(reader, ebda, EBDA_SEARCHED);
	return rsdp ? rsdp : search_rsdp(reader, BIOS_START, BIOS_BYTES);
}

/* Checks the RSDP; sets the address of the root table and the width of its entries. */
static enum acpi_status read_rsdp(const struct acpi_reader *reader, uint64_t rsdp, uint64_t *root,
				  size_t *entry_bytes)
{
	const uint8_t *bytes = reader->map(rsdp, RSDP_BYTES);
	uint32_t length;

	if (bytes == NULL || memcmp(bytes, "RSD PTR ", 8) != 0)
		return acpi_fail(reader, ACPI_NO_RSDP, "no RSDP at %#llx",
				 (unsigned long long)rsdp);
	if (!acpi_sums_to_zero(bytes, RSDP_BYTES))
		return acpi_fail(reader, ACPI_BAD_CHECKSUM, "RSDP at %#llx",
				 (unsigned long long)rsdp);
	*root = acpi_u32(bytes + 16);
	*entry_bytes = 4;
	if (bytes[15] < 2) /* revision */
		return ACPI_OK;

	bytes = reader->map(rsdp, RSDP_BYTES_V2);
	length = bytes ? acpi_u32(bytes + 20) : 0;
	if (length >= RSDP_BYTES_V2 && length <= RSDP_MAX_BYTES)
		bytes = reader->map(rsdp, length);
	else
		bytes = NULL;
	if (bytes == NULL)
		return acpi_fail(reader, ACPI_BAD_TABLE,
				 "RSDP at %#llx: length %u, accepted: %u..%u",
				 (unsigned long long)rsdp, length, RSDP_BYTES_V2, RSDP_MAX_BYTES);
	if (!acpi_sums_to_zero(bytes, length))
		return acpi_fail(reader, ACPI_BAD_CHECKSUM, "RSDP at %#llx, extended checksum",
				 (unsigned long long)rsdp);
	if (acpi_u64(bytes + 24) != 0) {
		*root = acpi_u64(bytes + 24);
		*entry_bytes = 8;
	}
	return ACPI_OK;
}

enum acpi_status acpi_read_table(const struct acpi_reader *reader, uint64_t address,
				 const char *signature, struct acpi_table *table)
{
	const uint8_t *header = reader->map(address, ACPI_HEADER_BYTES);
	uint32_t length;

	if (header == NULL)
		return acpi_fail(reader, ACPI_BAD_TABLE, "%s at %#llx: address not mapped",
				 signature, (unsigned long long)address);
	if (memcmp(header, signature, 4) != 0)
		return acpi_fail(reader, ACPI_BAD_TABLE, "no %s at %#llx", signature,
				 (unsigned long long)address);
	length = acpi_u32(header + 4);
	if (length < ACPI_HEADER_BYTES || length > TABLE_MAX_BYTES)
		return acpi_fail(reader, ACPI_BAD_TABLE, "%s at %#llx: length %u, accepted: %u..%u",
				 signature, (unsigned long long)address, length, ACPI_HEADER_BYTES,
				 TABLE_MAX_BYTES);
	table->bytes = reader->map(address, length);
	table->address = address;
	table->length = length;
	if (table->bytes == NULL)
		return acpi_fail(reader, ACPI_BAD_TABLE, "%s at %#llx: %u bytes are not all mapped",
				 signature, (unsigned long long)address, length);
	if (!acpi_sums_to_zero(table->bytes, length))
		return acpi_fail(reader, ACPI_BAD_CHECKSUM, "%s at %#llx", signature,
				 (unsigned long long)address);
	return ACPI_OK;
}

/* Other tables may be unreadable. That is an error only if the wanted one is not among the others.
 */
static enum acpi_status find_in(const struct acpi_reader *reader, const struct acpi_table *root,
				size_t entry_bytes, const struct acpi_wanted *wanted,
				struct acpi_table *table)
{
	uint64_t unmapped = 0;
	bool any_unmapped = false;

	for (size_t at = ACPI_HEADER_BYTES; at + entry_bytes <= root->length; at += entry_bytes) {
		uint64_t address =
			entry_bytes == 8 ? acpi_u64(root->bytes + at) : acpi_u32(root->bytes + at);
		const uint8_t *header = reader->map(address, ACPI_HEADER_BYTES);

		if (header != NULL && memcmp(header, wanted->signature, 4) == 0)
			return acpi_read_table(reader, address, wanted->signature, table);
		if (header == NULL && !any_unmapped) {
			any_unmapped = true;
			unmapped = address;
		}
	}
	if (any_unmapped)
		return acpi_fail(reader, ACPI_BAD_TABLE,
				 "root table at %#llx lists %#llx: not mapped",
				 (unsigned long long)root->address, (unsigned long long)unmapped);
	return acpi_fail(reader, wanted->missing, "root table at %#llx, %u bytes",
			 (unsigned long long)root->address, root->length);
}

enum acpi_status acpi_find_table(const struct acpi_reader *reader, uint64_t rsdp,
				 const struct acpi_wanted *wanted, struct acpi_table *table)
{
	struct acpi_table root = {.bytes = NULL};
	size_t entry_bytes = 0;
	uint64_t address = 0;
	enum acpi_status status;

	if (reader->detail != NULL && reader->detail_size != 0)
		reader->detail[0] = '\0';
	if (rsdp == 0)
		rsdp = search_bios_areas(reader);
	if (rsdp == 0)
		return acpi_fail(reader, ACPI_NO_RSDP, "searched EBDA and %#x..%#x", BIOS_START,
				 BIOS_START + BIOS_BYTES - 1);
	status = read_rsdp(reader, rsdp, &address, &entry_bytes);
	if (status == ACPI_OK)
		status =
			acpi_read_table(reader, address, entry_bytes == 8 ? "XSDT" : "RSDT", &root);
	if (status == ACPI_OK)
		status = find_in(reader, &root, entry_bytes, wanted, table);
	if (status == ACPI_OK && table->length < wanted->entries_from)
		status = acpi_fail(reader, ACPI_BAD_TABLE, "%s at %#llx: length %u, at least %u",
				   wanted->signature, (unsigned long long)table->address,
				   table->length, wanted->entries_from);
	return status;
}

enum acpi_status acpi_next_entry(const struct acpi_reader *reader, const struct acpi_table *table,
				 const struct acpi_wanted *wanted, uint32_t *at,
				 const uint8_t **entry)
{
	const uint8_t *next = table->bytes + *at;
	uint32_t left = table->length - *at;

	*entry = NULL;
	if (left == 0)
		return ACPI_OK;
	if (left < 2 || next[1] > left || next[1] < wanted->entry_min_bytes(next[0]))
		return acpi_fail(reader, ACPI_BAD_TABLE,
				 "%s at %#llx: entry at byte %u, type %u, length %u, left %u",
				 wanted->signature, (unsigned long long)table->address, *at,
				 next[0], left < 2 ? 0 : next[1], left);
	*at += next[1];
	*entry = next;
	return ACPI_OK;
}

const char *acpi_status_text(enum acpi_status status)
{
	switch (status) {
	case ACPI_OK:
		return "ok";
	case ACPI_NO_RSDP:
		return "no ACPI RSDP found";
	case ACPI_BAD_CHECKSUM:
		return "ACPI table with a wrong checksum";
	case ACPI_BAD_TABLE:
		return "damaged ACPI table";
	case ACPI_NO_MADT:
		return "no MADT (signature APIC) among the ACPI tables";
	case ACPI_NO_SRAT:
		return "no SRAT among the ACPI tables";
	case ACPI_NO_HPET:
		return "no HPET among the ACPI tables";
	case ACPI_NO_FADT:
		return "no FADT (signature FACP) among the ACPI tables";
	case ACPI_NO_SLEEP:
		return "ACPI does not tell how to switch off";
	case ACPI_NO_TIMER:
		return "ACPI tells of no power management timer";
	case ACPI_NO_CPUS:
		return "no usable CPU in the MADT";
	case ACPI_TOO_MANY_CPUS:
		return "more CPUs in an ACPI table than pvspin can hold";
	}
	return "unknown ACPI status";
}
