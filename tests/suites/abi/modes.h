/* SPDX-License-Identifier: MIT */
/*
 * Runs a few bytes of machine code on CPU 0 in any mode, at any privilege level, with chosen
 * registers, on pages with chosen rights. The result is the exception that stopped the code, with
 * all registers. The code ends with UD2, so that running through is an exception, too.
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

/* Two adjacent pages for code. Both are plain data until modes_rights(). */
extern uint8_t modes_code[2 * PAGE_BYTES];

/* Copies `count` bytes, followed by UD2, to `offset` of the pages. */
uint8_t *modes_place(size_t offset, const uint8_t *bytes, size_t count);
void modes_rights(uint32_t page, enum paging_rights rights); /* page 0 or 1 */
void modes_reset(void);                                      /* both are data again */

/* Registers to start with: all 0, RFLAGS_FIXED, and the mode's own stack. */
struct trap_frame modes_start(enum mode mode, const uint8_t *code);

struct stop {
	struct trap_frame frame; /* as at the stop: vector, error, rip, rax, ... */
	uint64_t cr2;            /* of a #PF */
	uint64_t dr6;            /* of a #DB */
};

/* Runs from `start` to the first exception: #DB, #UD, #GP or #PF. Interrupts are masked unless
 * start.rflags has IF. CPU 0. The caller counts hypercalls. */
struct stop modes_run(const struct trap_frame *start);

/* True if the code ran through to the UD2 after `count` bytes at `code`. */
static inline bool modes_through(const struct stop *stop, const uint8_t *code, size_t count)
{
	return stop->frame.vector == VECTOR_UD && stop->frame.rip == (uint64_t)code + count;
}

/* Places one hypercall instruction at offset 0 with `rights`, runs it in the mode with this number
 * and these arguments, restores the pages, and counts the hypercall. */
struct stop modes_hypercall(enum mode mode, const uint8_t *instruction, enum paging_rights rights,
			    uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);

#endif
