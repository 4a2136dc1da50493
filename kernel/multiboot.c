/* SPDX-License-Identifier: MIT */
/* Reads the multiboot 1 information structure. Multiboot Specification 0.6.96, section 3.3. */
#include "kernel/loader.h"

#include "lib/string.h"

#define INFO_MEMORY  (1u << 0)
#define INFO_CMDLINE (1u << 2)
#define INFO_MMAP    (1u << 6)
#define INFO_LOADER  (1u << 9)

#define MMAP_AVAILABLE 1

struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower; /* KiB from 0 */
	uint32_t mem_upper; /* KiB from 1 MiB */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count;
	uint32_t mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length;
	uint32_t mmap_addr;
	uint32_t drives_length;
	uint32_t drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
};

struct mmap_entry {
	uint32_t size; /* of the rest */
	uint64_t base;
	uint64_t length;
	uint32_t type;
} __attribute__((packed));

#define ENTRY_MIN_BYTES (sizeof(struct mmap_entry) - sizeof(uint32_t))

static const char *read_memory_map(acpi_map_fn map, const struct multiboot_info *info,
				   struct boot_info *boot)
{
	const uint8_t *bytes = map(info->mmap_addr, info->mmap_length);
	uint64_t at = 0;

	if (bytes == NULL)
		return "multiboot: the memory map is outside of memory";
	while (at + sizeof(struct mmap_entry) <= info->mmap_length) {
		struct mmap_entry entry;

		memcpy(&entry, bytes + at, sizeof(entry));
		if (entry.size < ENTRY_MIN_BYTES)
			return "multiboot: an entry of the memory map is too short";
		if (entry.type == MMAP_AVAILABLE)
			loader_add_ram(boot, entry.base, entry.length);
		at += (uint64_t)entry.size + sizeof(entry.size);
	}
	return NULL;
}

const char *multiboot_read(acpi_map_fn map, uint64_t address, struct boot_info *boot)
{
	const void *bytes = map(address, sizeof(struct multiboot_info));
	struct multiboot_info info;

	boot->loader = "multiboot";
	if (bytes == NULL)
		return "multiboot: the information is outside of memory";
	memcpy(&info, bytes, sizeof(info));
	if (info.flags & INFO_LOADER)
		loader_copy_text(map, boot->loader_name, sizeof(boot->loader_name),
				 info.boot_loader_name, UINT32_MAX);
	if (info.flags & INFO_CMDLINE)
		boot->cmdline_truncated = !loader_copy_text(
			map, boot->cmdline, sizeof(boot->cmdline), info.cmdline, UINT32_MAX);
	if (info.flags & INFO_MMAP)
		return read_memory_map(map, &info, boot);
	if (info.flags & INFO_MEMORY)
		loader_add_ram(boot, 0x100000, (uint64_t)info.mem_upper * 1024);
	return NULL;
}
