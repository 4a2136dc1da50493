/* SPDX-License-Identifier: MIT */
/*
 * Page tables with write-xor-execute. SDM vol. 3A, 5.5 (4-level paging), 5.6 (access rights).
 * RAM is mapped by 2 MiB pages, the image and guard pages by 4 KiB pages.
 */
#include "kernel/paging.h"

#include "kernel/cpu.h"
#include "kernel/fatal.h"
#include "kernel/fixup.h"
#include "kernel/layout.h"
#include "kernel/memory.h"
#include "lib/string.h"

#define PTE_PRESENT    (1ull << 0)
#define PTE_WRITE      (1ull << 1)
#define PTE_USER       (1ull << 2)
#define PTE_PWT        (1ull << 3)
#define PTE_PCD        (1ull << 4)
#define PTE_LARGE      (1ull << 7)
#define PTE_NO_EXECUTE (1ull << 63)
#define PTE_ADDRESS    0x000ffffffffff000ull

/* For the upper levels; the last level decides the rights. */
#define TABLE_BITS (PTE_PRESENT | PTE_WRITE | PTE_USER)

#define LARGE_PAGE_BYTES (2ull << 20)
#define TABLE_ENTRIES    512
#define DIRECTORIES      4 /* one per GiB */

extern char text_start[], text_end[], rodata_start[], rodata_end[]; /* linker.ld */
extern char boot_stack_guard[];                                     /* boot/start.asm */
extern uint64_t boot_cr3;                                           /* boot/longmode.asm */

static uint64_t *directory[DIRECTORIES];
static uint64_t *alias_root, *alias_table; /* paging_write_text */
static uint64_t *node_directory;           /* paging_map */

static uint64_t rights_bits(enum paging_rights rights)
{
	switch (rights) {
	case PAGING_NONE:
		return 0;
	case PAGING_READ:
		return PTE_PRESENT | PTE_NO_EXECUTE;
	case PAGING_WRITE:
		return PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE;
	case PAGING_EXECUTE:
		return PTE_PRESENT;
	case PAGING_DEVICE:
		return PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE | PTE_PCD | PTE_PWT;
	case PAGING_WRITE_EXECUTE:
		return PTE_PRESENT | PTE_WRITE;
	case PAGING_USER_EXECUTE:
		return PTE_PRESENT | PTE_USER;
	case PAGING_USER_WRITE_EXECUTE:
		return PTE_PRESENT | PTE_WRITE | PTE_USER;
	}
	return 0;
}

static uint64_t *new_table(void)
{
	return memory_alloc(PAGE_BYTES, PAGE_BYTES);
}

/* The page table that maps `address`, made from its 2 MiB page if that is not split yet. */
static uint64_t *page_table(uint64_t address)
{
	uint64_t *entry = &directory[address >> 30][address / LARGE_PAGE_BYTES % TABLE_ENTRIES];

	if (*entry & PTE_LARGE) {
		uint64_t *table = new_table();
		uint64_t bits = *entry & ~PTE_LARGE;

		for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
			table[i] = bits + i * PAGE_BYTES;
		*entry = (uint64_t)table | TABLE_BITS;
	}
	return (uint64_t *)(*entry & PTE_ADDRESS);
}

void paging_set(uint64_t address, size_t bytes, enum paging_rights rights)
{
	uint64_t end = address + bytes;

	if (address % PAGE_BYTES != 0 || bytes % PAGE_BYTES != 0 || end > MEMORY_MAPPED_END)
		panic("paging_set(%#lx, %#zx): not whole pages below 4 GiB", address, bytes);
	for (; address < end; address += PAGE_BYTES) {
		page_table(address)[address / PAGE_BYTES % TABLE_ENTRIES] =
			address | rights_bits(rights);
		invlpg(address);
	}
}

uint64_t stack_alloc(size_t bytes)
{
	uint64_t guard = (uint64_t)memory_alloc(PAGE_BYTES + bytes, PAGE_BYTES);

	paging_set(guard, PAGE_BYTES, PAGING_NONE);
	return guard + PAGE_BYTES + bytes;
}

uint64_t *paging_entry(uint64_t address)
{
	return &page_table(address)[address / PAGE_BYTES % TABLE_ENTRIES];
}

static void set_section(const char *start, const char *end, enum paging_rights rights)
{
	paging_set((uint64_t)start, (uint64_t)end - (uint64_t)start, rights);
}

void paging_init(void)
{
	uint64_t *pml4 = new_table(), *pdpt = new_table();

	pml4[0] = (uint64_t)pdpt | TABLE_BITS;
	pml4[PAGING_SCREEN >> 39] = ((const uint64_t *)boot_cr3)[PAGING_SCREEN >> 39];
	for (uint64_t i = 0; i < DIRECTORIES; i++) {
		directory[i] = new_table();
		pdpt[i] = (uint64_t)directory[i] | TABLE_BITS;
		for (uint64_t j = 0; j < TABLE_ENTRIES; j++)
			directory[i][j] = ((i * TABLE_ENTRIES + j) * LARGE_PAGE_BYTES) | PTE_LARGE |
					  rights_bits(PAGING_WRITE);
	}
	set_section(text_start, text_end, PAGING_EXECUTE);
	set_section(rodata_start, rodata_end, PAGING_READ);
	paging_set((uint64_t)boot_stack_guard, PAGE_BYTES, PAGING_NONE);
	boot_cr3 = (uint64_t)pml4;
	write_cr3(boot_cr3);
}

static void make_node_directory(void)
{
	uint64_t *pdpt = new_table();

	node_directory = new_table();
	pdpt[0] = (uint64_t)node_directory | TABLE_BITS;
	((uint64_t *)boot_cr3)[PAGING_NODES >> 39] = (uint64_t)pdpt | TABLE_BITS;
}

static uint64_t *node_entry(uint64_t address)
{
	uint64_t offset = address - PAGING_NODES;
	uint64_t *entry = &node_directory[offset / LARGE_PAGE_BYTES];

	if (*entry == 0)
		*entry = (uint64_t)new_table() | TABLE_BITS;
	return (uint64_t *)(*entry & PTE_ADDRESS) + offset / PAGE_BYTES % TABLE_ENTRIES;
}

void paging_map(uint64_t at, uint64_t physical)
{
	if (at < PAGING_NODES || at >= PAGING_NODES + PAGING_NODES_BYTES)
		panic("paging_map(%#lx): outside the nodes' memory", at);
	if (node_directory == NULL)
		make_node_directory();
	*node_entry(at) = physical | rights_bits(PAGING_WRITE); /* no TLB has an entry of no page */
}

uint64_t paging_physical(const void *address)
{
	uint64_t at = (uint64_t)address;

	if (at < PAGING_NODES)
		return at;
	return (*node_entry(at) & PTE_ADDRESS) + at % PAGE_BYTES;
}

#define CPUID_ADDRESS_BITS 0x80000008 /* EAX bits 7:0: physical address bits */
#define GIB                (1ull << 30)

/* SDM vol. 3A, 12.12: PTE_PWT alone selects entry 1 of the table, which is write-through at reset
 * and used for nothing else here. It overrides the firmware's MTRRs (table 12-7). */
#define MSR_PAT             0x277
#define PAT_WRITE_COMBINING (1ull << 8)
#define PAT_ENTRY_1         (7ull << 8)

/* Its tables are static, because it is called before memory can be allocated. */
void *paging_map_screen(uint64_t physical, uint64_t bytes)
{
	static uint64_t pdpt[TABLE_ENTRIES] __attribute__((aligned(PAGE_BYTES)));
	static uint64_t pages[2 * TABLE_ENTRIES] __attribute__((aligned(PAGE_BYTES)));
	uint64_t base = physical / GIB * GIB, pat;
	uint64_t end = 1ull << (cpuid(CPUID_ADDRESS_BITS, 0).eax & 0xff);

	if (bytes > GIB || physical >= end || bytes > end - physical)
		return NULL;
	for (uint64_t at = physical / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES; at < physical + bytes;
	     at += LARGE_PAGE_BYTES)
		pages[(at - base) / LARGE_PAGE_BYTES] =
			at | PTE_LARGE | PTE_PWT | rights_bits(PAGING_WRITE);
	pdpt[0] = (uint64_t)pages | TABLE_BITS;
	pdpt[1] = (uint64_t)(pages + TABLE_ENTRIES) | TABLE_BITS;
	if (rdmsr_safe(MSR_PAT, &pat)) /* otherwise write-through, which is slower */
		wrmsr_safe(MSR_PAT, (pat & ~PAT_ENTRY_1) | PAT_WRITE_COMBINING);
	((uint64_t *)boot_cr3)[PAGING_SCREEN >> 39] = (uint64_t)pdpt | TABLE_BITS;
	write_cr3(boot_cr3);
	return (void *)(PAGING_SCREEN + (physical - base));
}

/* The ordinary tables and, beside them, a page table for the alias. */
static void make_alias_root(void)
{
	uint64_t *pdpt = new_table(), *directory_of_alias = new_table();

	alias_root = new_table();
	alias_table = new_table();
	alias_root[0] = ((const uint64_t *)boot_cr3)[0];
	alias_root[PAGING_NODES >> 39] = ((const uint64_t *)boot_cr3)[PAGING_NODES >> 39];
	alias_root[PAGING_ALIAS >> 39] = (uint64_t)pdpt | PTE_PRESENT | PTE_WRITE;
	pdpt[0] = (uint64_t)directory_of_alias | PTE_PRESENT | PTE_WRITE;
	directory_of_alias[0] = (uint64_t)alias_table | PTE_PRESENT | PTE_WRITE;
}

/* There are no global pages and no PCIDs, so each load of CR3 empties this CPU's TLB and serialises
 * (SDM vol. 3A, 4.10.4.1 and 9.3). */
void paging_write_text(uint64_t address, const void *bytes, size_t count)
{
	uint64_t page = address / PAGE_BYTES * PAGE_BYTES;
	uint64_t flags = read_flags();

	if (address < (uint64_t)text_start || address >= (uint64_t)text_end || count > PAGE_BYTES ||
	    count > (uint64_t)text_end - address)
		panic("paging_write_text(%#lx, %#zx): not text", address, count);
	if (alias_root == NULL)
		make_alias_root();
	irq_disable();
	alias_table[0] = page | rights_bits(PAGING_WRITE);
	if (address + count > page + PAGE_BYTES)
		alias_table[1] = (page + PAGE_BYTES) | rights_bits(PAGING_WRITE);
	write_cr3((uint64_t)alias_root);
	memcpy((char *)PAGING_ALIAS + (address - page), bytes, count);
	alias_table[0] = alias_table[1] = 0;
	write_cr3(boot_cr3);
	if (flags & RFLAGS_IF)
		irq_enable();
}
