/* SPDX-License-Identifier: MIT */
/*
 * Shared by test_acpi.c, test_acpi_damage.c and test_srat.c: a machine with one ACPI table at fixed
 * addresses, MADT entries, and checks of what acpi_find_cpus() returns for the fake memory.
 */
#ifndef PVSPIN_TESTS_HOST_ACPI_MACHINE_H
#define PVSPIN_TESTS_HOST_ACPI_MACHINE_H

#include "tests/host/fake_memory.h"
#include "tests/host/test.h"

#include "kernel/acpi.h"
#include <string.h>

#define CAPACITY     300
#define FUZZ_ROUNDS  20000
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RSDP 0x7fe0000
#define ROOT 0x7fe1000
#define MADT 0x7fe2000
#define SRAT 0x7fe3000

static struct acpi_cpu cpu[CAPACITY];
static struct acpi_cpus cpus;
static char detail[128];

static inline enum acpi_status find(uint64_t rsdp, size_t capacity)
{
	cpus = (struct acpi_cpus){.cpu = cpu, .capacity = capacity};
	return acpi_find_cpus(memory_map, rsdp, &cpus, detail, sizeof(detail));
}

static inline void assert_found(uint64_t rsdp)
{
	enum acpi_status status = find(rsdp, CAPACITY);

	if (status != ACPI_OK)
		fail_msg("%s: %s", acpi_status_text(status), detail);
	assert_string_equal(detail, "");
	assert_true(cpus.lapic_address == 0xfee00000);
}

static inline void assert_fails(uint64_t rsdp, enum acpi_status expected, const char *text)
{
	assert_int_equal(find(rsdp, CAPACITY), expected);
	if (strstr(detail, text) == NULL)
		fail_msg("\"%s\" is not in: %s", text, detail);
}

/* Cuts one table of a saved machine at every length; unmapped memory follows its last byte. */
static inline void cut_at_every_length(const char *saved, const char *signature, uint64_t at,
				       void (*expect_damage)(void))
{
	static uint8_t whole[4096];
	uint64_t addresses[16];
	size_t count, length;

	memory_load(saved);
	count = memory_segments(addresses, COUNT(addresses));
	for (size_t i = 0; i < count; i++) {
		uint8_t *bytes = memory_at(addresses[i], &length);

		if (memcmp(bytes, signature, 4) != 0)
			continue;
		memcpy(whole, bytes, length);
		for (size_t kept = 0; kept < length; kept++) {
			memory_clear();
			rsdp_add(RSDP, 0, ROOT, 0);
			root_add(ROOT, "RSDT", &at, 1);
			memcpy(memory_add(at, kept), whole, kept);
			expect_damage();
		}
		return;
	}
	fail_msg("no %s among the saved tables", signature);
}

/* Makes a machine with one table, at fixed addresses. */
static inline void build(const uint8_t *entries, size_t length)
{
	uint64_t table = MADT;

	memory_clear();
	rsdp_add(RSDP, 0, ROOT, 0);
	root_add(ROOT, "RSDT", &table, 1);
	madt_add(MADT, entries, length);
}

static inline uint8_t *put_lapic(uint8_t *at, uint8_t uid, uint8_t id, uint32_t flags)
{
	memcpy(at, (uint8_t[]){0, 8, uid, id}, 4);
	write_u32(at + 4, flags);
	return at + 8;
}

static inline uint8_t *put_x2apic(uint8_t *at, uint32_t uid, uint32_t id, uint32_t flags)
{
	memcpy(at, (uint8_t[]){9, 16, 0, 0}, 4);
	write_u32(at + 4, id);
	write_u32(at + 8, flags);
	write_u32(at + 12, uid);
	return at + 16;
}

#endif
