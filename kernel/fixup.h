/* SPDX-License-Identifier: MIT */
/*
 * Exceptions as results: a table lists each instruction that may fault, with the address at which
 * to continue; rax then describes the exception. Used to probe MSRs and, by the ABI tests,
 * hypercalls.
 */
#ifndef PVSPIN_KERNEL_FIXUP_H
#define PVSPIN_KERNEL_FIXUP_H

#include <stdbool.h>
#include <stdint.h>

struct fixup {
	uint64_t instruction; /* address that may fault */
	uint64_t landing;     /* continues here; rax = FIXUP_FAULTED | vector << 32 | error code */
};

#define FIXUP_FAULTED (1ull << 63)

/* For inline assembly: lists local label 1 with landing at local label 2. */
#define FIXUP_1_TO_2                          \
	".pushsection fixup_table, \"a\"\n\t" \
	".quad 1b, 2b\n\t"                    \
	".popsection\n\t"

/* wrmsr that returns false instead of #GP, for MSRs that a hypervisor may refuse. It may not refuse
 * the architecture's own (EFER, APIC_BASE, GS_BASE): a #GP there is a panic that names the MSR. */
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

/* rdmsr that returns false and leaves *value unchanged instead of #GP. */
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
