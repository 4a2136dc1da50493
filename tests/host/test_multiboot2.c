/* SPDX-License-Identifier: MIT */
/*
 * Tests kernel/multiboot2.c with tags as from BIOS and UEFI, and with tags that do not fit. The
 * information is an allocation of exactly its length, so that ASan notices a read beside it.
 * test_loader.c feeds it random bytes.
 */
#include "kernel/loader.h"

#include "tests/host/fake_memory.h"
#include "tests/host/test.h"
#include <string.h>

#define INFO 0x9000u

static struct boot_info boot;
static uint8_t bytes[1024];
static uint32_t used;

static void begin(void)
{
	memset(bytes, 0, sizeof(bytes));
	used = 8;
}

/* Adds a tag. Returns its contents, which follow type and size. The next tag starts at a multiple
 * of 8. */
static uint8_t *add(uint32_t type, uint32_t contents)
{
	uint8_t *at = bytes + used;

	write_u32(at, type);
	write_u32(at + 4, 8 + contents);
	used += (8 + contents + 7) & ~7u;
	return at + 8;
}

static void add_text(uint32_t type, const char *text, bool ended)
{
	memcpy(add(type, (uint32_t)strlen(text) + ended), text, strlen(text));
}

static const char *load_bytes(uint32_t total)
{
	memory_clear();
	memcpy(memory_add(INFO, used), bytes, used);
	write_u32(memory_at(INFO, &(size_t){0}), total);
	memset(&boot, 0, sizeof(boot));
	return loader_read(memory_map, MULTIBOOT2_LOADER_MAGIC, INFO, &boot);
}

static const char *load(void)
{
	add(0, 0);
	return load_bytes(used);
}

static void add_map(uint32_t entry_bytes, const uint64_t (*entries)[3], size_t count)
{
	uint8_t *at = add(6, (uint32_t)(8 + entry_bytes * count));

	write_u32(at, entry_bytes);
	for (size_t i = 0; i < count; i++) {
		write_u64(at + 8 + i * entry_bytes, entries[i][0]);
		write_u64(at + 16 + i * entry_bytes, entries[i][1]);
		write_u32(at + 24 + i * entry_bytes, (uint32_t)entries[i][2]);
	}
}

static void reads_all_tags(void **state)
{
	static const uint64_t map[][3] = {
		{0, 0x9fc00, 1},         {0x9fc00, 0x400, 2},         {0x100000, 0x700000, 1},
		{0x800000, 0x100000, 1}, {4ull << 30, 1ull << 30, 1},
	};
	uint8_t *at;

	(void)state;
	for (uint32_t entry_bytes = 24; entry_bytes <= 40; entry_bytes += 8) {
		begin();
		add_text(1, "pvspin tests=abi", true);
		add_text(2, "GRUB 2.06", true);
		write_u32(add(4, 8) + 4, 12345);
		add_map(entry_bytes, map, 5);
		at = add(8, 24);
		write_u64(at, 0xc0000000);
		write_u32(at + 8, 4096);
		write_u32(at + 12, 1024);
		write_u32(at + 16, 768);
		at[20] = 32;
		at[21] = 1;
		memset(add(99, 5), 0xff, 5); /* an unknown tag is ignored */
		assert_null(load());
		assert_string_equal(boot.loader, "multiboot2");
		assert_string_equal(boot.loader_name, "GRUB 2.06");
		assert_string_equal(boot.cmdline, "pvspin tests=abi");
		assert_int_equal(boot.regions, 3);
		assert_int_equal(boot.region[0].end, 0x9fc00);
		assert_int_equal(boot.region[1].start, 0x100000);
		assert_int_equal(boot.region[1].end, 0x900000);
		assert_int_equal(boot.region[2].end, 5ull << 30);
		assert_int_equal(boot.screen.address, 0xc0000000);
		assert_int_equal(boot.screen.pitch, 4096);
		assert_int_equal(boot.screen.width, 1024);
		assert_int_equal(boot.screen.height, 768);
		assert_int_equal(boot.screen.bits_per_pixel, 32);
		assert_int_equal(boot.screen.kind, SCREEN_RGB);
		assert_int_equal(boot.rsdp, 0);
	}
}

/* The map takes precedence over the memory tag, in either order. */
static void the_map_precedes_the_memory_tag(void **state)
{
	static const uint64_t map[][3] = {{0x100000, 0x100000, 1}};

	(void)state;
	begin();
	write_u32(add(4, 8) + 4, 1024);
	assert_null(load());
	assert_int_equal(boot.regions, 1);
	assert_int_equal(boot.region[0].end, 0x200000);
	begin();
	add_map(24, map, 1);
	write_u32(add(4, 8) + 4, 4096);
	assert_null(load());
	assert_int_equal(boot.regions, 1);
	assert_int_equal(boot.region[0].end, 0x200000);
	begin();
	assert_null(load());
	assert_int_equal(boot.regions, 0);
}

/* The newer RSDP is used, in either order. A tag that is too long for an RSDP is ignored. */
static void the_rsdp_is_copied(void **state)
{
	(void)state;
	for (int new_first = 0; new_first < 2; new_first++) {
		begin();
		memcpy(add(new_first ? 15 : 14, new_first ? 36 : 20), "RSD PTR ", 8);
		bytes[8 + 8 + 15] = new_first ? 2 : 0;
		memcpy(add(new_first ? 14 : 15, new_first ? 20 : 36), "RSD PTR ", 8);
		if (!new_first)
			bytes[8 + 32 + 8 + 15] = 2;
		assert_null(load());
		assert_int_equal(boot.rsdp, (uint64_t)boot.rsdp_copy);
		assert_memory_equal(boot.rsdp_copy, "RSD PTR ", 8);
		assert_int_equal(boot.rsdp_copy[15], 2);
	}
	begin();
	memset(add(15, 65), 'R', 65);
	assert_null(load());
	assert_int_equal(boot.rsdp, 0);
}

static void texts_end_with_their_tag(void **state)
{
	(void)state;
	begin();
	add_text(1, "abcdefgh", false);
	add_text(2, "ijklmnop", false);
	assert_null(load());
	assert_string_equal(boot.cmdline, "abcdefgh");
	assert_string_equal(boot.loader_name, "ijklmnop");
}

static void damaged(void **state)
{
	static const uint32_t impossible[] = {0, 7, 4096, 0x7fffffff, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		begin();
		add_text(2, "x", true);
		write_u32(bytes + 8 + 4, impossible[i]);
		assert_non_null(strstr(load(), "a tag does not fit"));
	}
	begin();
	add(6, 7);
	assert_non_null(strstr(load(), "tag is too short"));
	begin();
	write_u32(add(6, 32), 23);
	assert_non_null(strstr(load(), "entries are too short"));
	begin();
	write_u32(add(6, 32), 0);
	assert_non_null(strstr(load(), "entries are too short"));
	begin(); /* half an entry, at the very end */
	write_u32(add(6, 8 + 24 + 8), 24);
	bytes[used - 8] = 1;
	assert_non_null(strstr(load_bytes(used), "no last tag"));
	assert_int_equal(boot.regions, 0);
	begin();
	add_text(2, "no end", true);
	assert_non_null(strstr(load_bytes(used), "no last tag"));
	assert_non_null(strstr(load_bytes(used + 1), "length is impossible"));
	assert_non_null(strstr(load_bytes(UINT32_MAX), "length is impossible"));
	assert_non_null(strstr(load_bytes(0), "no last tag"));
	memory_clear();
	assert_non_null(strstr(loader_read(memory_map, MULTIBOOT2_LOADER_MAGIC, INFO, &boot),
			       "outside of memory"));
}

/* If the information ends early, at any byte, nothing beside it is read. */
static void cut_at_every_byte(void **state)
{
	static const uint64_t map[][3] = {{0, 0x9fc00, 1}, {0x100000, 0x700000, 1}};
	uint32_t whole;

	(void)state;
	begin();
	add_text(1, "locks=mcs", true);
	add_map(24, map, 2);
	memset(add(8, 24), 1, 24);
	memset(add(15, 36), 1, 36);
	add(0, 0);
	whole = used;
	for (used = 8; used < whole; used++)
		assert_non_null(load_bytes(used));
	assert_null(load_bytes(used));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_tags),
		cmocka_unit_test(the_map_precedes_the_memory_tag),
		cmocka_unit_test(the_rsdp_is_copied),
		cmocka_unit_test(texts_end_with_their_tag),
		cmocka_unit_test(damaged),
		cmocka_unit_test(cut_at_every_byte),
	};

	return cmocka_run_group_tests_name("multiboot2", tests, NULL, memory_teardown);
}
