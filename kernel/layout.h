/* SPDX-License-Identifier: MIT */
/* Numbers shared by C, NASM (as build/.../layout.inc) and linker.ld. The Makefile turns the defines
 * into %define, so only lines "#define NAME number" and comments at the start of a line are
 * allowed. */
#ifndef PVSPIN_KERNEL_LAYOUT_H
#define PVSPIN_KERNEL_LAYOUT_H

/* Physical = virtual addresses. The image starts where multiboot loaders expect it; the AP
 * trampoline goes to TRAMPOLINE_BASE if that is RAM (kernel/loader.c): a 4 KiB page below 1 MiB,
 * whose number fits the SIPI vector. */
#define KERNEL_BASE     0x100000
#define TRAMPOLINE_BASE 0x8000
#define PAGE_BYTES      4096

/* Selectors of the boot GDT (boot/longmode.asm) and of each CPU's own (kernel/segments.c). */
#define SELECTOR_CODE64 0x08
#define SELECTOR_DATA   0x10
#define SELECTOR_CODE32 0x18
#define SELECTOR_TSS    0x20
/* Ring 3, for tests; a CPU's own GDT only. */
#define SELECTOR_USER_CODE32 0x30
#define SELECTOR_USER_DATA   0x38
#define SELECTOR_USER_CODE64 0x40

/* Bytes; each stack has an unmapped guard page below it. */
#define STACK_BYTES     16384
#define IST_STACK_BYTES 8192

/* struct ap_slot in kernel/smp.h, read by boot/ap.asm. */
#define AP_SLOT_APIC_ID 0
#define AP_SLOT_STACK   8
#define AP_SLOT_CPU     16
#define AP_SLOT_BYTES   24

#define COM1_PORT 0x3f8

/* The magic number of a PVH loader's start info (xen/include/public/arch-x86/hvm/start_info.h). As
 * kmain's first argument it identifies that loader, as a multiboot loader's magic number does. */
#define PVH_MAGIC 0x336ec578

#endif
