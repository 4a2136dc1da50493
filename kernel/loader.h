/* SPDX-License-Identifier: MIT */
/* Reads the information that the loader left, whichever loader it was. Each reader checks all that
 * it reads and accesses only memory that `map` returns. */
#ifndef PVSPIN_KERNEL_LOADER_H
#define PVSPIN_KERNEL_LOADER_H

#include "kernel/acpi.h"
#include "kernel/machine.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies into *boot what the loader with this magic number left at physical address `info`;
 * afterwards that memory may be reused. Returns NULL or an error message. */
const char *loader_read(acpi_map_fn map, uint32_t magic, uint64_t info, struct boot_info *boot);

/* Returns the page for the APs' trampoline: TRAMPOLINE_BASE or, if the loader's map says that this
 * is not RAM, the highest page of RAM below 640 KiB. A map without entries below 1 MiB is ignored.
 */
uint64_t loader_low_page(const struct boot_info *boot);

/* One reader for each loader: multiboot.c, multiboot2.c, pvh.c. */
#define MULTIBOOT_LOADER_MAGIC  0x2badb002 /* Multiboot Specification 0.6.96, 3.2 */
#define MULTIBOOT2_LOADER_MAGIC 0x36d76289 /* Multiboot2 Specification 2.0, 3.3 */
const char *multiboot_read(acpi_map_fn map, uint64_t info, struct boot_info *boot);
const char *multiboot2_read(acpi_map_fn map, uint64_t info, struct boot_info *boot);
const char *pvh_read(acpi_map_fn map, uint64_t info, struct boot_info *boot);

/* Helpers for those three. */

/* Adds RAM at `start`. Adjacent regions are merged; if there are too many, the largest are kept. */
void loader_add_ram(struct boot_info *boot, uint64_t start, uint64_t bytes);

/* Copies a text that ends with NUL or after `max` bytes; false if it does not fit and was cut. */
bool loader_copy_text(acpi_map_fn map, char *to, size_t size, uint64_t from, uint64_t max);

#endif
