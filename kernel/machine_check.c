/* SPDX-License-Identifier: MIT */
/* Enables machine checks, so that one is a panic with the banks' contents instead of a shutdown
 * (SDM vol. 3B, 16.3.2: the banks; vol. 3A, 2.5: CR4.MCE). */
#include "kernel/machine_check.h"

#include "kernel/cpu.h"
#include "kernel/fixup.h"
#include <stdbool.h>

#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define CPUID_1_EDX_MCE        (1u << 7)
#define CPUID_1_EDX_MCA        (1u << 14)
#define CR4_MCE                (1ull << 6)

#define MSR_MCG_CAP     0x179 /* bits 7:0: how many banks */
#define MSR_MCG_STATUS  0x17a
#define MCG_CTL_PRESENT (1ull << 8) /* of MCG_CAP */
#define MSR_MCG_CTL     0x17b
#define MSR_MC0_CTL     0x400
#define MSR_MC0_STATUS  0x401 /* bank i: + 4 * i; the address one further */
#define STATUS_VALID    (1ull << 63)
#define STATUS_UC       (1ull << 61) /* uncorrected */
#define STATUS_PCC      (1ull << 57) /* processor context corrupt */
#define STATUS_ADDRESS  (1ull << 58) /* the bank's address is valid */
#define MSRS_PER_BANK   4

/* On P6 and Core 2, bank 0's control belongs to the firmware (SDM vol. 3B, 16.3.2.1). */
static bool bank_0_is_firmwares(uint32_t signature)
{
	uint32_t family = signature >> 8 & 0xf;
	uint32_t model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);

	return family == 6 && model < 0x1a;
}

/* Enables all errors and clears old ones that firmware or an earlier system left (SDM vol.
 * 3B, 16.8), which would otherwise look like the cause of the next one. VMMs start a VM in this
 * state, and each MSR write is an exit (Linux arch/x86/kvm/x86.c, kvm_vcpu_ioctl_x86_setup_mce;
 * QEMU target/i386/cpu.c, mce_init).
 */
static void enable_banks(uint32_t signature)
{
	uint64_t capabilities = rdmsr(MSR_MCG_CAP);
	uint32_t banks = capabilities & 0xff;

	if (capabilities & MCG_CTL_PRESENT)
		wrmsr_safe(MSR_MCG_CTL, UINT64_MAX);
	for (uint32_t i = 0; i < banks; i++) {
		if (i != 0 || !bank_0_is_firmwares(signature))
			wrmsr_safe(MSR_MC0_CTL + MSRS_PER_BANK * i, UINT64_MAX);
		wrmsr_safe(MSR_MC0_STATUS + MSRS_PER_BANK * i, 0);
	}
}

void machine_check_enable(void)
{
	struct cpuid r = cpuid(1, 0);
	uint64_t cr4;

	if (!(r.edx & CPUID_1_EDX_MCE))
		return;
	if ((r.edx & CPUID_1_EDX_MCA) && !(r.ecx & CPUID_1_ECX_HYPERVISOR))
		enable_banks(r.eax);
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | CR4_MCE) : "memory");
}

/* How much worse an error is than none. */
static int severity(uint64_t status)
{
	if (!(status & STATUS_VALID))
		return 0;
	return status & STATUS_PCC ? 3 : status & STATUS_UC ? 2 : 1;
}

void machine_check_describe(struct record *record)
{
	uint64_t worst = 0;
	uint32_t banks, bank = 0;

	if (!(cpuid(1, 0).edx & CPUID_1_EDX_MCA))
		return;
	banks = rdmsr(MSR_MCG_CAP) & 0xff;
	record_hex(record, "mcg_status", rdmsr(MSR_MCG_STATUS));
	for (uint32_t i = 0; i < banks; i++) {
		uint64_t status = rdmsr(MSR_MC0_STATUS + MSRS_PER_BANK * i);

		if (severity(status) > severity(worst)) {
			worst = status;
			bank = i;
		}
	}
	if (severity(worst) == 0)
		return;
	record_number(record, "mc_bank", bank); /* only one bank: a record has each name once */
	record_hex(record, "mc_status", worst);
	if (worst & STATUS_ADDRESS)
		record_hex(record, "mc_address", rdmsr(MSR_MC0_STATUS + MSRS_PER_BANK * bank + 1));
}
