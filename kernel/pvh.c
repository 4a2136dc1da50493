/* SPDX-License-Identifier: MIT */
/* Reads the start info of a PVH loader: struct hvm_start_info and hvm_memmap_table_entry of
 * xen/include/public/arch-x86/hvm/start_info.h. */
#include "kernel/loader.h"

#include "kernel/layout.h"
#include "lib/string.h"

#define VERSION_WITH_MEMORY_MAP 1
#define MEMORY_MAP_RAM          1
#define MEMORY_MAP_MAX          65536 /* entries; far beyond any firmware's */

struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t modules;
	uint64_t module_list;
	uint64_t cmdline;
	uint64_t rsdp;
	/* version 1 and later: */
	uint64_t memory_map;
	uint32_t memory_map_entries;
	uint32_t reserved;
};

#define VERSION_0_BYTES offsetof(struct start_info, memory_map)

struct memory_map_entry {
	uint64_t start;
	uint64_t bytes;
	uint32_t type;
	uint32_t reserved;
};

static const char *read_memory_map(acpi_map_fn map, const struct start_info *info,
				   struct boot_info *boot)
{
	struct memory_map_entry entry;
	const uint8_t *bytes;

	if (info->memory_map_entries > MEMORY_MAP_MAX)
		return "pvh: more than 65536 entries in the memory map";
	bytes = map(info->memory_map, info->memory_map_entries * sizeof(entry));
	if (bytes == NULL)
		return "pvh: the memory map is outside of memory";
	for (uint32_t i = 0; i < info->memory_map_entries; i++) {
		memcpy(&entry, bytes + i * sizeof(entry), sizeof(entry));
		if (entry.type == MEMORY_MAP_RAM)
			loader_add_ram(boot, entry.start, entry.bytes);
	}
	return NULL;
}

const char *pvh_read(acpi_map_fn map, uint64_t address, struct boot_info *boot)
{
	struct start_info info = {.magic = 0};
	const uint8_t *bytes = map(address, VERSION_0_BYTES);

	boot->loader = "pvh";
	if (bytes == NULL)
		return "pvh: the start info is outside of memory";
	memcpy(&info, bytes, VERSION_0_BYTES);
	if (info.magic != PVH_MAGIC)
		return "pvh: the start info does not begin with its magic number";
	boot->rsdp = info.rsdp;
	if (info.cmdline != 0)
		boot->cmdline_truncated = !loader_copy_text(
			map, boot->cmdline, sizeof(boot->cmdline), info.cmdline, UINT32_MAX);
	if (info.version < VERSION_WITH_MEMORY_MAP)
		return NULL; /* memory_init() will say that there is none */
	bytes = map(address, sizeof(info));
	if (bytes == NULL)
		return "pvh: the start info is outside of memory";
	memcpy(&info, bytes, sizeof(info));
	return read_memory_map(map, &info, boot);
}
