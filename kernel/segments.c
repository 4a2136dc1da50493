/* SPDX-License-Identifier: MIT */
/* Each CPU's GDT, TSS and GS base. AMD64 APM vol. 2, 4.8 (long-mode descriptors), 12.2.5 (TSS). */
#include "kernel/cpu.h"
#include "kernel/layout.h"
#include "kernel/machine_check.h"
#include "kernel/percpu.h"
#include "kernel/traps.h"
#include "lib/string.h"

extern const uint64_t boot_gdt[4];  /* boot/longmode.asm */
extern const char boot_stack_top[]; /* boot/start.asm */

#define TSS_AVAILABLE_64 (0x89ull << 40) /* present, ring 0, type 9 */

/* As in boot_gdt, with privilege level 3. */
#define USER_CODE32 0x00cffb000000ffffull
#define USER_DATA   0x00cff3000000ffffull
#define USER_CODE64 0x00affb000000ffffull

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* The boot CPU's stacks until smp_start() gives it ones with guard pages, like all others. They are
 * needed because firmware or a VMM may send an NMI from the first instruction on, and the watchdog
 * does. */
#define EARLY_STACKS 2 /* as many as ist_of() in traps.c uses */
static uint8_t early_stack[EARLY_STACKS][IST_STACK_BYTES] __attribute__((aligned(16)));

struct cpu boot_cpu = {
	.self = &boot_cpu,
	.stack_top = (uint64_t)boot_stack_top,
	.tss.ist = {(uint64_t)(early_stack + 1), (uint64_t)(early_stack + 2)}, /* their tops */
};

void segments_init(struct cpu *cpu)
{
	uint64_t base = (uint64_t)&cpu->tss;
	struct table_pointer gdt = {sizeof(cpu->gdt) - 1, (uint64_t)cpu->gdt};

	cpu->self = cpu;
	cpu->tss.io_map = sizeof(cpu->tss); /* beyond the limit: no I/O bitmap */
	memcpy(cpu->gdt, boot_gdt, sizeof(boot_gdt));
	cpu->gdt[4] = TSS_AVAILABLE_64 | (sizeof(cpu->tss) - 1) | (base & 0xffffff) << 16 |
		      (base >> 24 & 0xff) << 56;
	cpu->gdt[5] = base >> 32;
	cpu->gdt[SELECTOR_USER_CODE32 / 8] = USER_CODE32;
	cpu->gdt[SELECTOR_USER_DATA / 8] = USER_DATA;
	cpu->gdt[SELECTOR_USER_CODE64 / 8] = USER_CODE64;
	__asm__ volatile("lgdt %0" : : "m"(gdt) : "memory");
	__asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS) : "memory");
	wrmsr(MSR_GS_BASE, (uint64_t)cpu);
	traps_load_idt();
	machine_check_enable();
}
