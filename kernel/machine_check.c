/* SPDX-License-Identifier: MIT */
/* Machine checks: enabled, so that one is a panic that says what the banks hold and not a shutdown
 * (SDM vol. 3B, 16.3.2: the banks; vol. 3A, 2.5: CR4.MCE). */
#include "kernel/machine_check.h"

#include "kernel/cpu.h"

#define CPUID_1_EDX_MCE (1u << 7)
#define CPUID_1_EDX_MCA (1u << 14)
#define CR4_MCE         (1ull << 6)

#define MSR_MCG_CAP     0x179 /* bits 7:0: how many banks */
#define MSR_MCG_STATUS  0x17a
#define MSR_MC0_STATUS  0x401 /* bank i: + 4 * i; the address one further */
#define STATUS_VALID    (1ull << 63)
#define STATUS_ADDRESS  (1ull << 58) /* the bank's address is valid */
#define MSRS_PER_BANK   4
#define BANKS_DESCRIBED 32

void machine_check_enable(void)
{
	uint64_t cr4;

	if (!(cpuid(1, 0).edx & CPUID_1_EDX_MCE))
		return;
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | CR4_MCE) : "memory");
}

void machine_check_describe(struct record *record)
{
	uint64_t banks;

	if (!(cpuid(1, 0).edx & CPUID_1_EDX_MCA))
		return;
	banks = rdmsr(MSR_MCG_CAP) & 0xff;
	record_hex(record, "mcg_status", rdmsr(MSR_MCG_STATUS));
	for (uint32_t i = 0; i < banks && i < BANKS_DESCRIBED; i++) {
		uint64_t status = rdmsr(MSR_MC0_STATUS + MSRS_PER_BANK * i);

		if (!(status & STATUS_VALID))
			continue;
		record_number(record, "mc_bank", i);
		record_hex(record, "mc_status", status);
		if (status & STATUS_ADDRESS)
			record_hex(record, "mc_address",
				   rdmsr(MSR_MC0_STATUS + MSRS_PER_BANK * i + 1));
		return; /* the first: the record has each name once */
	}
}
