/* SPDX-License-Identifier: MIT */
/* Interrupts and exceptions: the stack frame of boot/vectors.asm, and the handlers. */
#ifndef PVSPIN_KERNEL_TRAPS_H
#define PVSPIN_KERNEL_TRAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Order of boot/vectors.asm's pushes, last one first; from `error` on as the CPU pushes. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

_Static_assert(offsetof(struct trap_frame, rip) == 17 * 8, "boot/vectors.asm");

#define VECTOR_DB       1 /* SDM vol. 3A, table 6-1 */
#define VECTOR_NMI      2
#define VECTOR_UD       6
#define VECTOR_DF       8
#define VECTOR_GP       13
#define VECTOR_PF       14
#define VECTOR_MC       18
#define VECTOR_TIMER    0x40 /* local APIC timer, CPU 0 */
#define VECTOR_WAKE     0x41 /* ends a HLT: there is work, or work is done */
#define VECTOR_DOZE     0x42 /* local APIC timer, the other CPUs */
#define VECTOR_TEST     0x43 /* for tests */
#define VECTOR_TICK     0x44 /* local APIC timer, periodic, of a workload with a scheduler */
#define VECTOR_CALL     0x45 /* runs a function of such a workload */
#define VECTOR_SPURIOUS 0xff

/* Fills the IDT. Once, before the first segments_init(). What nobody expects goes to `unexpected`:
 * exceptions without a fixup, and vectors without a handler. */
void traps_init(void (*unexpected)(const struct trap_frame *frame));

void traps_load_idt(void); /* on each CPU, by segments_init() */

/* Sets the handler of one vector; it is called with interrupts masked on the CPU that took the
 * vector. NULL removes it, after which the vector is unexpected. For vectors from the local APIC
 * the handler ends with apic_eoi(). */
void traps_handle(uint8_t vector, void (*handler)(struct trap_frame *frame));

/* Calls is_its() for each NMI on CPU 0 before any handler, as that CPU's last chance. True: the NMI
 * was the caller's, and needs no handler. */
void traps_handle_nmi_first(bool (*is_its)(struct trap_frame *frame));

/* Interrupts and exceptions taken so far on this CPU, exceptions with a fixup included. */
uint64_t traps_taken(void);

/*
 * For an NMI's handler on CPU 0: when the handler returns, fn(frame) is called instead of the
 * interrupted code, on a stack of its own, with interrupts masked. `frame` and this_cpu()->frame
 * are a copy of the handler's frame. For functions that never return and may need another NMI,
 * which cannot come before the handler's IRET (SDM vol. 3A, 6.7.1).
 */
void traps_leave_nmi(struct trap_frame *frame, void (*fn)(const struct trap_frame *frame));

void trap_dispatch(struct trap_frame *frame); /* from boot/vectors.asm only */

#endif
