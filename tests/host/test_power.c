/* SPDX-License-Identifier: MIT */
/*
 * Tests kernel/acpi_power.c with FADTs and DSDTs as firmware has them, and with invalid ones. The
 * DSDT is an allocation of exactly its length, so that ASan notices a read beside it.
 */
#include "tests/host/fake_memory.h"
#include "tests/host/test.h"

#include "kernel/acpi.h"
#include <string.h>

#define RSDP 0x7fe0000u
#define ROOT 0x7fe1000u
#define FADT 0x7fe2000u
#define DSDT 0x7fe3000u

#define FADT_BYTES_1 116 /* ACPI 1.0 */
#define FADT_BYTES_5 268 /* ACPI 5.0 */
#define FUZZ_ROUNDS  20000

#define BYTES(array) (array), sizeof(array)

static struct acpi_power power;
static char detail[160];

static void add_dsdt(const void *aml, size_t bytes)
{
	memcpy(table_add(DSDT, "DSDT", 36 + bytes) + 36, aml, bytes);
	table_seal(DSDT);
}

/* Makes an RSDP, a root and a FADT with PM1a at 0x604, which find() seals. */
static uint8_t *begin(size_t fadt_bytes)
{
	uint8_t *fadt;

	memory_clear();
	rsdp_add(RSDP, 0, ROOT, 0);
	root_add(ROOT, "RSDT", (const uint64_t[]){FADT}, 1);
	fadt = table_add(FADT, "FACP", fadt_bytes);
	write_u32(fadt + 40, DSDT);
	write_u32(fadt + 64, 0x604);
	return fadt;
}

static enum acpi_status find(void)
{
	table_seal(FADT);
	return acpi_find_power(memory_map, RSDP, &power, detail, sizeof(detail));
}

static void assert_types(const void *aml, size_t bytes, uint8_t a, uint8_t b)
{
	begin(FADT_BYTES_1);
	add_dsdt(aml, bytes);
	if (find() != ACPI_OK)
		fail_msg("%s", detail);
	assert_int_equal(power.type_a, a);
	assert_int_equal(power.type_b, b);
}

static void assert_no_s5(const void *aml, size_t bytes)
{
	begin(FADT_BYTES_1);
	add_dsdt(aml, bytes);
	assert_int_equal(find(), ACPI_NO_SLEEP);
	assert_non_null(strstr(detail, "no \\_S5"));
}

/* Name (_S5, Package (0x04) { ... }) as compilers write it. */
static void reads_all_forms_of_the_package(void **state)
{
	static const uint8_t zeros[] = "\x08_S5_\x12\x06\x04\x00\x00\x00\x00";
	static const uint8_t bytes[] = "\x08_S5_\x12\x0a\x04\x0a\x05\x0a\x07\x00\x00";
	static const uint8_t root[] = "\x10\x20\x08\\_S5_\x12\x07\x02\x0a\x03\x01";
	static const uint8_t long_length[] = "\x08_S5_\x12\x47\x00\x02\x01\x0b\x06\x00";
	static const uint8_t dword[] = "\x08_S5_\x12\x08\x01\x0c\x02\x00\x00\x00";
	static const uint8_t one_number[] = "\x08_S5_\x12\x05\x04\x0a\x05_";
	/* the name occurs before its definition, and other names are similar */
	static const uint8_t decoys[] = "_S5_\x08_S5_\x0a\x01\x08_S4_\x12\x04\x02\x01\x01"
					"\x08_S5_\x12\x04\x02\x0a\x06\x00";

	(void)state;
	assert_types(BYTES(zeros), 0, 0);
	assert_types(BYTES(bytes), 5, 7);
	assert_types(BYTES(root), 3, 1);
	assert_types(BYTES(long_length), 1, 6);
	assert_types(BYTES(dword), 2, 2);
	assert_types(BYTES(one_number), 5, 5);
	assert_types(BYTES(decoys), 6, 0);
}

static void rejects_other_objects(void **state)
{
	static const uint8_t type_8[] = "\x08_S5_\x12\x04\x01\x0a\x08";
	static const uint8_t second_8[] = "\x08_S5_\x12\x06\x02\x01\x0a\x08";
	static const uint8_t empty[] = "\x08_S5_\x12\x04\x00\x01\x01";
	static const uint8_t no_number[] = "\x08_S5_\x12\x04\x02_S5_";
	static const uint8_t no_package[] = "\x08_S5_\x11\x04\x02\x01\x01";
	static const uint8_t no_name[] = "\x5b_S5_\x12\x04\x02\x01\x01";

	(void)state;
	assert_no_s5("", 0);
	assert_no_s5(BYTES(type_8));
	assert_no_s5(BYTES(second_8));
	assert_no_s5(BYTES(empty));
	assert_no_s5(BYTES(no_number));
	assert_no_s5(BYTES(no_package));
	assert_no_s5(BYTES(no_name));
}

/* If a DSDT ends early, nothing beside it is read, and \_S5 needs at least one number. */
static void cut_at_every_byte(void **state)
{
	static const uint8_t aml[] =
		"\x08\\_S5_\x12\xc7\x00\x00\x00\x02\x0c\x05\x00\x00\x00\x0a\x07";
	const size_t whole = sizeof(aml) - 1, one = whole - 2;

	(void)state;
	for (size_t bytes = 0; bytes < one; bytes++)
		assert_no_s5(aml, bytes);
	assert_types(aml, one, 5, 5);
	assert_types(aml, whole, 5, 7);
}

static const uint8_t s5[] = "\x08_S5_\x12\x04\x02\x05\x05\x0a\x02\x0a\x03"
			    "\x08_S5_\x12\x06\x02\x0a\x02\x0a\x03";

static void registers_of_acpi_1(void **state)
{
	uint8_t *fadt = begin(FADT_BYTES_1);

	(void)state;
	write_u32(fadt + 48, 0xb2);
	fadt[52] = 0xa0;
	write_u32(fadt + 68, 0x704);
	add_dsdt(BYTES(s5));
	assert_int_equal(find(), ACPI_OK);
	assert_false(power.reduced);
	assert_int_equal(power.pm1a, 0x604);
	assert_int_equal(power.pm1b, 0x704);
	assert_int_equal(power.smi_command, 0xb2);
	assert_int_equal(power.enable, 0xa0);
	assert_int_equal(power.type_a, 2);
	assert_int_equal(power.type_b, 3);
}

static void extended_fields_take_precedence(void **state)
{
	uint8_t *fadt = begin(FADT_BYTES_5);

	(void)state;
	write_u32(fadt + 40, 0x1234); /* no DSDT there */
	write_u64(fadt + 140, DSDT);
	fadt[172] = 1;
	write_u64(fadt + 176, 0x1804);
	fadt[184] = 0; /* in memory, where no PM1 control is */
	write_u64(fadt + 188, 0x9999);
	add_dsdt(BYTES(s5));
	assert_int_equal(find(), ACPI_OK);
	assert_int_equal(power.pm1a, 0x1804);
	assert_int_equal(power.pm1b, 0);
}

static void hardware_reduced(void **state)
{
	(void)state;
	for (int io = 0; io < 2; io++) {
		uint8_t *fadt = begin(FADT_BYTES_5);

		write_u32(fadt + 112, 1u << 20);
		fadt[244] = (uint8_t)io;
		write_u64(fadt + 248, io ? 0x440 : 0xfea00200);
		add_dsdt(BYTES(s5));
		assert_int_equal(find(), ACPI_OK);
		assert_true(power.reduced);
		assert_int_equal(power.control_is_port, io);
		assert_int_equal(power.control, io ? 0x440 : 0xfea00200);
	}
}

static void rejects_invalid_registers(void **state)
{
	uint8_t *fadt = begin(FADT_BYTES_1);

	(void)state;
	add_dsdt(BYTES(s5));
	write_u32(fadt + 64, 0);
	assert_int_equal(find(), ACPI_NO_SLEEP);
	assert_non_null(strstr(detail, "no PM1a_CNT"));
	write_u32(fadt + 64, 0x10604); /* beyond the ports */
	assert_int_equal(find(), ACPI_NO_SLEEP);
	write_u32(fadt + 112, 1u << 20); /* the table ends before the sleep control register */
	assert_int_equal(find(), ACPI_NO_SLEEP);
	assert_non_null(strstr(detail, "no sleep control"));
	for (uint8_t space = 0; space < 3; space++) {
		fadt = begin(FADT_BYTES_5);
		write_u32(fadt + 112, 1u << 20);
		fadt[244] = space;
		write_u64(fadt + 248, space == 0 ? 0 : 0x10000);
		add_dsdt(BYTES(s5));
		assert_int_equal(find(), ACPI_NO_SLEEP);
	}
}

static void the_shortest_fadt(void **state)
{
	(void)state;
	begin(72);
	add_dsdt(BYTES(s5));
	assert_int_equal(find(), ACPI_OK);
	assert_false(power.reduced);
}

static void damaged_tables(void **state)
{
	(void)state;
	begin(71);
	assert_int_equal(find(), ACPI_BAD_TABLE);
	begin(FADT_BYTES_1);
	assert_int_equal(find(), ACPI_BAD_TABLE); /* there is no DSDT at its address */
	assert_non_null(strstr(detail, "DSDT at 0x7fe3000"));
	add_dsdt(BYTES(s5));
	memory_at(DSDT, &(size_t){0})[40] ^= 1;
	assert_int_equal(find(), ACPI_BAD_CHECKSUM);
	memory_clear();
	rsdp_add(RSDP, 0, ROOT, 0);
	root_add(ROOT, "RSDT", NULL, 0);
	assert_int_equal(acpi_find_power(memory_map, RSDP, &power, detail, sizeof(detail)),
			 ACPI_NO_FADT);
}

static void noise(void **state)
{
	uint64_t seed = 88172645463325252ull;
	uint8_t aml[48];

	(void)state;
	for (int round = 0; round < FUZZ_ROUNDS; round++) {
		size_t bytes = next_random(&seed) % sizeof(aml);

		for (size_t i = 0; i < bytes; i++)
			aml[i] = (uint8_t)("\x08_S5_\x12\x0a\x0b\x0c\x01\x02\x06\x0e\xff"
					   "\x00"[next_random(&seed) % 15]);
		if (bytes > 6)
			memcpy(aml + next_random(&seed) % (bytes - 6), "\x08_S5_\x12", 6);
		begin(FADT_BYTES_1);
		add_dsdt(aml, bytes);
		if (find() == ACPI_OK)
			assert_true(power.type_a <= 7 && power.type_b <= 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_forms_of_the_package),
		cmocka_unit_test(rejects_other_objects),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(registers_of_acpi_1),
		cmocka_unit_test(extended_fields_take_precedence),
		cmocka_unit_test(hardware_reduced),
		cmocka_unit_test(rejects_invalid_registers),
		cmocka_unit_test(the_shortest_fadt),
		cmocka_unit_test(damaged_tables),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests_name("power", tests, NULL, memory_teardown);
}
