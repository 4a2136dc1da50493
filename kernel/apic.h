/* SPDX-License-Identifier: MIT */
/* The local APIC, xAPIC (memory-mapped) or x2APIC (MSRs) behind one table of operations. */
#ifndef PVSPIN_KERNEL_APIC_H
#define PVSPIN_KERNEL_APIC_H

#include <stdbool.h>
#include <stdint.h>

/* Register offsets as in the xAPIC page; x2APIC's MSR is 0x800 + offset / 16. SDM vol. 3A,
 * table 11-1 (xAPIC), table 11-6 (x2APIC). */
#define APIC_ID            0x020
#define APIC_EOI           0x0b0
#define APIC_SPURIOUS      0x0f0
#define APIC_ERROR         0x280
#define APIC_LVT_TIMER     0x320
#define APIC_LVT_LINT0     0x350
#define APIC_LVT_LINT1     0x360
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE  0x3e0

struct apic_ops {
	const char *name; /* "xapic", "x2apic": the boot record's apic_mode */
	uint32_t (*read)(uint32_t offset);
	void (*write)(uint32_t offset, uint32_t value);
	uint32_t (*id)(void);
	void (*command)(uint32_t destination, uint32_t low); /* ICR: sends an IPI */
	uint32_t max_id;
};

extern const struct apic_ops *apic; /* set by apic_select() */

/* Chooses x2APIC where the CPU has it, xAPIC otherwise; silences the 8259s. Boot CPU, once; maps
 * the registers. */
void apic_select(void);

/* Puts this CPU's APIC into the chosen mode, software-enabled, LINT and timer masked. Each CPU. */
void apic_enable(void);

static inline void apic_eoi(void)
{
	apic->write(APIC_EOI, 0);
}

/* Fixed interrupt to one CPU, or to all others at once (one VM exit). */
void apic_send(uint32_t apic_id, uint8_t vector);
void apic_send_all_others(uint8_t vector);

/* Non-maskable: comes through in cli and in HLT. */
void apic_send_nmi(uint32_t apic_id);

void apic_send_init(uint32_t apic_id);
/* Starts the CPU at physical address page * 4096, in real mode. */
void apic_send_startup(uint32_t apic_id, uint8_t page);

#endif
