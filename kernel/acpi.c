/* SPDX-License-Identifier: MIT */
/*
 * From the RSDP to the list of CPUs: see include/pvspin/acpi.h. RSDP -> XSDT (or RSDT) -> MADT ->
 * its entries. Nothing is believed before it was checked: every address goes through the caller's
 * map function, every table's length is bounded and its checksum verified, every entry must end
 * inside its table. Fields are read byte by byte, since ACPI aligns nothing.
 * ACPI 6.5: 5.2.5.3 (RSDP), 5.2.6 (table header), 5.2.7/8 (RSDT, XSDT), 5.2.12 (MADT).
 */
#include "pvspin/acpi.h"

#include "pvspin/printf.h"
#include "pvspin/string.h"
#include <stdarg.h>

#define RSDP_BYTES        20 /* ACPI 1.0: what the first checksum covers */
#define RSDP_BYTES_V2     36
#define RSDP_MAX_BYTES    4096
#define HEADER_BYTES      36
#define MADT_ENTRIES_FROM 44
#define TABLE_MAX_BYTES   (1u << 20) /* 64 K CPUs; keeps a damaged length from being summed up */

#define EBDA_SEGMENT_AT 0x40e /* BIOS data area: real-mode segment of the EBDA */
#define EBDA_SEARCHED   1024
#define BIOS_START      0xe0000
#define BIOS_BYTES      0x20000

#define MADT_LOCAL_APIC    0 /* 5.2.12.2 */
#define MADT_LAPIC_ADDRESS 5 /* 5.2.12.8 */
#define MADT_LOCAL_X2APIC  9 /* 5.2.12.12 */

#define MADT_ENABLED        (1u << 0)
#define MADT_ONLINE_CAPABLE (1u << 1)

struct reader {
	acpi_map_fn map;
	char *detail;
	size_t detail_size;
};

struct table {
	const uint8_t *bytes;
	uint64_t address;
	uint32_t length;
};

static uint32_t read_u32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t read_u64(const uint8_t *at)
{
	return read_u32(at) | (uint64_t)read_u32(at + 4) << 32;
}

static bool sums_to_zero(const uint8_t *bytes, size_t length)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

__attribute__((format(printf, 3, 4))) static enum acpi_status
fail(const struct reader *reader, enum acpi_status status, const char *format, ...)
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
static uint64_t search_rsdp(const struct reader *reader, uint64_t start, size_t length)
{
	const uint8_t *bytes = reader->map(start, length);

	if (bytes == NULL)
		return 0;
	for (size_t i = 0; i + RSDP_BYTES <= length; i += 16) {
		if (memcmp(bytes + i, "RSD PTR ", 8) == 0 && sums_to_zero(bytes + i, RSDP_BYTES))
			return start + i;
	}
	return 0;
}

static uint64_t search_bios_areas(const struct reader *reader)
{
	const uint8_t *pointer = reader->map(EBDA_SEGMENT_AT, 2);
	uint64_t ebda = pointer ? (uint64_t)(pointer[0] | pointer[1] << 8) << 4 : 0;
	uint64_t rsdp = 0;

	if (ebda != 0)
		rsdp = search_rsdp(reader, ebda, EBDA_SEARCHED);
	return rsdp ? rsdp : search_rsdp(reader, BIOS_START, BIOS_BYTES);
}

/* Checks the RSDP; gives the address of the root table and how wide its entries are. */
static enum acpi_status read_rsdp(const struct reader *reader, uint64_t rsdp, uint64_t *root,
				  size_t *entry_bytes)
{
	const uint8_t *bytes = reader->map(rsdp, RSDP_BYTES);
	uint32_t length;

	if (bytes == NULL || memcmp(bytes, "RSD PTR ", 8) != 0)
		return fail(reader, ACPI_NO_RSDP, "no RSDP at %#llx", (unsigned long long)rsdp);
	if (!sums_to_zero(bytes, RSDP_BYTES))
		return fail(reader, ACPI_BAD_CHECKSUM, "RSDP at %#llx", (unsigned long long)rsdp);
	*root = read_u32(bytes + 16);
	*entry_bytes = 4;
	if (bytes[15] < 2) /* revision */
		return ACPI_OK;

	bytes = reader->map(rsdp, RSDP_BYTES_V2);
	length = bytes ? read_u32(bytes + 20) : 0;
	if (length >= RSDP_BYTES_V2 && length <= RSDP_MAX_BYTES)
		bytes = reader->map(rsdp, length);
	else
		bytes = NULL;
	if (bytes == NULL)
		return fail(reader, ACPI_BAD_TABLE, "RSDP at %#llx: length %u, accepted: %u..%u",
			    (unsigned long long)rsdp, length, RSDP_BYTES_V2, RSDP_MAX_BYTES);
	if (!sums_to_zero(bytes, length))
		return fail(reader, ACPI_BAD_CHECKSUM, "RSDP at %#llx, extended checksum",
			    (unsigned long long)rsdp);
	if (read_u64(bytes + 24) != 0) {
		*root = read_u64(bytes + 24);
		*entry_bytes = 8;
	}
	return ACPI_OK;
}

static enum acpi_status read_table(const struct reader *reader, uint64_t address,
				   const char *signature, struct table *table)
{
	const uint8_t *header = reader->map(address, HEADER_BYTES);
	uint32_t length;

	if (header == NULL)
		return fail(reader, ACPI_BAD_TABLE, "%s at %#llx: address not mapped", signature,
			    (unsigned long long)address);
	if (memcmp(header, signature, 4) != 0)
		return fail(reader, ACPI_BAD_TABLE, "no %s at %#llx", signature,
			    (unsigned long long)address);
	length = read_u32(header + 4);
	if (length < HEADER_BYTES || length > TABLE_MAX_BYTES)
		return fail(reader, ACPI_BAD_TABLE, "%s at %#llx: length %u, accepted: %u..%u",
			    signature, (unsigned long long)address, length, HEADER_BYTES,
			    TABLE_MAX_BYTES);
	table->bytes = reader->map(address, length);
	table->address = address;
	table->length = length;
	if (table->bytes == NULL)
		return fail(reader, ACPI_BAD_TABLE, "%s at %#llx: %u bytes are not all mapped",
			    signature, (unsigned long long)address, length);
	if (!sums_to_zero(table->bytes, length))
		return fail(reader, ACPI_BAD_CHECKSUM, "%s at %#llx", signature,
			    (unsigned long long)address);
	return ACPI_OK;
}

/* Other tables may be unreadable; that matters only if the MADT is not among the readable ones. */
static enum acpi_status find_madt(const struct reader *reader, const struct table *root,
				  size_t entry_bytes, struct table *madt)
{
	uint64_t unmapped = 0;
	bool any_unmapped = false;

	for (size_t at = HEADER_BYTES; at + entry_bytes <= root->length; at += entry_bytes) {
		uint64_t address =
			entry_bytes == 8 ? read_u64(root->bytes + at) : read_u32(root->bytes + at);
		const uint8_t *header = reader->map(address, HEADER_BYTES);

		if (header != NULL && memcmp(header, "APIC", 4) == 0)
			return read_table(reader, address, "APIC", madt);
		if (header == NULL && !any_unmapped) {
			any_unmapped = true;
			unmapped = address;
		}
	}
	if (any_unmapped)
		return fail(reader, ACPI_BAD_TABLE, "root table at %#llx lists %#llx: not mapped",
			    (unsigned long long)root->address, (unsigned long long)unmapped);
	return fail(reader, ACPI_NO_MADT, "root table at %#llx, %u bytes",
		    (unsigned long long)root->address, root->length);
}

/* An ID that is there already is dropped, but an enabled entry replaces one that is not: firmware
 * fills the entries of absent CPUs as it likes. */
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
		flags = read_u32(entry + 4);
		if (cpu->apic_id == 0xff)
			return false;
	} else if (entry[0] == MADT_LOCAL_X2APIC && length >= 16) {
		cpu->apic_id = read_u32(entry + 4);
		flags = read_u32(entry + 8);
		cpu->uid = read_u32(entry + 12);
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
	case MADT_LAPIC_ADDRESS:
		return 12;
	case MADT_LOCAL_X2APIC:
		return 16;
	default:
		return 2;
	}
}

static enum acpi_status read_madt(const struct reader *reader, const struct table *madt,
				  struct acpi_cpus *cpus)
{
	uint32_t at = MADT_ENTRIES_FROM;

	if (madt->length < MADT_ENTRIES_FROM)
		return fail(reader, ACPI_BAD_TABLE, "APIC at %#llx: length %u, at least %u",
			    (unsigned long long)madt->address, madt->length, MADT_ENTRIES_FROM);
	cpus->lapic_address = read_u32(madt->bytes + HEADER_BYTES);
	cpus->revision = madt->bytes[8];
	while (at < madt->length) {
		const uint8_t *entry = madt->bytes + at;
		uint32_t left = madt->length - at;
		struct acpi_cpu cpu;

		if (left < 2 || entry[1] > left || entry[1] < entry_min_bytes(entry[0]))
			return fail(reader, ACPI_BAD_TABLE,
				    "APIC at %#llx: entry at byte %u, type %u, length %u, left %u",
				    (unsigned long long)madt->address, at, entry[0],
				    left < 2 ? 0 : entry[1], left);
		if (entry[0] == MADT_LAPIC_ADDRESS)
			cpus->lapic_address = read_u64(entry + 4);
		else if (read_cpu(entry, entry[1], &cpu) && !add_cpu(cpus, &cpu))
			return fail(reader, ACPI_TOO_MANY_CPUS, "more than %zu", cpus->capacity);
		at += entry[1];
	}
	for (size_t i = 0; i < cpus->count; i++) {
		if (cpus->cpu[i].enabled)
			return ACPI_OK;
	}
	return fail(reader, ACPI_NO_CPUS, "APIC at %#llx: %zu CPUs, none enabled",
		    (unsigned long long)madt->address, cpus->count);
}

enum acpi_status acpi_find_cpus(acpi_map_fn map, uint64_t rsdp, struct acpi_cpus *cpus,
				char *detail, size_t detail_size)
{
	struct reader reader = {.map = map, .detail = detail, .detail_size = detail_size};
	struct table table = {.bytes = NULL};
	size_t entry_bytes = 0;
	uint64_t root = 0;
	enum acpi_status status;

	cpus->count = 0;
	cpus->lapic_address = 0;
	cpus->revision = 0;
	if (detail != NULL && detail_size != 0)
		detail[0] = '\0';
	if (rsdp == 0)
		rsdp = search_bios_areas(&reader);
	if (rsdp == 0)
		return fail(&reader, ACPI_NO_RSDP, "searched EBDA and %#x..%#x", BIOS_START,
			    BIOS_START + BIOS_BYTES - 1);
	status = read_rsdp(&reader, rsdp, &root, &entry_bytes);
	if (status == ACPI_OK)
		status = read_table(&reader, root, entry_bytes == 8 ? "XSDT" : "RSDT", &table);
	if (status == ACPI_OK)
		status = find_madt(&reader, &table, entry_bytes, &table);
	if (status == ACPI_OK)
		status = read_madt(&reader, &table, cpus);
	return status;
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
	case ACPI_NO_CPUS:
		return "no usable CPU in the MADT";
	case ACPI_TOO_MANY_CPUS:
		return "more CPUs in the MADT than pvspin can hold";
	}
	return "unknown ACPI status";
}
