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

/* wrmsr that returns false instead of #GP. For what a hypervisor may refuse; the architecture's own
 * (EFER, APIC_BASE, GS_BASE) it may not, and a #GP there is a panic that names the MSR. */
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

/* rdmsr that returns false, and leaves *value, instead of #GP. */
static inline bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	uint64_t low, high = 0;

	__asm__ volatile("1: rdmsr\n\t"
			 "2:\n\t" FIXUP_1_TO_2
			 : "=a"(low), "+d"(high)
			 : "c"(msr)
			 : "memory");
	if (low & FIXUP_FAULTED)
		return false;
	*value = high << 32 | low;
	return true;
}

#endif
