/* SPDX-License-Identifier: MIT */
/* Tests kernel/acpi_srat.c with QEMU's tables, with tables that QEMU does not make, and with
 * damaged ones. */
#include "tests/host/acpi_machine.h"

static struct acpi_affinity affinity[CAPACITY];
static struct acpi_affinities affinities;

static enum acpi_status find_affinities(uint64_t rsdp, size_t capacity)
{
	affinities = (struct acpi_affinities){.affinity = affinity, .capacity = capacity};
	return acpi_find_affinities(memory_map, rsdp, &affinities, detail, sizeof(detail));
}

static void assert_affinities(uint64_t rsdp)
{
	enum acpi_status status = find_affinities(rsdp, CAPACITY);

	if (status != ACPI_OK)
		fail_msg("%s: %s", acpi_status_text(status), detail);
	assert_string_equal(detail, "");
}

static void assert_no_affinities(uint64_t rsdp, enum acpi_status expected, const char *text)
{
	assert_int_equal(find_affinities(rsdp, CAPACITY), expected);
	if (strstr(detail, text) == NULL)
		fail_msg("\"%s\" is not in: %s", text, detail);
}

static void build_srat(uint8_t revision, const uint8_t *entries, size_t length)
{
	uint64_t table = SRAT;

	memory_clear();
	rsdp_add(RSDP, 0, ROOT, 0);
	root_add(ROOT, "RSDT", &table, 1);
	srat_add(SRAT, revision, entries, length);
}

static uint8_t *put_apic(uint8_t *at, uint32_t domain, uint8_t id, uint32_t flags)
{
	memset(at, 0, 16);
	memcpy(at, (uint8_t[]){0, 16, (uint8_t)domain, id}, 4);
	write_u32(at + 4, flags);
	write_u32(at + 8, domain); /* its high 24 bits are at bytes 9 to 11 */
	at[8] = 0x77;              /* SAPIC EID */
	return at + 16;
}

static uint8_t *put_x2apic_affinity(uint8_t *at, uint32_t domain, uint32_t id, uint32_t flags)
{
	memset(at, 0, 24);
	memcpy(at, (uint8_t[]){2, 24}, 2);
	write_u32(at + 4, domain);
	write_u32(at + 8, id);
	write_u32(at + 12, flags);
	return at + 24;
}

static void reads_the_tables_of_qemu(void **state)
{
	static const struct {
		const char *name;
		size_t count;
		struct acpi_affinity expected[12];
	} machines[] = {
		{"pc-numa2", 4, {{0, 0}, {1, 0}, {2, 1}, {3, 1}}},
		{"q35-numa3",
		 12,
		 {{0, 0},
		  {1, 0},
		  {2, 0},
		  {4, 1},
		  {5, 1},
		  {6, 1},
		  {8, 2},
		  {9, 2},
		  {10, 2},
		  {12, 0},
		  {13, 0},
		  {14, 0}}},
	};

	static const struct acpi_memory memory[] = {{0, 0xa0000, 0},
						    {0x100000, 0x4000000, 0},
						    {0x4000000, 0x8000000, 1},
						    {0x8000000, 0xc000000, 2}};

	(void)state;
	for (size_t m = 0; m < COUNT(machines); m++) {
		uint64_t rsdp = memory_load(machines[m].name);

		for (int search = 0; search < 2; search++) {
			assert_affinities(search ? 0 : rsdp);
			assert_int_equal(affinities.count, machines[m].count);
			assert_memory_equal(affinity, machines[m].expected,
					    affinities.count * sizeof(affinity[0]));
			assert_found(search ? 0 : rsdp); /* the MADT is read, too */
		}
	}
	/* the last machine's; QEMU leaves a hole for the BIOS */
	assert_int_equal(affinities.memories, COUNT(memory));
	assert_memory_equal(affinities.memory, memory, sizeof(memory));
	memory_load("pc-smp4");
	assert_no_affinities(0, ACPI_NO_SRAT, "root table at 0x");
	assert_string_equal(acpi_status_text(ACPI_NO_SRAT), "no SRAT among the ACPI tables");
}

static void entries_of_both_types(void **state)
{
	uint8_t entries[3 * 16 + 3 * 24 + 40 + 6], *at = entries;

	(void)state;
	at = put_apic(at, 0x12345678, 3, 1);
	at = put_apic(at, 1, 4, 0); /* not enabled: ignored */
	memset(at, 0xff, 40);       /* memory */
	memcpy(at, (uint8_t[]){1, 40}, 2);
	at += 40;
	at = put_x2apic_affinity(at, UINT32_MAX, 300, 0xffffffff);
	at = put_x2apic_affinity(at, 5, 301, 2);
	memcpy(at, (uint8_t[]){0x7f, 6, 1, 2, 3, 4}, 6); /* an unknown type */
	at += 6;
	at = put_apic(at, 2, 255, 1);
	put_x2apic_affinity(at, 9, 3, 1); /* the same ID again: the later one counts */
	build_srat(3, entries, sizeof(entries) - 24);
	assert_affinities(RSDP);
	assert_int_equal(affinities.count, 3);
	assert_int_equal(affinities.memories, 0); /* it would end beyond 2^64 */
	assert_true(affinity[0].apic_id == 3 && affinity[0].domain == 0x12345678);
	assert_true(affinity[1].apic_id == 300 && affinity[1].domain == UINT32_MAX);
	assert_true(affinity[2].apic_id == 255 && affinity[2].domain == 2);
	build_srat(1, entries, sizeof(entries)); /* revision 1: type 0 has 8 bits of domain */
	assert_affinities(RSDP);
	assert_int_equal(affinities.count, 3);
	assert_true(affinity[0].apic_id == 3 && affinity[0].domain == 9);
	build_srat(1, entries, 16);
	assert_affinities(RSDP);
	assert_true(affinities.count == 1 && affinity[0].domain == 0x78);
	build_srat(1, entries, 0);
	assert_affinities(RSDP);
	assert_int_equal(affinities.count, 0);
}

static void a_full_list_is_an_error(void **state)
{
	uint8_t entries[3 * 16], *at = entries;

	(void)state;
	for (uint8_t i = 0; i < 3; i++)
		at = put_apic(at, i, i, 1);
	build_srat(1, entries, sizeof(entries));
	assert_int_equal(find_affinities(RSDP, 3), ACPI_OK);
	assert_int_equal(find_affinities(RSDP, 2), ACPI_TOO_MANY_CPUS);
	assert_non_null(strstr(detail, "SRAT: more than 2"));
	assert_int_equal(affinities.count, 2);
}

static void entries_end_inside_the_table(void **state)
{
	static const uint8_t bad[][2] = {{0, 0},  {0, 15}, {0, 17}, {1, 17},
					 {2, 16}, {2, 23}, {9, 1}};
	uint8_t entries[32];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		memset(entries, 0, sizeof(entries));
		put_apic(entries, 0, 0, 1);
		memcpy(entries + 16, bad[i], 2);
		build_srat(1, entries, sizeof(entries));
		assert_no_affinities(RSDP, ACPI_BAD_TABLE, "SRAT at 0x7fe3000: entry at byte 64");
	}
	build_srat(1, entries, 17); /* one byte is no entry */
	assert_no_affinities(RSDP, ACPI_BAD_TABLE, "left 1");
}

static void the_fixed_part_and_the_checksum(void **state)
{
	uint8_t entry[16];
	size_t length;

	(void)state;
	for (size_t bytes = 36; bytes < 48; bytes++) {
		memory_clear();
		rsdp_add(RSDP, 0, ROOT, 0);
		root_add(ROOT, "RSDT", (const uint64_t[]){SRAT}, 1);
		table_add(SRAT, "SRAT", bytes);
		table_seal(SRAT);
		assert_no_affinities(RSDP, ACPI_BAD_TABLE, "at least 48");
	}
	put_apic(entry, 0, 0, 1);
	build_srat(1, entry, sizeof(entry));
	memory_at(SRAT, &length)[50] ^= 1;
	assert_no_affinities(RSDP, ACPI_BAD_CHECKSUM, "SRAT at 0x7fe3000");
	build_srat(1, entry, sizeof(entry));
	write_u32(memory_at(SRAT, &length) + 4, 0x100001);
	assert_no_affinities(RSDP, ACPI_BAD_TABLE, "accepted: 36..1048576");
	assert_int_equal(acpi_find_affinities(memory_map, RSDP, &affinities, NULL, 0),
			 ACPI_BAD_TABLE);
}

static void the_srat_is_damaged(void)
{
	assert_no_affinities(RSDP, ACPI_BAD_TABLE, "");
}

static void cut_at_every_byte(void **state)
{
	(void)state;
	cut_at_every_length("q35-numa3", "SRAT", SRAT, the_srat_is_damaged);
}

/* As in test_acpi_damage.c, under ASan. */
static void random_damage(void **state)
{
	static const char *const names[] = {"pc-numa2", "q35-numa3"};
	uint64_t seed = 6, rsdp = 0, addresses[16];
	int seen[ACPI_TOO_MANY_CPUS + 1] = {0};

	(void)state;
	for (int round = 0; round < FUZZ_ROUNDS; round++) {
		size_t count, length, capacity = 1 + next_random(&seed) % 16;
		enum acpi_status status;

		if (round % 50 == 0)
			rsdp = memory_load(names[round / 50 % 2]);
		count = memory_segments(addresses, COUNT(addresses));
		for (size_t n = next_random(&seed) % 3; n != 0; n--) {
			uint64_t address = addresses[next_random(&seed) % count];
			uint8_t *bytes = memory_at(address, &length);

			if (address == 0xe0000)
				continue;
			bytes[next_random(&seed) % length] = (uint8_t)next_random(&seed);
			if (round / 50 % 4 > 1 && length >= 36)
				table_seal(address);
		}
		status = find_affinities(round % 2 ? rsdp : 0, capacity);
		assert_true(status <= ACPI_TOO_MANY_CPUS && affinities.count <= capacity);
		assert_true((status == ACPI_OK) == (detail[0] == '\0'));
		seen[status]++;
	}
	assert_true(seen[ACPI_OK] > 0 && seen[ACPI_BAD_CHECKSUM] > 0 && seen[ACPI_BAD_TABLE] > 0);
	assert_true(seen[ACPI_NO_SRAT] > 0 && seen[ACPI_TOO_MANY_CPUS] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_tables_of_qemu),
		cmocka_unit_test(entries_of_both_types),
		cmocka_unit_test(a_full_list_is_an_error),
		cmocka_unit_test(entries_end_inside_the_table),
		cmocka_unit_test(the_fixed_part_and_the_checksum),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(random_damage),
	};

	return cmocka_run_group_tests_name("srat", tests, NULL, memory_teardown);
}
