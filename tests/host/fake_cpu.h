/* SPDX-License-Identifier: MIT */
/*
 * Replaces kernel/cpu.h and kernel/fixup.h for drivers under test: instructions that access
 * hardware are functions that the test defines. host.mk includes this file by -include and defines
 * the include guards of the real ones.
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
void out16(uint16_t port, uint16_t value);
uint16_t in16(uint16_t port);
void out32(uint16_t port, uint32_t value);
uint32_t in32(uint16_t port);
uint64_t rdtsc(void);
uint64_t rdtsc_ordered(void);
bool rdmsr_safe(uint32_t msr, uint64_t *value);

static inline void cpu_relax(void)
{
}

#endif
