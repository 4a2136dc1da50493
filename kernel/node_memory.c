/* SPDX-License-Identifier: MIT */
/*
 * See node_memory.h. Each node has an arena of physical memory, which may be beyond the 4 GiB that
 * are identity-mapped. Its pages are mapped one behind the other in PAGING_NODES, so that the CPUs'
 * parts of one array have a fixed distance although their pages are on different nodes.
 */
#include "kernel/node_memory.h"

#include "kernel/layout.h"
#include "kernel/memory.h"
#include "kernel/paging.h"
#include "lib/lines.h"
#include "lib/string.h"

struct arena {
	uint64_t next, end;
};

static struct arena *arenas;  /* of each node; NULL: all memory is memory_alloc()'s */
static const uint32_t *nodes; /* of each CPU */
static uint64_t next_address = PAGING_NODES;

static uint64_t round_up(uint64_t bytes, uint64_t unit)
{
	return (bytes + unit - 1) / unit * unit;
}

/* Makes the part of `region` that is in `range` and beyond `taken` the arena, if it is larger. */
static void offer(struct arena *arena, const struct memory_region *region,
		  const struct node_memory *range, uint64_t taken)
{
	uint64_t from = region->start > range->start ? region->start : range->start;
	uint64_t to = region->end < range->end ? region->end : range->end;

	if (from < taken)
		from = taken;
	from = round_up(from, PAGE_BYTES);
	if (to > from && to - from > arena->end - arena->next)
		*arena = (struct arena){from, to};
}

void node_memory_init(const struct boot_info *boot, const struct machine *m)
{
	const struct node_memory *common;
	uint64_t taken;

	if (m->nodes < 2 || m->node_memories == 0)
		return;
	taken = memory_taken_end();
	common = memory_confine(m->node_memory, m->node_memories);
	if (common == NULL)
		return;
	arenas = memory_alloc(m->nodes * sizeof(arenas[0]), sizeof(arenas[0]));
	nodes = m->node;
	for (size_t i = 0; i < m->node_memories; i++) {
		const struct node_memory *range = &m->node_memory[i];

		/* The arena of memory_alloc()'s node stays empty: it is memory_alloc()'s. */
		if (range->node == common->node)
			continue;
		for (size_t r = 0; r < boot->regions; r++)
			offer(&arenas[range->node], &boot->region[r], range, taken);
	}
}

static uint64_t take_page(uint32_t node)
{
	struct arena *arena = &arenas[node];

	if (arena->end - arena->next < PAGE_BYTES)
		return (uint64_t)memory_alloc(PAGE_BYTES, PAGE_BYTES);
	arena->next += PAGE_BYTES;
	return arena->next - PAGE_BYTES;
}

static void *map_pages(uint32_t cpu, size_t bytes)
{
	void *start = (void *)next_address;

	for (uint64_t end = next_address + bytes; next_address < end; next_address += PAGE_BYTES)
		paging_map(next_address, take_page(nodes[cpu]));
	return memset(start, 0, bytes);
}

void *node_memory_alloc(uint32_t cpu, size_t bytes, size_t align)
{
	if (arenas == NULL)
		return memory_alloc(bytes, align);
	return map_pages(cpu, round_up(bytes, PAGE_BYTES));
}

void *node_memory_alloc_each(uint32_t count, size_t bytes, size_t *stride)
{
	char *start = (char *)next_address;

	*stride = round_up(bytes, arenas == NULL ? APART : PAGE_BYTES);
	if (arenas == NULL)
		return memory_alloc(count * *stride, APART);
	for (uint32_t cpu = 0; cpu < count; cpu++)
		map_pages(cpu, *stride);
	return start;
}

uint64_t node_memory_stack(uint32_t cpu, size_t bytes)
{
	if (arenas == NULL)
		return stack_alloc(bytes);
	next_address += PAGE_BYTES; /* stays unmapped, as a guard */
	return (uint64_t)map_pages(cpu, bytes) + bytes;
}
