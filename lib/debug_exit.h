/* SPDX-License-Identifier: MIT */
/* How a guest ends its VM: it writes one of these codes to QEMU's isa-debug-exit (run.sh gives it
 * one at this port), and QEMU ends with status 2 * code + 1 (hw/misc/debugexit.c). Shared with NASM
 * as kernel/layout.h is: the same lines are allowed. */
#ifndef PVSPIN_LIB_DEBUG_EXIT_H
#define PVSPIN_LIB_DEBUG_EXIT_H

#define DEBUG_EXIT_PORT  0xf4
#define DEBUG_EXIT_OK    0x10
#define DEBUG_EXIT_FAIL  0x11
#define DEBUG_EXIT_SKIP  0x12
#define DEBUG_EXIT_ERROR 0x13
#define DEBUG_EXIT_PANIC 0x1f

#endif
