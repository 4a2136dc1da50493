/* SPDX-License-Identifier: MIT */
/* Recognises the loader; helpers for the readers of the loaders' information. */
#include "kernel/loader.h"

#include "kernel/layout.h"
#include "lib/string.h"

const char *loader_read(acpi_map_fn map, uint32_t magic, uint64_t info, struct boot_info *boot)
{
	switch (magic) {
	case MULTIBOOT_LOADER_MAGIC:
		return multiboot_read(map, info, boot);
	case MULTIBOOT2_LOADER_MAGIC:
		return multiboot2_read(map, info, boot);
	case PVH_MAGIC:
		return pvh_read(map, info, boot);
	default:
		return "not started by a loader for multiboot, multiboot2 or PVH";
	}
}

static struct memory_region *smallest(struct boot_info *boot)
{
	struct memory_region *found = &boot->region[0];

	for (size_t i = 1; i < boot->regions; i++)
		if (boot->region[i].end - boot->region[i].start < found->end - found->start)
			found = &boot->region[i];
	return found;
}

void loader_add_ram(struct boot_info *boot, uint64_t start, uint64_t bytes)
{
	uint64_t end = bytes > UINT64_MAX - start ? UINT64_MAX : start + bytes;
	struct memory_region *last = boot->regions ? &boot->region[boot->regions - 1] : NULL;

	if (end == start)
		return;
	if (last != NULL && last->end == start) { /* UEFI lists a region for each former use */
		last->end = end;
	} else if (boot->regions < BOOT_MAX_REGIONS) {
		boot->region[boot->regions++] = (struct memory_region){start, end};
	} else {
		last = smallest(boot);
		if (last->end - last->start < end - start)
			*last = (struct memory_region){start, end};
	}
}

#define LOW_END  0xa0000  /* end of conventional memory; video memory and ROMs follow */
#define HIGH_RAM 0x100000 /* 1 MiB */

uint64_t loader_low_page(const struct boot_info *boot)
{
	uint64_t found = 0;
	bool any_low = false;

	for (size_t i = 0; i < boot->regions; i++) {
		uint64_t start = boot->region[i].start, end = boot->region[i].end;
		uint64_t page;

		any_low |= start < HIGH_RAM;
		if (start <= TRAMPOLINE_BASE && end >= TRAMPOLINE_BASE + PAGE_BYTES)
			return TRAMPOLINE_BASE;
		if (end > LOW_END)
			end = LOW_END;
		if (end < 2 * PAGE_BYTES) /* page 0 has the firmware's data */
			continue;
		page = (end - PAGE_BYTES) / PAGE_BYTES * PAGE_BYTES;
		if (page >= start && page > found)
			found = page;
	}
	return any_low && found != 0 ? found : TRAMPOLINE_BASE;
}

bool loader_copy_text(acpi_map_fn map, char *to, size_t size, uint64_t from, uint64_t max)
{
	for (size_t i = 0; i < size; i++) {
		const char *text = i < max ? map(from + i, 1) : NULL;

		to[i] = text ? *text : '\0';
		if (to[i] == '\0')
			return true;
	}
	to[size - 1] = '\0';
	return false;
}
