/* SPDX-License-Identifier: MIT */
/* Stacks whose overflow is a page fault: see stack.h. */
#include "kernel/stack.h"

#include "kernel/layout.h"
#include "kernel/memory.h"
#include "kernel/paging.h"

uint64_t stack_alloc(size_t bytes)
{
	uint64_t guard = (uint64_t)memory_alloc(PAGE_BYTES + bytes, PAGE_BYTES);

	paging_set(guard, PAGE_BYTES, PAGING_NONE);
	return guard + PAGE_BYTES + bytes;
}
