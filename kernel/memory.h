/* SPDX-License-Identifier: MIT */
/* Physical memory for set-up: allocated once, never freed. All of it is identity-mapped. */
#ifndef PVSPIN_KERNEL_MEMORY_H
#define PVSPIN_KERNEL_MEMORY_H

#include "kernel/machine.h"
#include <stddef.h>
#include <stdint.h>

#define MEMORY_MAPPED_END (4ull << 30) /* identity-mapped: 0..4 GiB */

/* Takes the largest region of RAM above the image and below 4 GiB. Ends the VM if there is none. */
void memory_init(const struct boot_info *boot);

/* Returns zeroed memory; `align` is a power of two. If memory runs out, says how much was wanted
 * and left and ends the VM. CPU 0 only, outside measured phases. */
void *memory_alloc(size_t bytes, size_t align);

/* Nothing above this address has been taken so far. */
uint64_t memory_taken_end(void);

/* From now on takes memory only from the largest part of its region that is in one of `ranges`;
 * returns that range, or NULL and changes nothing if there is none. */
const struct node_memory *memory_confine(const struct node_memory *ranges, size_t count);

/* For ACPI: returns identity-mapped bytes, or NULL outside the mapped 4 GiB. */
const void *memory_map_physical(uint64_t address, size_t length);

#endif
