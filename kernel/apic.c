/* SPDX-License-Identifier: MIT */
/* The two access modes of the local APIC, and IPIs. SDM vol. 3A, chapter 11. */
#include "kernel/apic.h"

#include "kernel/cpu.h"
#include "kernel/layout.h"
#include "kernel/paging.h"
#include "kernel/traps.h"

#define APIC_BASE_ADDRESS 0xffffff000ull

#define CPUID_1_ECX_X2APIC     (1u << 21)
#define CPUID_1_ECX_HYPERVISOR (1u << 31)

#define APIC_ICR_LOW  0x300
#define APIC_ICR_HIGH 0x310
#define X2APIC_MSR    0x800

#define PIC_MASTER_MASK 0x21
#define PIC_SLAVE_MASK  0xa1

#define SPURIOUS_ENABLE (1u << 8)

/* An xAPIC accepts an IPI within microseconds; never spin on one that does not. */
#define MAX_PENDING_READS 100000

const struct apic_ops *apic;

static volatile uint32_t *registers; /* xAPIC page */

static uint32_t xapic_read(uint32_t offset)
{
	return registers[offset / 4];
}

static void xapic_write(uint32_t offset, uint32_t value)
{
	registers[offset / 4] = value;
}

static uint32_t xapic_id(void)
{
	return xapic_read(APIC_ID) >> 24;
}

/* Not inlined, so that its caller has a stack frame: the backtrace of an NMI that the caller sends
 * to itself finds the caller by it. */
static __attribute__((noinline)) void xapic_wait_sent(void)
{
	for (int i = 0; i < MAX_PENDING_READS && (xapic_read(APIC_ICR_LOW) & ICR_PENDING); i++)
		cpu_relax();
}

/* Two writes that belong together: an interrupt's handler must not send between them. */
static void xapic_command(uint32_t destination, uint32_t low)
{
	uint64_t flags = read_flags();

	irq_disable();
	xapic_wait_sent();
	xapic_write(APIC_ICR_HIGH, destination << 24);
	xapic_write(APIC_ICR_LOW, low);
	if (flags & RFLAGS_IF)
		irq_enable();
}

static uint32_t x2apic_read(uint32_t offset)
{
	return (uint32_t)rdmsr(X2APIC_MSR + offset / 16);
}

static void x2apic_write(uint32_t offset, uint32_t value)
{
	wrmsr(X2APIC_MSR + offset / 16, value);
}

static uint32_t x2apic_id(void)
{
	return x2apic_read(APIC_ID);
}

/* WRMSR to the x2APIC is not serialising, so the fences make earlier stores visible to the CPU that
 * the IPI wakes. MFENCE alone orders only memory accesses, and WRMSR is none; LFENCE holds later
 * instructions back (SDM vol. 3A, 11.12.3, asks for both). */
static void x2apic_command(uint32_t destination, uint32_t low)
{
	__asm__ volatile("mfence; lfence" : : : "memory");
	wrmsr(X2APIC_MSR + APIC_ICR_LOW / 16, (uint64_t)destination << 32 | low);
}

static const struct apic_ops xapic = {
	.name = "xapic",
	.read = xapic_read,
	.write = xapic_write,
	.id = xapic_id,
	.command = xapic_command,
	.max_id = 0xfe, /* 0xff is the broadcast */
};

static const struct apic_ops x2apic = {
	.name = "x2apic",
	.read = x2apic_read,
	.write = x2apic_write,
	.id = x2apic_id,
	.command = x2apic_command,
	.max_id = 0xfffffffe,
};

/* An interrupt that was withdrawn before it was taken. It needs no EOI (SDM vol. 3A, 11.9). */
static void spurious_interrupt(struct trap_frame *frame)
{
	(void)frame;
}

/*
 * Masks all lines of the two 8259s, for good. Must come before LINT0 is masked: an 8259's interrupt
 * that is pending then (the firmware's timer) would be left without a vector, and QEMU's TCG
 * delivers it as vector -1 (#GP, error code -14, at the first sti; one boot in thirteen).
 */
static void mask_8259(void)
{
	out8(PIC_MASTER_MASK, 0xff);
	out8(PIC_SLAVE_MASK, 0xff);
}

void apic_select(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) & APIC_BASE_ADDRESS;

	mask_8259();
	registers = (volatile uint32_t *)base;
	traps_handle(VECTOR_SPURIOUS, spurious_interrupt);
	if (cpuid(1, 0).ecx & CPUID_1_ECX_X2APIC) {
		apic = &x2apic;
		return;
	}
	apic = &xapic;
	paging_set(base, PAGE_BYTES, PAGING_DEVICE);
}

void apic_enable(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);
	bool in_vm = cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR;

	/* From disabled, x2APIC mode is reached through xAPIC mode only (SDM 11.12.5). */
	wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	if (apic == &x2apic)
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	apic->write(APIC_TPR, 0); /* the firmware's value may hold our vectors back */
	apic->write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic->write(APIC_LVT_TIMER, LVT_MASKED);
	apic->write(APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_128); /* for the reason in kernel/timer.c */
	/*
	 * In a VM, the boot CPU goes on accepting the 8259s' interrupts, although none will come.
	 * Whenever a device sets its line, KVM looks for the first vCPU that accepts them
	 * (pic_unlock, arch/x86/kvm/i8259.c). If none did, KVM would ask all of them, and QEMU sets
	 * a UART's line four times per byte written: with 288 vCPUs, that would be most of the
	 * log's time. A real 8259 may send a spurious IR7 by the vector that firmware gave it
	 * (8259A data sheet), so without a hypervisor no CPU accepts its interrupts.
	 */
	apic->write(APIC_LVT_LINT0, (base & APIC_BASE_BSP) && in_vm ? LVT_EXTINT : LVT_MASKED);
	apic->write(APIC_LVT_LINT1, LVT_MASKED);
}

#define VECTOR_WORDS   8
#define FIRST_EXTERNAL 32
/* Holds back vectors up to 31, which would look like exceptions. SDM vol. 3A, 11.8.3.1 */
#define TPR_EXCEPTIONS 0x10

static void stray_interrupt(struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
}

static uint32_t word_of(uint32_t map, uint32_t word)
{
	return apic->read(map + 0x10 * word);
}

/* A pending interrupt leaves the IRR only by being taken, so each one gets a handler until then. */
static uint32_t take_pending(uint8_t *vector)
{
	uint32_t count = 0;

	for (uint32_t v = FIRST_EXTERNAL; v < 32 * VECTOR_WORDS; v++) {
		if (!(word_of(APIC_IRR, v / 32) & 1u << v % 32))
			continue;
		*vector = (uint8_t)v;
		count++;
		traps_handle(*vector, stray_interrupt);
	}
	if (count == 0)
		return 0;
	irq_enable();
	cpu_relax(); /* behind STI's shadow */
	irq_disable();
	return count;
}

uint32_t apic_drain(uint8_t *vector)
{
	uint32_t count = 0;

	for (uint32_t word = 0; word < VECTOR_WORDS; word++)
		for (uint32_t bits = word_of(APIC_ISR, word); bits != 0; bits &= bits - 1) {
			*vector = (uint8_t)(32 * word + (uint32_t)__builtin_ctz(bits));
			count++;
			apic_eoi();
		}
	if (word_of(APIC_IRR, 0) != 0)
		apic->write(APIC_TPR, TPR_EXCEPTIONS);
	return count + take_pending(vector);
}

void apic_send(uint32_t apic_id, uint8_t vector)
{
	apic->command(apic_id, ICR_ASSERT | vector);
}

void apic_send_all_others(uint8_t vector)
{
	apic->command(0, ICR_OTHERS | ICR_ASSERT | vector);
}

void apic_send_nmi(uint32_t apic_id)
{
	apic->command(apic_id, ICR_NMI | ICR_ASSERT);
}

void apic_send_init(uint32_t apic_id)
{
	apic->command(apic_id, ICR_INIT | ICR_ASSERT);
}

void apic_send_startup(uint32_t apic_id, uint8_t page)
{
	apic->command(apic_id, ICR_STARTUP | ICR_ASSERT | page);
}
