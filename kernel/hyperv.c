/* SPDX-License-Identifier: MIT */
/* See hyperv.h. The guest names itself, then gives the hypervisor a page, which the hypervisor
 * fills with the code that makes a hypercall. */
#include "kernel/hyperv.h"

#include "kernel/fixup.h"
#include "kernel/layout.h"
#include "kernel/paging.h"
#include "kernel/percpu.h"
#include "lib/cpuid.h"

/* CPUID leaves (TLFS, "Feature Discovery"). */
#define LEAF_VENDOR          0x40000000u
#define LEAF_INTERFACE       0x40000001u
#define LEAF_FEATURES        0x40000003u
#define LEAF_RECOMMENDATIONS 0x40000004u

#define VENDOR_EBX   0x7263694du /* "Micr" */
#define VENDOR_ECX   0x666f736fu /* "osof" */
#define VENDOR_EDX   0x76482074u /* "t Hv" */
#define INTERFACE    0x31237648u /* "Hv#1" */
#define HAS_MSRS     (1u << 5)   /* AccessHypercallMsrs */
#define HYPERVISOR   (1u << 31)  /* leaf 1, ECX */
#define PAGE_AND_BIT (~(uint64_t)(PAGE_BYTES - 1) | HV_PAGE_ENABLED)

static uint8_t page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static bool in_use;

bool hyperv_offered(void)
{
	struct cpuid vendor;

	if (!(cpuid(1, 0).ecx & HYPERVISOR))
		return false;
	vendor = cpuid(LEAF_VENDOR, 0);
	return vendor.ebx == VENDOR_EBX && vendor.ecx == VENDOR_ECX && vendor.edx == VENDOR_EDX &&
	       vendor.eax >= LEAF_RECOMMENDATIONS && cpuid(LEAF_INTERFACE, 0).eax == INTERFACE &&
	       (cpuid(LEAF_FEATURES, 0).eax & HAS_MSRS);
}

uint32_t hyperv_long_spin_polls(void)
{
	uint32_t polls = cpuid(LEAF_RECOMMENDATIONS, 0).ebx;

	return polls ? polls : HV_LONG_SPIN_NEVER;
}

bool hyperv_begin(void)
{
	uint64_t value;

	if (!hyperv_offered() || !wrmsr_safe(MSR_HV_GUEST_OS_ID, HV_GUEST_OS_ID))
		return false;
	paging_set((uint64_t)page, PAGE_BYTES, PAGING_EXECUTE);
	/* the bits between are reserved and keep their values */
	in_use = rdmsr_safe(MSR_HV_HYPERCALL, &value) &&
		 wrmsr_safe(MSR_HV_HYPERCALL,
			    (value & ~PAGE_AND_BIT) | (uint64_t)page | HV_PAGE_ENABLED) &&
		 rdmsr_safe(MSR_HV_HYPERCALL, &value) &&
		 (value & PAGE_AND_BIT) == ((uint64_t)page | HV_PAGE_ENABLED);
	if (!in_use)
		hyperv_end();
	return in_use;
}

/* Without a name there are no hypercalls, and the page is disabled. */
void hyperv_end(void)
{
	wrmsr_safe(MSR_HV_GUEST_OS_ID, 0);
	in_use = false;
}

bool hyperv_in_use(void)
{
	return in_use;
}

/* The code in the page is the hypervisor's: assumes no more of it than of a C function. */
uint64_t hyperv_call(uint64_t control, uint64_t input)
{
	register uint64_t output __asm__("r8") = 0;
	uint64_t status;

	this_cpu()->hypercalls++;
	__asm__ volatile("call *%[code]"
			 : "=a"(status), "+c"(control), "+d"(input), "+r"(output)
			 : [code] "r"(page)
			 : "rsi", "rdi", "r9", "r10", "r11", "cc", "memory");
	return status & HV_STATUS_MASK;
}
