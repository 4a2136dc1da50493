/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_KERNEL_MULTIBOOT_H
#define PVSPIN_KERNEL_MULTIBOOT_H

#include "kernel/machine.h"
#include <stdbool.h>
#include <stdint.h>

/* Copies what the loader left at physical address `info` into *boot: afterwards that memory may be
 * reused. False if `magic` is not a multiboot loader's. */
bool multiboot_read(uint32_t magic, uint64_t info, struct boot_info *boot);

#endif
