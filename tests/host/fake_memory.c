/* SPDX-License-Identifier: MIT */
/* See fake_memory.h. */
#include "tests/host/fake_memory.h"

#include "tests/host/test.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENTS   16
#define BIOS_START 0xe0000
#define BIOS_BYTES 0x20000

static struct segment {
	uint64_t address;
	size_t length;
	uint8_t *bytes;
} segments[SEGMENTS];
static size_t segment_count;

void memory_clear(void)
{
	while (segment_count != 0)
		free(segments[--segment_count].bytes);
}

uint8_t *memory_add(uint64_t address, size_t length)
{
	struct segment *segment = &segments[segment_count];

	assert_true(segment_count < SEGMENTS);
	segment->address = address;
	segment->length = length;
	segment->bytes = calloc(1, length ? length : 1);
	segment_count++;
	return segment->bytes;
}

const void *memory_map(uint64_t address, size_t length)
{
	for (size_t i = 0; i < segment_count; i++) {
		const struct segment *s = &segments[i];
		uint64_t offset = address - s->address;

		if (address >= s->address && offset <= s->length && length <= s->length - offset)
			return s->bytes + offset;
	}
	return NULL;
}

uint8_t *memory_at(uint64_t address, size_t *length)
{
	for (size_t i = 0; i < segment_count; i++) {
		if (segments[i].address == address) {
			*length = segments[i].length;
			return segments[i].bytes;
		}
	}
	fail_msg("no segment at %#llx", (unsigned long long)address);
	return NULL;
}

size_t memory_segments(uint64_t addresses[], size_t capacity)
{
	assert_true(segment_count <= capacity);
	for (size_t i = 0; i < segment_count; i++)
		addresses[i] = segments[i].address;
	return segment_count;
}

/* Adds the bytes of a file. Returns their address, which is the file's name. */
static uint64_t load_file(const char *directory, const char *name)
{
	static uint8_t bytes[65536];
	uint64_t address = strtoull(name, NULL, 16);
	char path[512];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	length = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (address >= BIOS_START && address < BIOS_START + BIOS_BYTES)
		memcpy(memory_add(BIOS_START, BIOS_BYTES) + (address - BIOS_START), bytes, length);
	else
		memcpy(memory_add(address, length), bytes, length);
	return address;
}

uint64_t memory_load(const char *name)
{
	uint64_t rsdp = 0;
	struct dirent *entry;
	char directory[256];
	DIR *dir;

	memory_clear();
	snprintf(directory, sizeof(directory), "tests/host/acpi/%s", name);
	dir = opendir(directory);
	if (dir == NULL)
		fail_msg("no directory %s: run from the top of the tree", directory);
	while ((entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, ".bin") != NULL) {
			uint64_t address = load_file(directory, entry->d_name);

			if (address < 0x100000)
				rsdp = address;
		}
	}
	closedir(dir);
	assert_true(rsdp != 0);
	return rsdp;
}

void write_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

void write_u64(uint8_t *at, uint64_t value)
{
	write_u32(at, (uint32_t)value);
	write_u32(at + 4, (uint32_t)(value >> 32));
}

/* Returns the byte that makes the sum of all bytes zero. */
static uint8_t checksum_of(const uint8_t *bytes, size_t length)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return (uint8_t)(0 - sum);
}

uint8_t *table_add(uint64_t address, const char *signature, size_t length)
{
	uint8_t *bytes = memory_add(address, length);

	memcpy(bytes, signature, 4);
	write_u32(bytes + 4, (uint32_t)length);
	bytes[8] = 1;
	return bytes;
}

void table_seal(uint64_t address)
{
	size_t length;
	uint8_t *bytes = memory_at(address, &length);

	bytes[9] = 0;
	bytes[9] = checksum_of(bytes, length);
}

void rsdp_add(uint64_t address, uint8_t revision, uint32_t rsdt, uint64_t xsdt)
{
	uint8_t *bytes = memory_add(address, revision < 2 ? 20 : 36);

	memcpy(bytes, "RSD PTR ", 8);
	bytes[15] = revision;
	write_u32(bytes + 16, rsdt);
	bytes[8] = checksum_of(bytes, 20);
	if (revision < 2)
		return;
	write_u32(bytes + 20, 36);
	write_u64(bytes + 24, xsdt);
	bytes[32] = checksum_of(bytes, 36);
}

void root_add(uint64_t address, const char *signature, const uint64_t *tables, size_t count)
{
	size_t width = signature[0] == 'X' ? 8 : 4;
	uint8_t *bytes = table_add(address, signature, 36 + width * count);

	for (size_t i = 0; i < count; i++) {
		if (width == 8)
			write_u64(bytes + 36 + 8 * i, tables[i]);
		else
			write_u32(bytes + 36 + 4 * i, (uint32_t)tables[i]);
	}
	table_seal(address);
}

void madt_add(uint64_t address, const uint8_t *entries, size_t length)
{
	uint8_t *bytes = table_add(address, "APIC", 44 + length);

	write_u32(bytes + 36, 0xfee00000);
	memcpy(bytes + 44, entries, length);
	table_seal(address);
}

void srat_add(uint64_t address, uint8_t revision, const uint8_t *entries, size_t length)
{
	uint8_t *bytes = table_add(address, "SRAT", 48 + length);

	bytes[8] = revision;
	write_u32(bytes + 36, 1);
	memcpy(bytes + 48, entries, length);
	table_seal(address);
}

int memory_teardown(void **state)
{
	(void)state;
	memory_clear();
	return 0;
}
