/* SPDX-License-Identifier: MIT */
/*
 * The IDT and the dispatch of interrupts. An exception at an instruction listed in the ELF section
 * fixup_table continues at that entry's landing place (kernel/fixup.h); any other one is
 * unexpected. SDM vol. 3A, 7.14.1 (64-bit IDT gates), 7.14.5 (interrupt stack table).
 */
#include "kernel/traps.h"

#include "kernel/cpu.h"
#include "kernel/fatal.h"
#include "kernel/fixup.h"
#include "kernel/layout.h"
#include "kernel/percpu.h"

#define VECTORS        256
#define FIRST_EXTERNAL 32
#define RFLAGS_FIXED   (1u << 1) /* always set: SDM vol. 1, 3.4.3 */
#define OPCODE_HLT     0xf4
#define OPCODE_STI     0xfb
#define GATE_INTERRUPT 0x8e /* present, ring 0, 64-bit interrupt gate: masks interrupts */

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

extern const uint64_t vector_entries[VECTORS];                         /* boot/vectors.asm */
extern const struct fixup __start_fixup_table[], __stop_fixup_table[]; /* linker.ld */

static struct gate idt[VECTORS];
static void (*handlers[VECTORS])(struct trap_frame *frame);
static void (*unexpected)(const struct trap_frame *frame);
static bool (*nmi_first)(struct trap_frame *frame);

/* Vectors that may come on a broken or unknown stack get one of their own: percpu tss.ist. */
static uint8_t ist_of(unsigned int vector)
{
	if (vector == VECTOR_NMI)
		return 1;
	if (vector == VECTOR_DF || vector == VECTOR_MC)
		return 2;
	return 0;
}

void traps_init(void (*fn)(const struct trap_frame *frame))
{
	unexpected = fn;
	for (unsigned int v = 0; v < VECTORS; v++) {
		uint64_t entry = vector_entries[v];

		idt[v] = (struct gate){
			.offset_low = (uint16_t)entry,
			.selector = SELECTOR_CODE64,
			.ist = ist_of(v),
			.type = GATE_INTERRUPT,
			.offset_middle = (uint16_t)(entry >> 16),
			.offset_high = (uint32_t)(entry >> 32),
		};
	}
}

void traps_load_idt(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof(idt) - 1, (uint64_t)idt};

	__asm__ volatile("lidt %0" : : "m"(pointer) : "memory");
}

void traps_handle(uint8_t vector, void (*handler)(struct trap_frame *frame))
{
	handlers[vector] = handler;
}

void traps_handle_nmi_first(bool (*is_its)(struct trap_frame *frame))
{
	nmi_first = is_its;
}

uint64_t traps_taken(void)
{
	return this_cpu()->traps;
}

static bool apply_fixup(struct trap_frame *frame)
{
	for (const struct fixup *f = __start_fixup_table; f < __stop_fixup_table; f++) {
		if (frame->rip == f->instruction) {
			frame->rip = f->landing;
			frame->rax = FIXUP_FAULTED | frame->vector << 32 | (frame->error & 0xffff);
			return true;
		}
	}
	return false;
}

/*
 * STI's shadow keeps an interrupt, which is the wake-up, from coming between STI and HLT
 * (kernel/cpu.h), where it would be lost. An emulated SVM fails to do so: if the host's own
 * interrupt ends a VMRUN there, the next VMRUN does not restore the shadow (seen with QEMU 7.2's
 * TCG as the CPU of L1: both timers expired, IRR and ISR empty, both vCPUs in HLT for good). So an
 * interrupt that does come there returns to the instruction after the HLT, as if it had ended the
 * HLT.
 */
static void skip_hlt_after_sti(struct trap_frame *frame)
{
	const uint8_t *next = (const uint8_t *)frame->rip;

	if (next[0] == OPCODE_HLT && next[-1] == OPCODE_STI) {
		frame->rip++;
		this_cpu()->lost_shadows++;
	}
}

/*
 * No CPU takes a maskable interrupt with IF=0 (SDM vol. 3A, 6.8.1). An emulated SVM does, about
 * once in 2000: the interrupt just taken comes a second time, at the first instruction of its own
 * entry, with ISR set once. This echo is not an interrupt: nobody sent it, and it needs no EOI.
 */
static bool is_echo(const struct trap_frame *frame)
{
	return frame->vector >= FIRST_EXTERNAL && !(frame->rflags & RFLAGS_IF);
}

static struct trap_frame left_frame; /* traps_leave_nmi() */
static void (*left_for)(const struct trap_frame *frame);

static void __attribute__((noreturn)) after_nmi(void)
{
	this_cpu()->frame = &left_frame;
	left_for(&left_frame);
	panic("a function that must not return after an NMI has returned");
}

/* One stack is enough, because a second call never returns to the first. The interrupted code's
 * stack cannot be used, because it may be the reason for the call; nor the NMI's, which the next
 * NMI would overwrite. */
void traps_leave_nmi(struct trap_frame *frame, void (*fn)(const struct trap_frame *frame))
{
	static uint8_t stack[STACK_BYTES] __attribute__((aligned(16)));

	left_frame = *frame;
	left_for = fn;
	frame->rip = (uint64_t)after_nmi;
	frame->rsp = (uint64_t)(stack + sizeof(stack)) - sizeof(uint64_t); /* as if called */
	frame->rbp = 0;                                                    /* ends backtraces */
	frame->rflags = RFLAGS_FIXED;
	frame->cs = SELECTOR_CODE64;
	frame->ss = SELECTOR_DATA;
}

void trap_dispatch(struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();
	struct trap_frame *outer = cpu->frame;

	if (is_echo(frame))
		return;
	cpu->traps++;
	cpu->frame = frame;
	if (frame->vector >= FIRST_EXTERNAL)
		skip_hlt_after_sti(frame);
	if (frame->vector == VECTOR_NMI && cpu->index == 0 && nmi_first != NULL && nmi_first(frame))
		; /* comes before any handler, as CPU 0's last chance */
	else if (handlers[frame->vector] != NULL)
		handlers[frame->vector](frame);
	else if (frame->vector == VECTOR_NMI && cpu->index == 0)
		traps_leave_nmi(frame, unexpected); /* so that the next NMI can bound its report */
	else if (frame->vector >= FIRST_EXTERNAL || !apply_fixup(frame))
		unexpected(frame);
	cpu->frame = outer;
}
