/* SPDX-License-Identifier: MIT */
/*
 * Tests kernel/acpi.c with tables that QEMU made (tests/host/acpi, see save.sh there), and with
 * tables that QEMU under TCG cannot make: x2APIC entries, an XSDT above 4 GiB, habits of other
 * firmware. test_acpi_damage.c has damaged tables.
 */
#include "tests/host/acpi_machine.h"

static void reads_the_tables_of_qemu(void **state)
{
	static const struct {
		const char *name;
		size_t count, enabled;
		uint32_t ids[12];
	} machines[] = {
		{"pc-smp4", 4, 4, {0, 1, 2, 3}},
		{"q35-smp12", 12, 12, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		{"q35-sparse", 12, 12, {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14}},
		{"pc-maxcpus7", 7, 3, {0, 1, 2, 3, 4, 5, 6}},
	};

	(void)state;
	for (size_t m = 0; m < COUNT(machines); m++) {
		uint64_t rsdp = memory_load(machines[m].name);

		for (int search = 0; search < 2; search++) {
			assert_found(search ? 0 : rsdp);
			assert_int_equal(cpus.count, machines[m].count);
			for (size_t i = 0; i < cpus.count; i++) {
				assert_int_equal(cpus.revision, 1);
				assert_int_equal(cpu[i].apic_id, machines[m].ids[i]);
				assert_int_equal(cpu[i].uid, i);
				assert_int_equal(cpu[i].enabled, i < machines[m].enabled);
				assert_false(cpu[i].online_capable);
			}
		}
	}
}

static void the_rsdp_is_searched_in_the_ebda_first(void **state)
{
	uint8_t entry[8], *bytes;

	(void)state;
	put_lapic(entry, 0, 3, 1);
	build(entry, sizeof(entry));
	bytes = memory_add(0x40e, 2);
	bytes[1] = 0x9f; /* segment 0x9f00 */
	memcpy(memory_add(0x9f000, 1024) + 1024 - 32, memory_map(RSDP, 20), 20);
	/* the string without a valid checksum is ignored */
	memcpy(memory_add(0xe0000, 0x20000) + 16, "RSD PTR ", 8);
	assert_found(0);
	assert_int_equal(cpu[0].apic_id, 3);
	/* an RSDP lies on a 16-byte boundary */
	bytes[1] = 0;
	memcpy((uint8_t *)memory_map(0xe1008, 20), memory_map(RSDP, 20), 20);
	assert_fails(0, ACPI_NO_RSDP, "0xe0000..0xfffff");
	memcpy((uint8_t *)memory_map(0xfffe0, 20), memory_map(RSDP, 20), 20);
	assert_found(0);
	memory_clear();
	assert_fails(0, ACPI_NO_RSDP, "searched");
}

static void x2apic_entries_through_an_xsdt(void **state)
{
	const uint64_t high = UINT64_C(0x123456000);
	const uint64_t tables[] = {0x7fe5000, high};
	static uint8_t entries[288 * 16 + 32];
	uint8_t *at = entries;

	(void)state;
	for (uint32_t i = 0; i < 288; i++)
		at = i < 255 ? put_lapic(at, (uint8_t)i, (uint8_t)i, 1) : put_x2apic(at, i, i, 2);
	at = put_lapic(at, 9, 255, 1);         /* broadcast: no CPU */
	at = put_x2apic(at, 9, UINT32_MAX, 1); /* broadcast: no CPU */
	memory_clear();
	rsdp_add(RSDP, 2, 0xdead, high + 0x10000);
	root_add(high + 0x10000, "XSDT", tables, 2);
	table_add(0x7fe5000, "HPET", 56);
	madt_add(high, entries, (size_t)(at - entries));
	assert_found(RSDP);
	assert_int_equal(cpus.count, 288);
	assert_true(cpu[254].apic_id == 254 && cpu[254].enabled && !cpu[254].online_capable);
	assert_true(cpu[287].apic_id == 287 && cpu[287].uid == 287);
	assert_true(!cpu[287].enabled && cpu[287].online_capable);
	assert_int_equal(find(RSDP, 288), ACPI_OK);
	assert_int_equal(find(RSDP, 287), ACPI_TOO_MANY_CPUS);
	assert_non_null(strstr(detail, "287"));
	/* a revision 2 RSDP without an XSDT has an RSDT */
	memory_clear();
	rsdp_add(RSDP, 2, ROOT, 0);
	root_add(ROOT, "RSDT", (const uint64_t[]){MADT}, 1);
	madt_add(MADT, entries, 8);
	assert_found(RSDP);
}

static void an_apic_id_counts_once(void **state)
{
	uint8_t entries[8 * 3 + 16 * 3 + 12 + 6], *at = entries;

	(void)state;
	at = put_lapic(at, 1, 5, 1);
	at = put_x2apic(at, 2, 5, 1);
	at = put_lapic(at, 3, 6, 0);
	at = put_x2apic(at, 4, 6, 3);
	at = put_lapic(at, 5, 6, 0);
	at = put_x2apic(at, 6, 7, 1);
	memcpy(at, (uint8_t[]){0x7f, 6, 1, 2, 3, 4}, 6); /* an unknown type */
	at += 6;
	memcpy(at, (uint8_t[]){5, 12}, 2);
	memset(at + 2, 0, 2);
	write_u64(at + 4, UINT64_C(0x4fee00000));
	build(entries, sizeof(entries));
	assert_int_equal(find(RSDP, 3), ACPI_OK);
	assert_int_equal(cpus.count, 3);
	assert_true(cpu[0].apic_id == 5 && cpu[0].uid == 1 && cpu[0].enabled);
	assert_true(cpu[1].apic_id == 6 && cpu[1].uid == 4 && cpu[1].enabled);
	assert_true(cpu[2].apic_id == 7);
	assert_true(cpus.lapic_address == UINT64_C(0x4fee00000));
}

static void a_machine_needs_an_enabled_cpu(void **state)
{
	uint8_t entries[2 * (8 + 16)] = {0}, *at = entries;

	(void)state;
	build(entries, 0);
	assert_fails(RSDP, ACPI_NO_CPUS, "0 CPUs");
	at = put_lapic(at, 0, 0, 2);
	at = put_x2apic(at, 1, 1, 0);
	at = put_lapic(at, 2, 0xff, 1); /* the broadcast IDs are no CPUs */
	put_x2apic(at, 3, UINT32_MAX, 1);
	build(entries, sizeof(entries));
	assert_fails(RSDP, ACPI_NO_CPUS, "2 CPUs, none enabled");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_tables_of_qemu),
		cmocka_unit_test(the_rsdp_is_searched_in_the_ebda_first),
		cmocka_unit_test(x2apic_entries_through_an_xsdt),
		cmocka_unit_test(an_apic_id_counts_once),
		cmocka_unit_test(a_machine_needs_an_enabled_cpu),
	};

	return cmocka_run_group_tests_name("acpi", tests, NULL, memory_teardown);
}
