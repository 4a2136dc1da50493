/* SPDX-License-Identifier: MIT */
/*
 * In the place of kernel/cpu.h, for drivers under test (host.mk: -include, with the include guard
 * of the real one defined): the instructions that touch a machine, as functions that the test has.
 */
#ifndef PVSPIN_TESTS_HOST_FAKE_CPU_H
#define PVSPIN_TESTS_HOST_FAKE_CPU_H

#include <stdint.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf);
void out8(uint16_t port, uint8_t value);
uint8_t in8(uint16_t port);
uint32_t in32(uint16_t port);
uint64_t rdtsc(void);

static inline void cpu_relax(void)
{
}

#endif
