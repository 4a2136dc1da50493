/* SPDX-License-Identifier: MIT */
/*
 * Tests kernel/topology.c, which decides which CPUs are started, with machines that QEMU does not
 * make: 1024 CPUs with sparse IDs, and MADTs without the boot CPU, with double IDs, with no enabled
 * CPU, with too many, or damaged.
 */
#include "kernel/topology.h"

#include "kernel/apic.h"
#include "kernel/memory.h"
#include "lib/log.h"
#include "lib/printf.h"
#include <stdlib.h>

#include "tests/host/acpi_machine.h" /* its `cpu` would shadow those of the headers above */

#define MANY       1024
#define MAX_ALLOCS 16

static uint8_t entries[4200 * 16];
static void *allocs[MAX_ALLOCS];
static size_t alloc_count, alloc_bytes;
static char said[4096];
static uint32_t boot_id;

static uint32_t id_of_boot_cpu(void)
{
	return boot_id;
}

static const struct apic_ops x2apic = {.id = id_of_boot_cpu, .max_id = 0xfffffffe};
static const struct apic_ops xapic = {.id = id_of_boot_cpu, .max_id = 0xfe};
const struct apic_ops *apic;

void *memory_alloc(size_t bytes, size_t align)
{
	(void)align;
	assert_true(alloc_count < MAX_ALLOCS);
	alloc_bytes += bytes;
	return allocs[alloc_count++] = calloc(1, bytes);
}

const void *memory_map_physical(uint64_t address, size_t length)
{
	return memory_map(address, length);
}

void log_line(const char *format, ...)
{
	size_t used = strlen(said);
	va_list arguments;

	va_start(arguments, format);
	kvsnprintf(said + used, sizeof(said) - used, format, arguments);
	va_end(arguments);
}

static struct machine find_topology(const struct apic_ops *ops, uint32_t boot, const uint8_t *end)
{
	struct boot_info info = {.rsdp = RSDP};
	struct machine m = {.online = 0};

	while (alloc_count != 0)
		free(allocs[--alloc_count]);
	alloc_bytes = 0;
	said[0] = '\0';
	apic = ops;
	boot_id = boot;
	build(entries, (size_t)(end - entries));
	topology_init(&info, &m);
	assert_true(m.cpus.count >= 1 && m.cpus.cpu[0].apic_id == boot);
	return m;
}

/* IDs 0, 3, 6..., most of them above 255; and CPUs that could be hot-added. */
static void many_sparse_cpus(void **state)
{
	uint8_t *at = entries;
	struct machine m;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		at = put_x2apic(at, i, i * 3, 1);
	for (uint32_t i = 0; i < 100; i++)
		at = put_x2apic(at, MANY + i, 5000 + i, 0);
	m = find_topology(&x2apic, 300, at);
	assert_int_equal(m.cpus.count, MANY);
	assert_false(m.cpus_unknown);
	assert_string_equal(said, "");
	/* the boot CPU, ID 300, is index 0; the others keep their order */
	for (uint32_t i = 1; i < MANY; i++)
		assert_int_equal(m.cpus.cpu[i].apic_id, (i <= 100 ? i - 1 : i) * 3);
	assert_int_equal(m.possible_cpus, MANY + 100);
	assert_true(alloc_bytes < 200000);
}

static void the_largest_ids(void **state)
{
	uint8_t *at = entries;
	struct machine m;

	(void)state;
	at = put_x2apic(at, 0, 0, 1);
	at = put_x2apic(at, 1, 0xfffffffe, 1);
	at = put_x2apic(at, 2, 0xffffffff, 1); /* the broadcast */
	m = find_topology(&x2apic, 0, at);
	assert_true(m.cpus.count == 2 && m.cpus.cpu[1].apic_id == 0xfffffffe);
}

/* CPUs that cannot be started must be named, or two vCPUs would look like the whole machine. */
static void ids_out_of_reach_are_named(void **state)
{
	uint8_t *at = entries;
	struct machine m;

	(void)state;
	at = put_lapic(at, 0, 0, 1);
	at = put_x2apic(at, 1, 254, 1);
	at = put_x2apic(at, 2, 255, 1);
	at = put_x2apic(at, 3, 256, 0); /* not enabled: not named */
	m = find_topology(&xapic, 0, at);
	assert_int_equal(m.cpus.count, 2);
	assert_true(m.cpus_unknown);
	assert_non_null(strstr(said, "error: the vCPU with APIC ID 255 needs x2APIC"));
	assert_null(strstr(said, "256"));
}

static void the_boot_cpu_is_missing(void **state)
{
	uint8_t *at = entries;
	struct machine m;

	(void)state;
	at = put_lapic(at, 0, 1, 1);
	at = put_lapic(at, 1, 2, 1);
	m = find_topology(&x2apic, 7, at);
	assert_true(m.cpus.count == 3 && m.cpus.cpu[1].apic_id == 1 && m.cpus.cpu[2].apic_id == 2);
	assert_false(m.cpus_unknown);
}

static void every_id_twice(void **state)
{
	uint8_t *at = entries;
	struct machine m;

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		at = put_lapic(at, (uint8_t)i, (uint8_t)(i / 2), 1);
	for (uint32_t i = 0; i < 20; i++)
		at = put_x2apic(at, i, i / 2, 1);
	m = find_topology(&x2apic, 4, at);
	assert_int_equal(m.cpus.count, 10);
	for (uint32_t i = 1; i < 10; i++)
		assert_int_equal(m.cpus.cpu[i].apic_id, i <= 4 ? i - 1 : i);
}

static void rejects_implausible_tables(void **state)
{
	uint8_t *at = entries;
	struct machine m = find_topology(&x2apic, 0, entries);

	(void)state;
	assert_true(m.cpus.count == 1 && m.cpus_unknown); /* no CPU at all */
	assert_non_null(strstr(said, "error: no CPU list from ACPI (no usable CPU"));
	for (uint32_t i = 0; i < 2000; i++)
		at = put_x2apic(at, i, i, i % 2);
	m = find_topology(&x2apic, 1, at);
	assert_true(m.cpus.count == 1000 && !m.cpus_unknown);
	for (uint32_t i = 2000; i < 4200; i++)
		at = put_x2apic(at, i, i, 1);
	m = find_topology(&x2apic, 0, at);
	assert_true(m.cpus.count == 1 && m.cpus_unknown);
	assert_non_null(strstr(said, "more CPUs in an ACPI table than pvspin can hold: more than"));
	at[-15] = 3; /* the last entry's length */
	at = put_x2apic(entries, 0, 0, 1);
	at[1] = 200;
	m = find_topology(&x2apic, 0, at + 16);
	assert_true(m.cpus.count == 1 && m.cpus_unknown);
	assert_non_null(strstr(said, "damaged ACPI table"));
}

/* A machine without ACPI has one CPU; that is only a warning. */
static void no_acpi(void **state)
{
	struct boot_info info = {.rsdp = 0};
	struct machine m = {.online = 0};

	(void)state;
	memory_clear();
	said[0] = '\0';
	topology_init(&info, &m);
	assert_true(m.cpus.count == 1 && !m.cpus_unknown && m.possible_cpus == 1);
	assert_non_null(strstr(said, "warning: no CPU list from ACPI (no ACPI RSDP found"));
}

#define FLOATING 0x9fc00 /* address of the pointer in a VMM without a BIOS */
#define TABLE    0x9fd00

static uint8_t sum(const uint8_t *bytes, size_t length)
{
	uint8_t total = 0;

	while (length != 0)
		total = (uint8_t)(total + bytes[--length]);
	return total;
}

/* Three CPUs, the second disabled; a bus; an I/O APIC. */
static uint8_t *add_mp_table(void)
{
	static const uint8_t processors[] = {0, 2, 1};
	const uint32_t length = 44 + 3 * 20 + 2 * 8;
	uint8_t *floating, *table, *at;

	memory_clear();
	floating = memory_add(FLOATING, 1024);
	memcpy(floating, "_MP_", 4);
	write_u32(floating + 4, TABLE);
	floating[8] = 1;
	floating[10] = (uint8_t)-sum(floating, 16);
	table = floating + (TABLE - FLOATING);
	memcpy(table, "PCMP", 4);
	table[4] = (uint8_t)length;
	at = table + 44;
	for (size_t i = 0; i < 3; i++, at += 20) {
		at[1] = processors[i];
		at[3] = i != 1;
	}
	at[0] = 1;
	at[8] = 2;
	at[8 + 3] = 1;
	write_u32(at + 8 + 4, 0xfec00000);
	table[7] = (uint8_t)-sum(table, length);
	return table;
}

static void an_mp_table_without_acpi(void **state)
{
	struct boot_info info = {.rsdp = 0};
	struct machine m = {.online = 0};
	uint8_t *table = add_mp_table();

	(void)state;
	said[0] = '\0';
	boot_id = 0;
	topology_init(&info, &m);
	assert_true(m.cpus.count == 2 && m.cpus.cpu[1].apic_id == 1 && m.possible_cpus == 2);
	assert_true(m.cpus.ioapics == 1 && m.cpus.ioapic[0].address == 0xfec00000);
	assert_non_null(strstr(said, "warning: no ACPI: 2 CPUs from the MP table"));
	table[44] ^= 8; /* damaged */
	m = (struct machine){.online = 0};
	topology_init(&info, &m);
	assert_int_equal(m.cpus.count, 1);
	assert_non_null(strstr(said, "warning: no CPU list from ACPI (no ACPI RSDP found"));
}

/* The loader gave the address of an RSDP, so it is an error if that cannot be read. */
static void an_rsdp_out_of_reach(void **state)
{
	struct boot_info info = {.rsdp = UINT64_C(0x1000000000)};
	struct machine m = {.online = 0};

	(void)state;
	memory_clear();
	said[0] = '\0';
	topology_init(&info, &m);
	assert_true(m.cpus.count == 1 && m.cpus_unknown);
	assert_non_null(strstr(said, "error: no CPU list from ACPI (no ACPI RSDP found: no RSDP at "
				     "0x1000000000)"));
}

static int teardown(void **state)
{
	while (alloc_count != 0)
		free(allocs[--alloc_count]);
	return memory_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_sparse_cpus),
		cmocka_unit_test(the_largest_ids),
		cmocka_unit_test(ids_out_of_reach_are_named),
		cmocka_unit_test(the_boot_cpu_is_missing),
		cmocka_unit_test(every_id_twice),
		cmocka_unit_test(rejects_implausible_tables),
		cmocka_unit_test(no_acpi),
		cmocka_unit_test(an_mp_table_without_acpi),
		cmocka_unit_test(an_rsdp_out_of_reach),
	};

	return cmocka_run_group_tests_name("topology", tests, NULL, teardown);
}
