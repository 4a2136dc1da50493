/* SPDX-License-Identifier: MIT */
/*
 * Reads the multiboot 2 information: a length, then tags of type, size and contents, each on a
 * boundary of 8 bytes. Multiboot2 Specification 2.0, section 3.6. Copies the command line, the
 * loader's name, the memory map, the RSDP (under UEFI only the loader tells it), and the screen.
 */
#include "kernel/loader.h"

#include "lib/string.h"

#define INFO_MAX_BYTES (16u << 20) /* far beyond any loader's */
#define HEADER_BYTES   8           /* of the information and of each tag */

#define TAG_END         0
#define TAG_CMDLINE     1
#define TAG_LOADER      2
#define TAG_MEMORY      4
#define TAG_MMAP        6
#define TAG_FRAMEBUFFER 8
#define TAG_ACPI_OLD    14
#define TAG_ACPI_NEW    15

#define MMAP_AVAILABLE 1

struct tag {
	uint32_t type;
	uint32_t size; /* including these two */
};

struct memory_tag {
	struct tag tag;
	uint32_t lower, upper; /* KiB from 0, from 1 MiB */
};

struct mmap_tag {
	struct tag tag;
	uint32_t entry_bytes;
	uint32_t version;
};

struct mmap_entry {
	uint64_t base;
	uint64_t length;
	uint32_t type;
	uint32_t reserved;
};

struct framebuffer_tag {
	struct tag tag;
	uint64_t address;
	uint32_t pitch, width, height;
	uint8_t bits_per_pixel;
	uint8_t kind;
} __attribute__((packed));

/* A loader may keep this at any address, so loader_copy_text maps each tag again. */
struct reader {
	acpi_map_fn map;
	struct boot_info *boot;
	bool acpi_new;
};

static const char *read_memory_map(const uint8_t *bytes, uint32_t size, struct boot_info *boot)
{
	struct mmap_entry entry;
	struct mmap_tag tag;

	if (size < sizeof(tag))
		return "multiboot2: the memory map's tag is too short";
	memcpy(&tag, bytes, sizeof(tag));
	if (tag.entry_bytes < sizeof(entry))
		return "multiboot2: the memory map's entries are too short";
	boot->regions = 0; /* better than the memory tag's */
	for (uint64_t at = sizeof(tag); at + sizeof(entry) <= size; at += tag.entry_bytes) {
		memcpy(&entry, bytes + at, sizeof(entry));
		if (entry.type == MMAP_AVAILABLE)
			loader_add_ram(boot, entry.base, entry.length);
	}
	return NULL;
}

/* The tag has the RSDP itself, not its address. If it does not fit, the BIOS areas are searched. */
static void read_rsdp(const uint8_t *bytes, uint32_t size, struct boot_info *boot)
{
	size -= HEADER_BYTES;
	if (size > sizeof(boot->rsdp_copy))
		return;
	memset(boot->rsdp_copy, 0, sizeof(boot->rsdp_copy));
	memcpy(boot->rsdp_copy, bytes + HEADER_BYTES, size);
	boot->rsdp = (uint64_t)boot->rsdp_copy;
}

static void read_framebuffer(const uint8_t *bytes, uint32_t size, struct boot_info *boot)
{
	struct framebuffer_tag tag;

	if (size < sizeof(tag))
		return;
	memcpy(&tag, bytes, sizeof(tag));
	boot->screen = (struct screen){
		.address = tag.address,
		.pitch = tag.pitch,
		.width = tag.width,
		.height = tag.height,
		.bits_per_pixel = tag.bits_per_pixel,
		.kind = tag.kind,
	};
}

static const char *read_tag(struct reader *reader, uint64_t address, const uint8_t *bytes,
			    const struct tag *tag)
{
	struct boot_info *boot = reader->boot;
	uint64_t text = address + HEADER_BYTES;
	uint32_t text_bytes = tag->size - HEADER_BYTES;
	struct memory_tag memory;

	switch (tag->type) {
	case TAG_CMDLINE:
		boot->cmdline_truncated = !loader_copy_text(
			reader->map, boot->cmdline, sizeof(boot->cmdline), text, text_bytes);
		break;
	case TAG_LOADER:
		loader_copy_text(reader->map, boot->loader_name, sizeof(boot->loader_name), text,
				 text_bytes);
		break;
	case TAG_MEMORY:
		if (tag->size < sizeof(memory) || boot->regions != 0)
			break;
		memcpy(&memory, bytes, sizeof(memory));
		loader_add_ram(boot, 0x100000, (uint64_t)memory.upper * 1024);
		break;
	case TAG_MMAP:
		return read_memory_map(bytes, tag->size, boot);
	case TAG_FRAMEBUFFER:
		read_framebuffer(bytes, tag->size, boot);
		break;
	case TAG_ACPI_OLD:
		if (!reader->acpi_new)
			read_rsdp(bytes, tag->size, boot);
		break;
	case TAG_ACPI_NEW:
		reader->acpi_new = true;
		read_rsdp(bytes, tag->size, boot);
		break;
	default:
		break;
	}
	return NULL;
}

const char *multiboot2_read(acpi_map_fn map, uint64_t info, struct boot_info *boot)
{
	struct reader reader = {.map = map, .boot = boot};
	const uint8_t *bytes = map(info, HEADER_BYTES);
	const char *problem = NULL;
	struct tag tag;
	uint32_t total;

	boot->loader = "multiboot2";
	if (bytes == NULL)
		return "multiboot2: the information is outside of memory";
	memcpy(&total, bytes, sizeof(total));
	bytes = total <= INFO_MAX_BYTES ? map(info, total) : NULL;
	if (bytes == NULL)
		return "multiboot2: the information's length is impossible";
	for (uint64_t at = HEADER_BYTES; at + sizeof(tag) <= total && problem == NULL;
	     at += (tag.size + 7ull) & ~7ull) {
		memcpy(&tag, bytes + at, sizeof(tag));
		if (tag.type == TAG_END)
			return NULL;
		if (tag.size < sizeof(tag) || tag.size > total - at)
			return "multiboot2: a tag does not fit into the information";
		problem = read_tag(&reader, info + at, bytes + at, &tag);
	}
	return problem ? problem : "multiboot2: the information has no last tag";
}
