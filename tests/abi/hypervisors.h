/* SPDX-License-Identifier: MIT */
/* The bases at which hypervisors show themselves in CPUID, and who is at one. Linux
 * arch/x86/include/asm/processor.h (hypervisor_cpuid_base) */
#ifndef PVSPIN_TESTS_ABI_HYPERVISORS_H
#define PVSPIN_TESTS_ABI_HYPERVISORS_H

#include "kernel/cpu.h"
#include "pvspin/string.h"
#include <stdbool.h>
#include <stdint.h>

#define HYPERVISOR_FIRST 0x40000000u
#define HYPERVISOR_LAST  0x4000ff00u
#define HYPERVISOR_STEP  0x100u

#define TIMING_LEAF 0x10u /* base + 0x10, VMware's: EAX TSC kHz, EBX APIC bus kHz */

#define XEN_SIGNATURE    "XenVMMXenVMM"
#define HYPERV_SIGNATURE "Microsoft Hv"

/* The 12 characters at `base`, and a NUL. */
static inline void hypervisor_at(uint32_t base, char text[13])
{
	struct cpuid r = cpuid(base, 0);

	memcpy(text, &r.ebx, 4);
	memcpy(text + 4, &r.ecx, 4);
	memcpy(text + 8, &r.edx, 4);
	text[12] = '\0';
}

static inline bool hypervisor_is(uint32_t base, const char *signature)
{
	char text[13];

	hypervisor_at(base, text);
	return strcmp(text, signature) == 0;
}

#endif
