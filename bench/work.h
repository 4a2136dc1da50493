/* SPDX-License-Identifier: MIT */
/* The work inside and outside the sections of every measured loop. */
#ifndef PVSPIN_BENCH_WORK_H
#define PVSPIN_BENCH_WORK_H

#include <stdint.h>

/*
 * A fixed amount of work, not of time: a preempted vCPU does none. One iteration is one dependent
 * subtraction and its branch (about a core cycle). Touches no memory. Aligned, because it is
 * inlined into each lock's loop: on CPUs with the jump-conditional-code erratum an iteration takes
 * twice as long if the branch touches a 32-byte boundary (Intel, "Mitigations for Jump Conditional
 * Code Erratum", 2019), which would look like a difference between locks.
 */
static inline __attribute__((always_inline)) void work(uint32_t iterations)
{
	if (iterations)
		__asm__ volatile(".p2align 5\n"
				 "1:\tsub $1, %0\n\t"
				 "jnz 1b"
				 : "+r"(iterations)
				 :
				 : "cc");
}

#endif
