/* SPDX-License-Identifier: MIT */
/*
 * Shared by the readers of single ACPI tables: finds and checks the table, and walks its entries.
 * Private to kernel/acpi*.c.
 */
#ifndef PVSPIN_KERNEL_ACPI_TABLE_H
#define PVSPIN_KERNEL_ACPI_TABLE_H

#include "kernel/acpi.h"
#include <stddef.h>
#include <stdint.h>

#define ACPI_HEADER_BYTES 36
#define ACPI_REVISION_AT  8

struct acpi_reader {
	acpi_map_fn map;
	char *detail;
	size_t detail_size;
};

/* Mapped as a whole, with the right signature and checksum. */
struct acpi_table {
	const uint8_t *bytes;
	uint64_t address;
	uint32_t length;
};

/* A table of entries that begin with type and length, one byte each. */
struct acpi_wanted {
	const char *signature;
	enum acpi_status missing; /* the status if there is none */
	uint32_t entries_from;
	size_t (*entry_min_bytes)(uint8_t type); /* at least 2 */
};

enum acpi_status acpi_find_table(const struct acpi_reader *reader, uint64_t rsdp,
				 const struct acpi_wanted *wanted, struct acpi_table *table);

/* Checks the table at `address`, which must have this signature. */
enum acpi_status acpi_read_table(const struct acpi_reader *reader, uint64_t address,
				 const char *signature, struct acpi_table *table);

/* Sets the entry at byte *at, after checking that it ends inside the table, and moves *at past it;
 * NULL at the table's end. */
enum acpi_status acpi_next_entry(const struct acpi_reader *reader, const struct acpi_table *table,
				 const struct acpi_wanted *wanted, uint32_t *at,
				 const uint8_t **entry);

bool acpi_sums_to_zero(const uint8_t *bytes, size_t length);

/* Writes the detail; returns `status`. */
enum acpi_status acpi_fail(const struct acpi_reader *reader, enum acpi_status status,
			   const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline uint32_t acpi_u32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t acpi_u64(const uint8_t *at)
{
	return acpi_u32(at) | (uint64_t)acpi_u32(at + 4) << 32;
}

#endif
