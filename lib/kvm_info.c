/* SPDX-License-Identifier: MIT */
/* CPUID's leaves of the CPU and of KVM: see kvm_info.h. */
#include "lib/kvm_info.h"

#include "lib/cpuid.h"
#include "lib/string.h"
#include <stddef.h>

#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define HYPERVISOR_BASE_FIRST  0x40000000u
#define HYPERVISOR_BASE_LAST   0x4000ff00u
#define HYPERVISOR_BASE_STEP   0x100u

static void signature(char text[13], uint32_t a, uint32_t b, uint32_t c)
{
	memcpy(text, &a, 4);
	memcpy(text + 4, &b, 4);
	memcpy(text + 8, &c, 4);
	text[12] = '\0';
}

static void detect_cpu(struct kvm_info *kvm)
{
	struct cpuid r = cpuid(0, 0);
	uint32_t brand[12] = {0};

	signature(kvm->vendor, r.ebx, r.edx, r.ecx);
	/* Hygon's CPUs are of AMD's design and use VMMCALL. */
	kvm->amd = strcmp(kvm->vendor, "AuthenticAMD") == 0 ||
		   strcmp(kvm->vendor, "HygonGenuine") == 0;
	if (cpuid(0x80000000, 0).eax >= 0x80000004)
		for (uint32_t i = 0; i < 3; i++) {
			r = cpuid(0x80000002 + i, 0);
			memcpy(&brand[4 * i], &r, sizeof(r));
		}
	memcpy(kvm->model, brand, sizeof(brand));
	kvm->model[sizeof(kvm->model) - 1] = '\0';
	for (size_t n = strlen(kvm->model); n > 0 && kvm->model[n - 1] == ' '; n--)
		kvm->model[n - 1] = '\0';
}

void kvm_detect(struct kvm_info *kvm)
{
	detect_cpu(kvm);
	kvm->hypervisor_bit = cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR;
	/* Without the hypervisor bit the range may return anything (Intel: the highest basic
	 * leaf), but hardly the 12-byte signature. */
	for (uint32_t base = HYPERVISOR_BASE_FIRST; base <= HYPERVISOR_BASE_LAST;
	     base += HYPERVISOR_BASE_STEP) {
		struct cpuid r = cpuid(base, 0);
		char text[13];

		signature(text, r.ebx, r.ecx, r.edx);
		if (base == HYPERVISOR_BASE_FIRST && kvm->hypervisor_bit)
			memcpy(kvm->hypervisor, text, sizeof(text));
		if (memcmp(text, "KVMKVMKVM\0\0\0", 12) != 0)
			continue;
		kvm->present = true;
		kvm->base = base;
		/* 0 on very old hosts stands for base + 1 (cpuid.rst). */
		kvm->max_leaf = r.eax > base ? r.eax : base + 1;
		r = cpuid(base + 1, 0);
		kvm->features = r.eax;
		kvm->hints = r.edx;
		return;
	}
}
