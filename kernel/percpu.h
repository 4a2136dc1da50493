/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's own data, found through GS; smp.c allocates it for the existing CPUs. `index` is the
 * dense CPU index that is used everywhere; the APIC ID is for the hardware and KVM.
 */
#ifndef PVSPIN_KERNEL_PERCPU_H
#define PVSPIN_KERNEL_PERCPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* AMD64 APM vol. 2, 12.2.5 (64-bit TSS) */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* IST1 is ist[0] */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
} __attribute__((packed));

struct trap_frame;

#define GDT_ENTRIES 9 /* null, code64, data, code32, TSS (two), user code32, data, code64 */

struct cpu {
	struct cpu *self; /* first: %gs:0 */
	uint32_t index;
	uint32_t apic_id;
	uint64_t stack_top;
	uint64_t hypercalls; /* issued by this CPU, of any kind */
	uint64_t halts;      /* HLT instructions executed, idle and in locks */
	uint64_t traps;
	uint64_t lost_shadows;        /* interrupts taken between STI and HLT: traps.c */
	void *port;                   /* port/guest/port.c: its statistics */
	struct trap_frame *frame;     /* of the trap being handled; NULL: none */
	void (*work)(void *argument); /* smp.c: the function to run, or NULL */
	void *work_argument;
	_Atomic bool work_ready; /* release by CPU 0, acquire by this CPU */
	_Atomic bool online;
	uint64_t gdt[GDT_ENTRIES];
	struct tss tss;
} __attribute__((aligned(64)));

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	/* volatile, so that the value is not cached across a point where the CPU may change */
	__asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/* The boot CPU's data, usable from the first instruction of kmain on. */
extern struct cpu boot_cpu;

/* Loads this CPU's GDT, TSS (with IST stacks already in cpu->tss), IDT and GS base; enables machine
 * checks. */
void segments_init(struct cpu *cpu);

#endif
