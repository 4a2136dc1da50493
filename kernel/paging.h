/* SPDX-License-Identifier: MIT */
/* The guest's page tables: 0..4 GiB identity-mapped, nodes' memory. Only tests make pages both
 * writable and executable. */
#ifndef PVSPIN_KERNEL_PAGING_H
#define PVSPIN_KERNEL_PAGING_H

#include <stddef.h>
#include <stdint.h>

enum paging_rights {
	PAGING_NONE,    /* not present: guard pages, page 0 */
	PAGING_READ,    /* constants */
	PAGING_WRITE,   /* data: no-execute */
	PAGING_EXECUTE, /* text: read-only */
	PAGING_DEVICE,  /* data, uncached: memory-mapped registers */
	/* For tests only, on pages of their own. */
	PAGING_WRITE_EXECUTE,
	PAGING_USER_EXECUTE, /* readable and executable in ring 3 */
	PAGING_USER_WRITE_EXECUTE,
};

/* Builds the tables by the image's section symbols and switches to them. Once, on the boot CPU. */
void paging_init(void);

/*
 * Maps up to a GiB of video memory at any address, write-combining; NULL if that is not possible.
 * Once, on the boot CPU, even before paging_init(). No other CPU may write to it.
 */
#define PAGING_SCREEN (2ull << 39) /* the third entry of the top-level table */
void *paging_map_screen(uint64_t physical, uint64_t bytes);

/*
 * Maps a 4 KiB page of RAM at `at`, writable, in the GiB from PAGING_NODES on, whatever its
 * physical address: memory near a CPU may be beyond 4 GiB (kernel/node_memory.c). For all CPUs, at
 * any time between works. CPU 0 only.
 */
#define PAGING_NODES       (3ull << 39) /* the fourth entry of the top-level table */
#define PAGING_NODES_BYTES (1ull << 30)
void paging_map(uint64_t at, uint64_t physical);

/* The physical address of mapped memory. */
uint64_t paging_physical(const void *address);

/* Changes whole 4 KiB pages, splitting a 2 MiB page where needed; flushes this CPU's TLB entries
 * only: for use before other CPUs are up, or for pages they have not touched. */
void paging_set(uint64_t address, size_t bytes, enum paging_rights rights);

/* Returns the top of a new stack of `bytes` (a multiple of 4096) above an unmapped guard page, so
 * that an overflow is a page fault. Fails as memory_alloc() does. */
uint64_t stack_alloc(size_t bytes);

/* The entry of a 4 KiB page that paging_set() has been called for. */
uint64_t *paging_entry(uint64_t address);
#define PAGING_ENTRY_DIRTY (1ull << 6)

/*
 * Writes up to a page of bytes over text. The executable mapping stays read-only: the pages are
 * mapped a second time at PAGING_ALIAS, writable and no-execute, in page tables that only this CPU
 * loads, and only for the write. So no rights change for any CPU, and the other CPUs' TLBs need no
 * flush. Other CPUs must serialise before they run the new code. CPU 0 only.
 */
#define PAGING_ALIAS (1ull << 39) /* the second entry of the top-level table, otherwise unused */
void paging_write_text(uint64_t address, const void *bytes, size_t count);

#endif
