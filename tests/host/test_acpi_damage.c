/* SPDX-License-Identifier: MIT */
/*
 * Tests kernel/acpi.c with damaged tables: each kind of damage has its status, and the detail names
 * its place. No damage makes it read beside a table (each is its own allocation, under ASan).
 */
#include "tests/host/acpi_machine.h"

#define FUZZ_ROUNDS 20000

static void wrong_checksums_are_seen_everywhere(void **state)
{
	static const struct {
		uint64_t address;
		size_t byte;
		const char *text;
	} damages[] = {{RSDP, 9, "RSDP at 0x7fe0000"},
		       {RSDP, 33, "extended checksum"},
		       {ROOT, 10, "XSDT at 0x7fe1000"},
		       {MADT, 51, "APIC at 0x7fe2000"}};

	(void)state;
	for (size_t i = 0; i < COUNT(damages); i++) {
		uint8_t entry[8];
		size_t length;

		put_lapic(entry, 0, 0, 1);
		memory_clear();
		rsdp_add(RSDP, 2, 0, ROOT);
		root_add(ROOT, "XSDT", (const uint64_t[]){MADT}, 1);
		madt_add(MADT, entry, sizeof(entry));
		assert_found(RSDP);
		memory_at(damages[i].address, &length)[damages[i].byte] ^= 0x40;
		assert_fails(RSDP, ACPI_BAD_CHECKSUM, damages[i].text);
	}
}

/* An entry that does not fit, alone or after a good one, ends the search; the detail names it. */
static void entries_end_inside_the_table(void **state)
{
	static const uint8_t bad[][4] = {{0, 0}, {0, 1}, {1, 0},   {0, 7},   {0, 9},
					 {9, 8}, {5, 8}, {0, 255}, {0x7f, 1}};
	uint8_t entries[16];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		memset(entries, 0, sizeof(entries));
		put_lapic(entries, 0, 0, 1);
		memcpy(entries + 8, bad[i], 2);
		build(entries, sizeof(entries));
		assert_fails(RSDP, ACPI_BAD_TABLE, "entry at byte 52");
		build(entries + 8, 8);
		assert_fails(RSDP, ACPI_BAD_TABLE, "entry at byte 44");
	}
	build(entries, 9); /* one byte is no entry */
	assert_fails(RSDP, ACPI_BAD_TABLE, "left 1");
}

/* Sets the length field and the checksum. */
static void set_length(uint64_t address, uint32_t length)
{
	size_t actual;

	write_u32(memory_at(address, &actual) + 4, length);
	table_seal(address);
}

static void lengths_are_bounded(void **state)
{
	static const uint32_t lengths[] = {0, 1, 35, 0x100001, 0x7fffffff, UINT32_MAX};
	static const uint64_t tables[] = {ROOT, MADT};
	uint8_t entry[8];

	(void)state;
	put_lapic(entry, 0, 0, 1);
	for (size_t t = 0; t < COUNT(tables); t++) {
		for (size_t i = 0; i < COUNT(lengths); i++) {
			build(entry, sizeof(entry));
			set_length(tables[t], lengths[i]);
			assert_fails(RSDP, ACPI_BAD_TABLE, "accepted: 36..1048576");
		}
		build(entry, sizeof(entry));
		set_length(tables[t], 4096); /* plausible, but the mapping ends before */
		assert_fails(RSDP, ACPI_BAD_TABLE, "4096 bytes are not all mapped");
	}
	memory_clear(); /* header only: no fixed part */
	rsdp_add(RSDP, 0, ROOT, 0);
	root_add(ROOT, "RSDT", (const uint64_t[]){MADT}, 1);
	table_add(MADT, "APIC", 40);
	table_seal(MADT);
	assert_fails(RSDP, ACPI_BAD_TABLE, "length 40, at least 44");
}

static void addresses_may_lead_nowhere(void **state)
{
	const uint64_t some[] = {0xdead0000, MADT}, none[] = {0xdead0000, 0xbeef0000};
	uint8_t entry[8];
	size_t length;

	(void)state;
	put_lapic(entry, 0, 0, 1);
	assert_fails(0xdead0000, ACPI_NO_RSDP, "no RSDP at 0xdead0000");
	build(entry, sizeof(entry));
	assert_fails(MADT, ACPI_NO_RSDP, "no RSDP at 0x7fe2000");
	memory_clear();
	rsdp_add(RSDP, 0, ROOT, 0);
	assert_fails(RSDP, ACPI_BAD_TABLE, "RSDT at 0x7fe1000: address not mapped");
	madt_add(ROOT, entry, sizeof(entry));
	assert_fails(RSDP, ACPI_BAD_TABLE, "no RSDT at 0x7fe1000");

	memory_clear(); /* a lost table matters only if it may have been the MADT */
	rsdp_add(RSDP, 0, ROOT, 0);
	root_add(ROOT, "RSDT", some, 2);
	madt_add(MADT, entry, sizeof(entry));
	assert_found(RSDP);
	memcpy(memory_at(MADT, &length), "HPET", 4);
	assert_fails(RSDP, ACPI_BAD_TABLE, "lists 0xdead0000");
	root_add(0x1000, "RSDT", none, 2);
	rsdp_add(0x2000, 0, 0x1000, 0);
	assert_fails(0x2000, ACPI_BAD_TABLE, "lists 0xdead0000");
	root_add(0x3000, "RSDT", some + 1, 1);
	rsdp_add(0x4000, 0, 0x3000, 0);
	assert_fails(0x4000, ACPI_NO_MADT, "0x3000");
}

static void damaged_extended_rsdps(void **state)
{
	static const uint32_t lengths[] = {0, 20, 35, 4097, UINT32_MAX, 100};

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		size_t length;

		memory_clear();
		rsdp_add(RSDP, 2, 0, ROOT);
		write_u32(memory_at(RSDP, &length) + 20, lengths[i]);
		assert_fails(RSDP, ACPI_BAD_TABLE, "accepted: 36..4096");
	}
	memory_clear(); /* says revision 2, has 20 bytes */
	rsdp_add(RSDP, 0, ROOT, 0);
	{
		size_t length;
		uint8_t *bytes = memory_at(RSDP, &length);

		bytes[15] = 2;
		bytes[8] = (uint8_t)(bytes[8] - 2);
	}
	assert_fails(RSDP, ACPI_BAD_TABLE, "length 0");
}

static void the_madt_is_damaged(void)
{
	assert_fails(RSDP, ACPI_BAD_TABLE, "");
}

static void cut_at_every_byte(void **state)
{
	(void)state;
	cut_at_every_length("q35-smp12", "APIC", MADT, the_madt_is_damaged);
}

static void no_room_for_the_detail(void **state)
{
	char small[8];

	(void)state;
	memory_clear();
	assert_int_equal(acpi_find_cpus(memory_map, RSDP, &cpus, NULL, 0), ACPI_NO_RSDP);
	assert_int_equal(acpi_find_cpus(memory_map, RSDP, &cpus, small, sizeof(small)),
			 ACPI_NO_RSDP);
	assert_string_equal(small, "no RSDP");
}

static void repair(uint64_t address, size_t length)
{
	if (length >= 36)
		table_seal(address);
}

/* Changes a few random bytes of real tables. Half of the rounds repair the checksum, so that the
 * damage gets past it. Results must be consistent; ASan checks the accesses. */
static void random_damage(void **state)
{
	static const char *const names[] = {"pc-smp4", "q35-sparse", "pc-maxcpus7"};
	uint64_t seed = 5, rsdp = 0, addresses[16];
	int seen[ACPI_TOO_MANY_CPUS + 1] = {0};
	enum acpi_status status;

	(void)state;
	for (int round = 0; round < FUZZ_ROUNDS; round++) {
		size_t count, length, capacity = 1 + next_random(&seed) % 16;

		if (round % 50 == 0) /* damage adds up for a while */
			rsdp = memory_load(names[round / 50 % 3]);
		count = memory_segments(addresses, COUNT(addresses));
		for (size_t n = next_random(&seed) % 3; n != 0; n--) {
			uint64_t address = addresses[next_random(&seed) % count];
			uint8_t *bytes = memory_at(address, &length);

			if (address == 0xe0000)
				continue;
			bytes[next_random(&seed) % length] = (uint8_t)next_random(&seed);
			if (round / 50 % 2)
				repair(address, length);
		}
		status = find(round % 2 ? rsdp : 0, capacity);
		assert_true(status <= ACPI_TOO_MANY_CPUS && cpus.count <= capacity);
		assert_true((status == ACPI_OK) == (detail[0] == '\0'));
		seen[status]++;
	}
	for (int i = 0; i <= ACPI_TOO_MANY_CPUS; i++) {
		assert_non_null(acpi_status_text((enum acpi_status)i));
		if (i != ACPI_NO_RSDP && i != ACPI_NO_SRAT && i != ACPI_NO_HPET &&
		    i != ACPI_NO_FADT && i != ACPI_NO_SLEEP && i != ACPI_NO_TIMER &&
		    i != ACPI_NO_CPUS)
			assert_true(seen[i] > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_checksums_are_seen_everywhere),
		cmocka_unit_test(entries_end_inside_the_table),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(addresses_may_lead_nowhere),
		cmocka_unit_test(damaged_extended_rsdps),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(no_room_for_the_detail),
		cmocka_unit_test(random_damage),
	};

	return cmocka_run_group_tests_name("acpi damage", tests, NULL, memory_teardown);
}
