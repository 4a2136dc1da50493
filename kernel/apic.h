/* SPDX-License-Identifier: MIT */
/* The local APIC, xAPIC (memory-mapped) or x2APIC (MSRs) behind one table of operations. */
#ifndef PVSPIN_KERNEL_APIC_H
#define PVSPIN_KERNEL_APIC_H

#include <stdbool.h>
#include <stdint.h>

/* Register offsets as in the xAPIC page; x2APIC's MSR is 0x800 + offset / 16. SDM vol. 3A,
 * table 11-1 (xAPIC), table 11-6 (x2APIC). */
#define APIC_ID            0x020
#define APIC_TPR           0x080
#define APIC_EOI           0x0b0
#define APIC_SPURIOUS      0x0f0
#define APIC_ISR           0x100 /* eight words of 32 vectors, 0x10 apart; IRR too */
#define APIC_IRR           0x200
#define APIC_ERROR         0x280
#define APIC_LVT_TIMER     0x320
#define APIC_LVT_LINT0     0x350
#define APIC_LVT_LINT1     0x360
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE  0x3e0

/* Of APIC_TIMER_DIVIDE, SDM vol. 3A, figure 11-10. */
#define APIC_DIVIDE_BY_1   0xb
#define APIC_DIVIDE_BY_128 0xa

/* Fields of LVT LINT0, SDM vol. 3A, figure 11-8. ExtINT: the 8259s supply the vector. */
#define LVT_MODE   (7u << 8)
#define LVT_EXTINT (7u << 8)
#define LVT_MASKED (1u << 16)

/* Fields of the ICR, SDM vol. 3A, figure 11-12; the delivery mode is bits 10:8. */
#define ICR_FIXED       0x000u
#define ICR_LOWEST      0x100u
#define ICR_REMOTE_READ 0x300u /* reserved in the manuals; to KVM a kick */
#define ICR_NMI         0x400u
#define ICR_INIT        0x500u
#define ICR_STARTUP     0x600u
#define ICR_EXTINT      0x700u
#define ICR_LOGICAL     (1u << 11)
#define ICR_PENDING     (1u << 12)
#define ICR_ASSERT      (1u << 14)
#define ICR_LEVEL       (1u << 15)
#define ICR_SELF        (1u << 18) /* shorthands, bits 19:18 */
#define ICR_ALL         (2u << 18)
#define ICR_OTHERS      (3u << 18)

/* IA32_APIC_BASE, SDM vol. 3A, 11.12.1: enabled, and in x2APIC mode. */
#define APIC_BASE_ENABLE (1u << 11)
#define APIC_BASE_X2APIC (1u << 10)
#define APIC_BASE_BSP    (1u << 8) /* set on the boot CPU */

struct apic_ops {
	const char *name; /* "xapic", "x2apic": the boot record's apic_mode */
	uint32_t (*read)(uint32_t offset);
	void (*write)(uint32_t offset, uint32_t value);
	uint32_t (*id)(void);
	void (*command)(uint32_t destination, uint32_t low); /* ICR: sends an IPI */
	uint32_t max_id;
};

extern const struct apic_ops *apic; /* set by apic_select() */

/* Chooses x2APIC if the CPU has it, xAPIC otherwise; maps the registers; silences the 8259s. Boot
 * CPU, once. */
void apic_select(void);

/* Puts this CPU's APIC into the chosen mode: software-enabled, LINT and timer masked, timer divided
 * by 128. Each CPU. */
void apic_enable(void);

/* Drops the interrupts that firmware left in service or pending here. Returns how many there were
 * and sets one of the vectors. Boot CPU, once, interrupts masked, before handlers are used. */
uint32_t apic_drain(uint8_t *vector);

static inline void apic_eoi(void)
{
	apic->write(APIC_EOI, 0);
}

/* Fixed interrupt to one CPU, or to all others at once (one VM exit). */
void apic_send(uint32_t apic_id, uint8_t vector);
void apic_send_all_others(uint8_t vector);

/* Sends an NMI, which reaches a CPU in cli and in HLT, too. */
void apic_send_nmi(uint32_t apic_id);

void apic_send_init(uint32_t apic_id);
/* Starts the CPU at physical address page * 4096, in real mode. */
void apic_send_startup(uint32_t apic_id, uint8_t page);

#endif
