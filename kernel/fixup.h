/* SPDX-License-Identifier: MIT */
/*
 * Exceptions as results: an instruction that may fault is listed with the place to go on at, where
 * rax then tells what happened. Used to probe MSRs and, by the ABI tests, hypercalls.
 */
#ifndef PVSPIN_KERNEL_FIXUP_H
#define PVSPIN_KERNEL_FIXUP_H

#include <stdbool.h>
#include <stdint.h>

struct fixup {
	uint64_t instruction; /* address that may fault */
	uint64_t landing;     /* where to go on: rax = FIXUP_FAULTED | vector << 32 | error code */
};

#define FIXUP_FAULTED (1ull << 63)

/* For inline assembly: lists local label 1 with landing at local label 2. */
#define FIXUP_1_TO_2                          \
	".pushsection fixup_table, \"a\"\n\t" \
	".quad 1b, 2b\n\t"                    \
	".popsection\n\t"

/* wrmsr that returns false instead of #GP. */
static inline bool wrmsr_safe(uint32_t msr, uint64_t value)
{
	uint64_t result = (uint32_t)value;

	__asm__ volatile("1: wrmsr\n\t"
			 "2:\n\t" FIXUP_1_TO_2
			 : "+a"(result)
			 : "c"(msr), "d"((uint32_t)(value >> 32))
			 : "memory");
	return !(result & FIXUP_FAULTED);
}

#endif
