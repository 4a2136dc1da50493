/* SPDX-License-Identifier: MIT */
/* Tests the devices that the watchdog needs: kernel/acpi_hpet.c, and the I/O APICs of the MADT. */
#include "tests/host/acpi_machine.h"

#define HPET 0x7fe4000

static uint8_t *machine_with_hpet(size_t length, uint64_t address)
{
	const uint64_t tables[] = {HPET};
	uint8_t *bytes;

	memory_clear();
	rsdp_add(RSDP, 0, ROOT, 0);
	root_add(ROOT, "RSDT", tables, 1);
	bytes = table_add(HPET, "HPET", length);
	if (length >= 52)
		write_u64(bytes + 44, address);
	table_seal(HPET);
	return bytes;
}

static enum acpi_status hpet(uint64_t *address)
{
	return acpi_find_hpet(memory_map, RSDP, address, detail, sizeof(detail));
}

static void finds_the_registers(void **state)
{
	uint64_t address = 0;

	(void)state;
	machine_with_hpet(56, 0xfed00000);
	assert_int_equal(hpet(&address), ACPI_OK);
	assert_int_equal(address, 0xfed00000);
	machine_with_hpet(56, UINT64_C(0x1fed00000));
	assert_int_equal(hpet(&address), ACPI_OK);
	assert_true(address == UINT64_C(0x1fed00000));
}

static void rejects_invalid_tables(void **state)
{
	uint64_t address;

	(void)state;
	machine_with_hpet(56, 0);
	assert_int_equal(hpet(&address), ACPI_BAD_TABLE);
	machine_with_hpet(56, 0xfed00004);
	assert_int_equal(hpet(&address), ACPI_BAD_TABLE);
	machine_with_hpet(55, 0xfed00000);
	assert_int_equal(hpet(&address), ACPI_BAD_TABLE);
	machine_with_hpet(56, 0xfed00000)[40] = 1; /* in I/O space */
	table_seal(HPET);
	assert_int_equal(hpet(&address), ACPI_BAD_TABLE);
	build((const uint8_t[]){0}, 0);
	assert_int_equal(hpet(&address), ACPI_NO_HPET);
}

static uint8_t *put_ioapic(uint8_t *at, uint32_t address, uint32_t first)
{
	memcpy(at, (uint8_t[]){1, 12, 0, 0}, 4);
	write_u32(at + 4, address);
	write_u32(at + 8, first);
	return at + 12;
}

static void finds_the_io_apics(void **state)
{
	uint8_t entries[8 + 2 * 12], *at = entries;

	(void)state;
	at = put_lapic(at, 0, 0, 1);
	build(entries, 8);
	assert_found(RSDP);
	assert_int_equal(cpus.ioapics, 0);
	at = put_ioapic(at, 0xfec00000, 0);
	put_ioapic(at, 0xfec01000, 24);
	build(entries, sizeof(entries));
	assert_found(RSDP);
	assert_int_equal(cpus.ioapics, 2);
	assert_true(cpus.ioapic[0].address == 0xfec00000 && cpus.ioapic[0].first_interrupt == 0);
	assert_true(cpus.ioapic[1].address == 0xfec01000 && cpus.ioapic[1].first_interrupt == 24);
	entries[9] = 11; /* too short */
	build(entries, sizeof(entries));
	assert_fails(RSDP, ACPI_BAD_TABLE, "type 1, length 11");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_registers),
		cmocka_unit_test(rejects_invalid_tables),
		cmocka_unit_test(finds_the_io_apics),
	};

	return cmocka_run_group_tests_name("hpet", tests, NULL, memory_teardown);
}
