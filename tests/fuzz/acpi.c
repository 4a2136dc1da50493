/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer over the ACPI reader. Each table has any content and is an allocation of exactly its
 * length, so that ASan notices a read outside of it. Input: a byte of flags, then tables, each as
 * place (1 byte), length (2 bytes, little-endian) and that many bytes. FLAG_REPAIR corrects the
 * signature (bytes 0 to 3), length and checksum of each table, because hardly any input would
 * otherwise pass the checks.
 */
#include "kernel/acpi.h"
#include "tests/host/fake_memory.h"
#include <string.h>

#define FLAG_REPAIR   1
#define FLAG_SEARCH   2 /* no address from the loader: the RSDP is searched for */
#define FLAG_XSDT     4
#define CAPACITY_BITS 3 /* the flags from this bit on: room for 1 to 32 CPUs */

#define HEADER 36 /* ACPI 6.5, 5.2.6 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The places of tables; the RSDP is where a search finds it. */
enum place { RSDP, ROOT, MADT, SRAT, PLACES };
static const uint64_t places[PLACES] = {0xe0000, 0x7fe1000, 0x7fe2000, 0x7fe3000};
static const char *const signatures[PLACES] = {"RSD PTR ", "RSDT", "APIC", "SRAT"};

/* Fills in the addresses of the tables, 4 or 8 bytes each, after the header
 * (ACPI 6.5, 5.2.7, 5.2.8). */
static void lead_on(uint8_t *root, size_t length, bool xsdt)
{
	size_t width = xsdt ? 8 : 4;

	for (size_t i = 0; i < 2 && HEADER + (i + 1) * width <= length; i++) {
		if (xsdt)
			write_u64(root + HEADER + i * width, places[MADT + i]);
		else
			write_u32(root + HEADER + i * width, (uint32_t)places[MADT + i]);
	}
}

static void repair(enum place place, uint8_t *bytes, size_t length, uint8_t flags)
{
	uint8_t sum = 0;

	if (place == RSDP || length < HEADER)
		return;
	memcpy(bytes, place == ROOT && (flags & FLAG_XSDT) ? "XSDT" : signatures[place], 4);
	write_u32(bytes + 4, (uint32_t)length);
	if (place == ROOT)
		lead_on(bytes, length, flags & FLAG_XSDT);
	bytes[9] = 0;
	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[9] = (uint8_t)(0 - sum);
}

/* Stores the tables of the input; of two with the same place, only the first. */
static void fill_memory(const uint8_t *data, size_t size, uint8_t flags)
{
	bool taken[PLACES] = {false};

	while (size >= 3) {
		enum place place = data[0] % PLACES;
		size_t length = data[1] + 256u * data[2];

		data += 3;
		size -= 3;
		length = length < size ? length : size;
		if (!taken[place]) {
			uint8_t *bytes = memory_add(places[place], length);

			taken[place] = true;
			memcpy(bytes, data, length);
			if (flags & FLAG_REPAIR)
				repair(place, bytes, length, flags);
		}
		data += length;
		size -= length;
	}
	if ((flags & FLAG_REPAIR) && !taken[RSDP])
		rsdp_add(places[RSDP], flags & FLAG_XSDT ? 2 : 0, (uint32_t)places[ROOT],
			 places[ROOT]);
}

static void check(enum acpi_status status, size_t count, size_t capacity, const char *detail)
{
	if (status > ACPI_TOO_MANY_CPUS || count > capacity || acpi_status_text(status) == NULL)
		__builtin_trap();
	if ((status == ACPI_OK) != (detail[0] == '\0'))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acpi_cpu cpu[32];
	struct acpi_affinity affinity[32];
	size_t capacity = size ? 1 + (size_t)(data[0] >> CAPACITY_BITS) : 0;
	struct acpi_cpus cpus = {.cpu = cpu, .capacity = capacity};
	struct acpi_affinities affinities = {.affinity = affinity, .capacity = capacity};
	char detail[128];
	uint64_t rsdp;

	if (size == 0)
		return 0;
	fill_memory(data + 1, size - 1, data[0]);
	rsdp = data[0] & FLAG_SEARCH ? 0 : places[RSDP];
	detail[0] = '\0';
	check(acpi_find_cpus(memory_map, rsdp, &cpus, detail, sizeof(detail)), cpus.count, capacity,
	      detail);
	for (size_t i = 0; i < cpus.count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (cpu[i].apic_id == cpu[k].apic_id) /* "each APIC ID once" */
				__builtin_trap();
		}
	}
	detail[0] = '\0';
	check(acpi_find_affinities(memory_map, rsdp, &affinities, detail, sizeof(detail)),
	      affinities.count, capacity, detail);
	memory_clear();
	return 0;
}
