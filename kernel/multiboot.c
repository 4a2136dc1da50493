/* SPDX-License-Identifier: MIT */
/* Reads the multiboot 1 information structure. Multiboot Specification 0.6.96, section 3.3. */
#include "kernel/multiboot.h"

#include "pvspin/string.h"
#include <stddef.h>

#define MULTIBOOT_LOADER_MAGIC 0x2badb002

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

static bool copy_text(char *to, size_t size, uint64_t from)
{
	const char *text = (const char *)from;
	size_t length = strlen(text);
	bool fits = length < size;

	if (!fits)
		length = size - 1;
	memcpy(to, text, length);
	to[length] = '\0';
	return fits;
}

static void add_region(struct boot_info *boot, uint64_t start, uint64_t end)
{
	if (boot->regions < BOOT_MAX_REGIONS && end > start)
		boot->region[boot->regions++] = (struct memory_region){start, end};
}

static void read_memory_map(const struct multiboot_info *info, struct boot_info *boot)
{
	uint64_t at = info->mmap_addr, end = at + info->mmap_length;

	while (at + sizeof(struct mmap_entry) <= end) {
		struct mmap_entry entry;

		memcpy(&entry, (const void *)at, sizeof(entry));
		if (entry.type == MMAP_AVAILABLE)
			add_region(boot, entry.base, entry.base + entry.length);
		at += entry.size + sizeof(entry.size);
	}
}

bool multiboot_read(uint32_t magic, uint64_t address, struct boot_info *boot)
{
	const struct multiboot_info *info = (const struct multiboot_info *)address;

	if (magic != MULTIBOOT_LOADER_MAGIC)
		return false;
	boot->loader = "multiboot";
	if (info->flags & INFO_LOADER)
		copy_text(boot->loader_name, sizeof(boot->loader_name), info->boot_loader_name);
	if (info->flags & INFO_CMDLINE)
		boot->cmdline_truncated =
			!copy_text(boot->cmdline, sizeof(boot->cmdline), info->cmdline);
	if (info->flags & INFO_MMAP)
		read_memory_map(info, boot);
	else if (info->flags & INFO_MEMORY)
		add_region(boot, 0x100000, 0x100000 + (uint64_t)info->mem_upper * 1024);
	return true;
}
