/* SPDX-License-Identifier: MIT */
/*
 * In the place of kernel/cpu.h and kernel/fixup.h, for drivers under test (host.mk: -include, with
 * the include guards of the real ones defined): the instructions that touch a machine, as functions
 * that the test has.
 */
#ifndef PVSPIN_TESTS_HOST_FAKE_CPU_H
#define PVSPIN_TESTS_HOST_FAKE_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf);
void out8(uint16_t port, uint8_t value);
uint8_t in8(uint16_t port);
uint32_t in32(uint16_t port);
uint64_t rdtsc(void);
uint64_t rdtsc_ordered(void);
bool rdmsr_safe(uint32_t msr, uint64_t *value);

static inline void cpu_relax(void)
{
}

#endif
