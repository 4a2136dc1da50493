/* SPDX-License-Identifier: MIT */
/*
 * A few bytes of machine code, run on CPU 0 in any mode, at any privilege level, with chosen
 * registers, on pages with chosen rights; what stopped it, with all registers, is the result. The
 * code ends with UD2, so that going through is a stop like any fault.
 */
#ifndef PVSPIN_TESTS_SUITES_ABI_MODES_H
#define PVSPIN_TESTS_SUITES_ABI_MODES_H

#include "kernel/layout.h"
#include "kernel/paging.h"
#include "kernel/traps.h"
#include <stddef.h>
#include <stdint.h>

#define PF_PRESENT 1u /* page-fault error code, SDM vol. 3A, 5.12 */
#define PF_WRITE   2u
#define PF_USER    4u

#define RFLAGS_FIXED (1u << 1)
#define RFLAGS_CF    (1u << 0)
#define RFLAGS_TF    (1u << 8)
#define RFLAGS_DF    (1u << 10)

#define HYPERCALL_BYTES 3
extern const uint8_t modes_vmcall[HYPERCALL_BYTES], modes_vmmcall[HYPERCALL_BYTES];
const uint8_t *modes_native(void); /* the CPU's own hypercall instruction, as found at boot */
const uint8_t *modes_wrong(void);  /* the other vendor's */

enum mode { MODE_64, MODE_32, MODE_64_RING3, MODE_32_RING3 };

/* Two pages for code, one behind the other. Both are plain data until modes_rights(). */
extern uint8_t modes_code[2 * PAGE_BYTES];

/* Copies `count` bytes and UD2 behind them to `offset` of the pages. */
uint8_t *modes_place(size_t offset, const uint8_t *bytes, size_t count);
void modes_rights(uint32_t page, enum paging_rights rights); /* page 0 or 1 */
void modes_reset(void);                                      /* both are data again */

/* Registers to start with: 0, RFLAGS_FIXED, a stack of the mode's own. */
struct trap_frame modes_start(enum mode mode, const uint8_t *code);

struct stop {
	struct trap_frame frame; /* as at the stop: vector, error, rip, rax, ... */
	uint64_t cr2;            /* of a #PF */
	uint64_t dr6;            /* of a #DB */
};

/* Runs from `start` to the first exception: #DB, #UD, #GP or #PF. CPU 0; interrupts are masked
 * meanwhile unless start.rflags has IF. Counts no hypercall: the caller does. */
struct stop modes_run(const struct trap_frame *start);

/* True if it went through to the UD2 behind `count` bytes at `code`. */
static inline bool modes_through(const struct stop *stop, const uint8_t *code, size_t count)
{
	return stop->frame.vector == VECTOR_UD && stop->frame.rip == (uint64_t)code + count;
}

/* Places one hypercall instruction at offset 0 with `rights`, runs it in the mode with this number
 * and arguments, and puts everything back. Counted. */
struct stop modes_hypercall(enum mode mode, const uint8_t *instruction, enum paging_rights rights,
			    uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);

#endif
