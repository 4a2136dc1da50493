/* SPDX-License-Identifier: MIT */
/*
 * Tests kernel/loader.c and the readers of the three loaders' information in a fake memory: each
 * piece is its own allocation, so that ASan notices a read beside it. Input is valid, damaged, or
 * noise.
 */
#include "kernel/loader.h"

#include "kernel/layout.h"
#include "tests/host/fake_memory.h"
#include "tests/host/test.h"
#include <string.h>

#define INFO 0x9000u
#define TEXT 0xa000u
#define MAP  0xb000u

#define FUZZ_ROUNDS 50000

static struct boot_info boot;

static const char *load(uint32_t magic)
{
	memset(&boot, 0, sizeof(boot));
	return loader_read(memory_map, magic, INFO, &boot);
}

static void add_text(uint64_t address, const char *text)
{
	memcpy(memory_add(address, strlen(text) + 1), text, strlen(text) + 1);
}

static void assert_region(size_t i, uint64_t start, uint64_t end)
{
	assert_true(i < boot.regions);
	assert_int_equal(boot.region[i].start, start);
	assert_int_equal(boot.region[i].end, end);
}

/* Multiboot 1: 88 bytes of information; entries of a size word and 20 bytes. */

static uint8_t *multiboot_info(uint32_t flags)
{
	uint8_t *info;

	memory_clear();
	info = memory_add(INFO, 88);
	write_u32(info, flags);
	write_u32(info + 8, 0x7f00); /* mem_upper */
	write_u32(info + 16, TEXT);
	write_u32(info + 48, MAP);
	write_u32(info + 64, TEXT + 0x800);
	add_text(TEXT, "pvspin.elf locks=mcs");
	add_text(TEXT + 0x800, "loader 1.0");
	return info;
}

static void multiboot_entry(uint8_t *at, uint32_t size, uint64_t base, uint64_t bytes,
			    uint32_t type)
{
	write_u32(at, size);
	write_u64(at + 4, base);
	write_u64(at + 12, bytes);
	write_u32(at + 20, type);
}

static void reads_multiboot(void **state)
{
	uint8_t *info = multiboot_info(1u << 0 | 1u << 2 | 1u << 6 | 1u << 9), *map;

	(void)state;
	write_u32(info + 44, 28 + 24);
	map = memory_add(MAP, 28 + 24);
	multiboot_entry(map, 24, 0, 0x9f000, 1); /* longer than usual, as its size says */
	multiboot_entry(map + 28, 20, 0x100000, 0x7f00000, 1);
	assert_null(load(MULTIBOOT_LOADER_MAGIC));
	assert_string_equal(boot.loader, "multiboot");
	assert_string_equal(boot.loader_name, "loader 1.0");
	assert_string_equal(boot.cmdline, "pvspin.elf locks=mcs");
	assert_false(boot.cmdline_truncated);
	assert_int_equal(boot.regions, 2);
	assert_region(0, 0, 0x9f000);
	assert_region(1, 0x100000, 0x8000000);
	assert_int_equal(boot.rsdp, 0);
}

static void multiboot_without_a_map(void **state)
{
	(void)state;
	multiboot_info(1u << 0);
	assert_null(load(MULTIBOOT_LOADER_MAGIC));
	assert_int_equal(boot.regions, 1);
	assert_region(0, 0x100000, 0x100000 + 0x7f00 * 1024);
	assert_string_equal(boot.cmdline, "");
	multiboot_info(0);
	assert_null(load(MULTIBOOT_LOADER_MAGIC));
	assert_int_equal(boot.regions, 0);
}

static void multiboot_damaged(void **state)
{
	uint8_t *info = multiboot_info(1u << 6), *map;

	(void)state;
	write_u32(info + 44, 24);
	assert_non_null(strstr(load(MULTIBOOT_LOADER_MAGIC), "outside of memory"));
	map = memory_add(MAP, 24);
	multiboot_entry(map, 0, 0, 0x9f000, 1); /* with a size of 0 the map would never end */
	assert_non_null(strstr(load(MULTIBOOT_LOADER_MAGIC), "too short"));
	write_u32(map, UINT32_MAX);
	assert_null(load(MULTIBOOT_LOADER_MAGIC));
	info = multiboot_info(1u << 6); /* an entry and a half */
	write_u32(info + 44, 24 + 12);
	multiboot_entry(memory_add(MAP, 24 + 12), 20, 0, 0x9f000, 1);
	assert_null(load(MULTIBOOT_LOADER_MAGIC));
	assert_int_equal(boot.regions, 1);
	memory_clear();
	assert_non_null(strstr(load(MULTIBOOT_LOADER_MAGIC), "outside of memory"));
}

/* A command line that is too long is cut, and a flag says so. One that reaches unmapped memory ends
 * there. */
static void long_texts(void **state)
{
	char text[BOOT_CMDLINE_BYTES + 1];
	uint8_t *info;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[BOOT_CMDLINE_BYTES] = '\0';
	for (size_t cut = 0; cut < 2; cut++) {
		info = multiboot_info(1u << 2);
		write_u32(info + 16, 0x20000);
		add_text(0x20000, text + cut);
		assert_null(load(MULTIBOOT_LOADER_MAGIC));
		assert_int_equal(boot.cmdline_truncated, cut == 0);
		assert_int_equal(strlen(boot.cmdline), BOOT_CMDLINE_BYTES - 1);
	}
	info = multiboot_info(1u << 2);
	write_u32(info + 16, 0x20000);
	memcpy(memory_add(0x20000, 3), "abc", 3);
	assert_null(load(MULTIBOOT_LOADER_MAGIC));
	assert_string_equal(boot.cmdline, "abc");
}

/* Adjacent regions are merged. If there are too many, the largest are kept. */
static void regions(void **state)
{
	(void)state;
	memset(&boot, 0, sizeof(boot));
	loader_add_ram(&boot, 0, 0x1000);
	loader_add_ram(&boot, 0x1000, 0x1000);
	loader_add_ram(&boot, 0x5000, 0);
	assert_int_equal(boot.regions, 1);
	assert_region(0, 0, 0x2000);
	for (uint64_t i = 1; i < BOOT_MAX_REGIONS; i++)
		loader_add_ram(&boot, i << 32, i == 5 ? 0x1000 : 0x3000);
	loader_add_ram(&boot, 1ull << 50, 0x3000);
	assert_region(5, 1ull << 50, (1ull << 50) + 0x3000);
	loader_add_ram(&boot, (uint64_t)BOOT_MAX_REGIONS << 32, 0x3000);
	assert_int_equal(boot.regions, BOOT_MAX_REGIONS);
	assert_region(0, (uint64_t)BOOT_MAX_REGIONS << 32,
		      ((uint64_t)BOOT_MAX_REGIONS << 32) + 0x3000);
	loader_add_ram(&boot, UINT64_MAX - 10, 100);
	assert_region(BOOT_MAX_REGIONS - 1, (uint64_t)(BOOT_MAX_REGIONS - 1) << 32,
		      ((uint64_t)(BOOT_MAX_REGIONS - 1) << 32) + 0x3000);
	memset(&boot, 0, sizeof(boot));
	loader_add_ram(&boot, UINT64_MAX - 10, 100);
	assert_region(0, UINT64_MAX - 10, UINT64_MAX);
}

/* PVH: 56 bytes of start info (40 in version 0); entries of 24 bytes. */

static uint8_t *pvh_info(uint32_t version, size_t bytes)
{
	uint8_t *info;

	memory_clear();
	info = memory_add(INFO, bytes);
	write_u32(info, PVH_MAGIC);
	write_u32(info + 4, version);
	write_u64(info + 24, TEXT);
	write_u64(info + 32, 0xf5a00);
	add_text(TEXT, "locks=mcs");
	return info;
}

static void reads_pvh(void **state)
{
	uint8_t *info = pvh_info(1, 56), *map;

	(void)state;
	write_u64(info + 40, MAP);
	write_u32(info + 48, 3);
	map = memory_add(MAP, 72);
	for (size_t i = 0; i < 3; i++) {
		write_u64(map + 24 * i, i << 30);
		write_u64(map + 24 * i + 8, 0x1000);
		write_u32(map + 24 * i + 16, i == 1 ? 2 : 1);
	}
	assert_null(load(PVH_MAGIC));
	assert_string_equal(boot.loader, "pvh");
	assert_string_equal(boot.loader_name, "");
	assert_string_equal(boot.cmdline, "locks=mcs");
	assert_int_equal(boot.rsdp, 0xf5a00);
	assert_int_equal(boot.regions, 2);
	assert_region(0, 0, 0x1000);
	assert_region(1, 2ull << 30, (2ull << 30) + 0x1000);
}

static void pvh_damaged(void **state)
{
	uint8_t *info = pvh_info(0, 40);

	(void)state;
	assert_null(load(PVH_MAGIC)); /* version 0 has no map and is shorter */
	assert_int_equal(boot.regions, 0);
	write_u32(info + 4, 1);
	assert_non_null(strstr(load(PVH_MAGIC), "start info is outside"));
	info = pvh_info(1, 56);
	write_u32(info + 48, 1);
	write_u64(info + 40, UINT64_MAX - 4);
	assert_non_null(strstr(load(PVH_MAGIC), "memory map is outside"));
	write_u32(info + 48, UINT32_MAX);
	assert_non_null(strstr(load(PVH_MAGIC), "65536"));
	write_u32(info, 0);
	assert_non_null(strstr(load(PVH_MAGIC), "magic"));
	memory_clear();
	assert_non_null(strstr(load(PVH_MAGIC), "outside of memory"));
}

static void rejects_unknown_loaders(void **state)
{
	(void)state;
	assert_non_null(strstr(load(0), "not started by a loader"));
}

/* With any bytes, the reader reads nothing beside them, and ends. */
static void noise(void **state)
{
	static const uint32_t magics[] = {MULTIBOOT_LOADER_MAGIC, MULTIBOOT2_LOADER_MAGIC,
					  PVH_MAGIC};
	uint64_t seed = 88172645463325252ull;

	(void)state;
	for (int round = 0; round < FUZZ_ROUNDS; round++) {
		uint32_t magic = magics[round % 3];
		size_t bytes = 8 + next_random(&seed) % 120;
		uint8_t *info;

		memory_clear();
		info = memory_add(INFO, bytes);
		for (size_t i = 0; i < bytes; i++) /* mostly zeros: small numbers get further */
			info[i] = next_random(&seed) % 3 ? 0 : (uint8_t)next_random(&seed);
		if (magic == PVH_MAGIC || next_random(&seed) % 2)
			write_u32(info, magic == PVH_MAGIC ? PVH_MAGIC : (uint32_t)bytes);
		load(magic);
		assert_true(boot.regions <= BOOT_MAX_REGIONS);
		assert_true(strlen(boot.cmdline) < BOOT_CMDLINE_BYTES);
	}
}

/* The page for the APs, with memory maps as UEFI firmware may give them. */
static void the_low_page(void **state)
{
	(void)state;
	memset(&boot, 0, sizeof(boot));
	assert_int_equal(loader_low_page(&boot), TRAMPOLINE_BASE);
	loader_add_ram(&boot, 0x100000, 0x7f00000); /* the map has nothing below 1 MiB */
	assert_int_equal(loader_low_page(&boot), TRAMPOLINE_BASE);
	loader_add_ram(&boot, 0, 0x7fff); /* RAM, but none at 0x8000 */
	assert_int_equal(loader_low_page(&boot), 0x6000);
	loader_add_ram(&boot, 0x9001, 0x1ffe);
	assert_int_equal(loader_low_page(&boot), 0x6000); /* that had no whole page */
	loader_add_ram(&boot, 0x58000, 0x47800);
	assert_int_equal(loader_low_page(&boot), 0x9e000);
	loader_add_ram(&boot, 0xf0000, 0x10000); /* the BIOS, even if the map calls it RAM */
	assert_int_equal(loader_low_page(&boot), 0x9e000);
	loader_add_ram(&boot, 0x7800, 0x2000);
	assert_int_equal(loader_low_page(&boot), TRAMPOLINE_BASE);
	memset(&boot, 0, sizeof(boot));
	loader_add_ram(&boot, 0, 0x1fff); /* only page 0 */
	assert_int_equal(loader_low_page(&boot), TRAMPOLINE_BASE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_multiboot),   cmocka_unit_test(multiboot_without_a_map),
		cmocka_unit_test(multiboot_damaged), cmocka_unit_test(long_texts),
		cmocka_unit_test(regions),           cmocka_unit_test(reads_pvh),
		cmocka_unit_test(pvh_damaged),       cmocka_unit_test(rejects_unknown_loaders),
		cmocka_unit_test(the_low_page),      cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests_name("loader", tests, NULL, memory_teardown);
}
