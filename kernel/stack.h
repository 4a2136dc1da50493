/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_KERNEL_STACK_H
#define PVSPIN_KERNEL_STACK_H

#include <stddef.h>
#include <stdint.h>

/* A stack of `bytes` (a multiple of 4096) above an unmapped guard page. Returns its top.
 * Fails as memory_alloc() does. */
uint64_t stack_alloc(size_t bytes);

#endif
