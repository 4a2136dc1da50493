/* SPDX-License-Identifier: MIT */
/* What the loader left, whichever it was. Each reader checks all that it reads: nothing is believed
 * that lies outside of what `map` gives. */
#ifndef PVSPIN_KERNEL_LOADER_H
#define PVSPIN_KERNEL_LOADER_H

#include "kernel/acpi.h"
#include "kernel/machine.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies what the loader known by `magic` left at physical address `info` into *boot: afterwards
 * that memory may be reused. NULL, or what is wrong. */
const char *loader_read(acpi_map_fn map, uint32_t magic, uint64_t info, struct boot_info *boot);

/* Where the APs' trampoline goes: TRAMPOLINE_BASE, or where the loader's map says that this is not
 * RAM the highest page of RAM below 640 KiB. A map that knows nothing of the memory below 1 MiB is
 * not asked. */
uint64_t loader_low_page(const struct boot_info *boot);

/* One for each loader: multiboot.c, multiboot2.c, pvh.c. */
#define MULTIBOOT_LOADER_MAGIC  0x2badb002 /* Multiboot Specification 0.6.96, 3.2 */
#define MULTIBOOT2_LOADER_MAGIC 0x36d76289 /* Multiboot2 Specification 2.0, 3.3 */
const char *multiboot_read(acpi_map_fn map, uint64_t info, struct boot_info *boot);
const char *multiboot2_read(acpi_map_fn map, uint64_t info, struct boot_info *boot);
const char *pvh_read(acpi_map_fn map, uint64_t info, struct boot_info *boot);

/* For those three. */

/* RAM at `start`. Neighbours become one region; of more than fit, the largest are kept. */
void loader_add_ram(struct boot_info *boot, uint64_t start, uint64_t bytes);

/* A text that ends with NUL or after `max` bytes; false if it does not fit, then it is cut. */
bool loader_copy_text(acpi_map_fn map, char *to, size_t size, uint64_t from, uint64_t max);

#endif
