/* SPDX-License-Identifier: MIT */
/*
 * Physical memory for the tests of ACPI and of the loaders: a few segments with unmapped memory
 * between them. Each segment is an allocation of exactly its length, so that ASan notices any
 * access beside it. Also builds ACPI tables, and loads those that acpi/save.sh saved.
 */
#ifndef PVSPIN_TESTS_HOST_FAKE_MEMORY_H
#define PVSPIN_TESTS_HOST_FAKE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

void memory_clear(void);
int memory_teardown(void **state); /* the same, as a teardown function of cmocka */

/* Adds a segment of zeros. The test fails if there are too many. */
uint8_t *memory_add(uint64_t address, size_t length);

/* acpi_map_fn: only ranges that lie in one segment are mapped. */
const void *memory_map(uint64_t address, size_t length);

/* Returns the segment that starts at `address`, and its length. */
uint8_t *memory_at(uint64_t address, size_t *length);

/* Loads the files of tests/host/acpi/NAME. The RSDP, which lies below 1 MiB, gets a whole BIOS area
 * (0xe0000-0xfffff) around it, so that it has to be searched. Returns its address. */
uint64_t memory_load(const char *name);

/* Returns the addresses of the segments, for tests that damage one after the other. */
size_t memory_segments(uint64_t addresses[], size_t capacity);

void write_u32(uint8_t *at, uint32_t value);
void write_u64(uint8_t *at, uint64_t value);

/* Adds a table with signature, length and revision; table_seal() then sets its checksum. */
uint8_t *table_add(uint64_t address, const char *signature, size_t length);
void table_seal(uint64_t address);

/* Adds an RSDP of revision 0 (20 bytes) or 2 (36 bytes). */
void rsdp_add(uint64_t address, uint8_t revision, uint32_t rsdt, uint64_t xsdt);
/* Adds an RSDT or XSDT with one entry for each address. */
void root_add(uint64_t address, const char *signature, const uint64_t *tables, size_t count);
/* Adds a MADT, or SRAT, with these bytes after its fixed part. */
void madt_add(uint64_t address, const uint8_t *entries, size_t length);
void srat_add(uint64_t address, uint8_t revision, const uint8_t *entries, size_t length);

#endif
