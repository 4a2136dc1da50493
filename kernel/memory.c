/* SPDX-License-Identifier: MIT */
/* A bump allocator over the largest free region of RAM. */
#include "kernel/memory.h"

#include "kernel/fatal.h"
#include "kernel/layout.h"
#include "lib/log.h"
#include "lib/string.h"

extern char image_end[]; /* linker.ld */

static uint64_t next, end;

/* The VM is too small; pvspin is not to blame. */
static void __attribute__((noreturn)) exhausted(size_t bytes)
{
	log_line("error: out of memory: %zu bytes wanted, %lu left: give the VM more (-m), "
		 "64 KiB for each vCPU and 3 MiB",
		 bytes, end - next);
	exit_unfit("memory");
}

void memory_init(const struct boot_info *boot)
{
	uint64_t image = (uint64_t)image_end;

	for (size_t i = 0; i < boot->regions; i++) {
		uint64_t from = boot->region[i].start, to = boot->region[i].end;

		if (from < image)
			from = image;
		if (to > MEMORY_MAPPED_END)
			to = MEMORY_MAPPED_END;
		if (to > from && to - from > end - next) {
			next = from;
			end = to;
		}
	}
	if (next == end) {
		log_line("the memory map (%zu regions) has no RAM between the image's end %#lx and "
			 "4 GiB",
			 boot->regions, image);
		exhausted(PAGE_BYTES);
	}
}

void *memory_alloc(size_t bytes, size_t align)
{
	uint64_t start = (next + align - 1) & ~(uint64_t)(align - 1);

	if (start > end || bytes > end - start)
		exhausted(bytes);
	next = start + bytes;
	return memset((void *)start, 0, bytes);
}

uint64_t memory_taken_end(void)
{
	return next;
}

const struct node_memory *memory_confine(const struct node_memory *ranges, size_t count)
{
	const struct node_memory *found = NULL;
	uint64_t best_from = 0, best_to = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t from = ranges[i].start > next ? ranges[i].start : next;
		uint64_t to = ranges[i].end < end ? ranges[i].end : end;

		if (to > from && to - from > best_to - best_from) {
			found = &ranges[i];
			best_from = from;
			best_to = to;
		}
	}
	if (found != NULL) {
		next = best_from;
		end = best_to;
	}
	return found;
}

const void *memory_map_physical(uint64_t address, size_t length)
{
	if (address >= MEMORY_MAPPED_END || length > MEMORY_MAPPED_END - address)
		return NULL;
	return (const void *)address;
}
