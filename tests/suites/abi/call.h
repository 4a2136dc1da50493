/* SPDX-License-Identifier: MIT */
/* Instructions under test whose fault is a result: hypercalls, MSRs. CPL 0, any CPU. */
#ifndef PVSPIN_TESTS_SUITES_ABI_CALL_H
#define PVSPIN_TESTS_SUITES_ABI_CALL_H

#include "kernel/fixup.h"
#include "kernel/hypercall.h"
#include "kernel/percpu.h"
#include <stdbool.h>
#include <stdint.h>

/* Harmless arguments: an APIC ID that no vCPU has, a guest-physical address without RAM. */
#define ABI_UNUSED_ID 0x1000u
#define ABI_NO_RAM    (1ull << 45)

struct abi_result {
	uint64_t value; /* rax, or the MSR */
	bool faulted;   /* if so, the next two say how */
	uint8_t vector;
	uint32_t error; /* error code, 16 bits of it; 0 for vectors without one */
};

static inline struct abi_result abi_result_of(uint64_t rax, uint64_t faulted)
{
	if (!faulted)
		return (struct abi_result){.value = rax};
	return (struct abi_result){
		.faulted = true, .vector = (uint8_t)(rax >> 32), .error = (uint32_t)(rax & 0xffff)};
}

/* After the instruction at label 1, r8 is 0, or 1 if it faulted (rax then as in kernel/fixup.h). */
#define ABI_TRY(instruction)     \
	"xorl %%r8d, %%r8d\n\t"  \
	"1: " instruction "\n\t" \
	"jmp 3f\n\t"             \
	"2: movl $1, %%r8d\n\t"  \
	"3:\n\t" FIXUP_1_TO_2

/* A hypercall by the CPU's own instruction. Counted (hypercall.h). */
static inline struct abi_result abi_hypercall(uint64_t number, uint64_t a0, uint64_t a1,
					      uint64_t a2, uint64_t a3)
{
	register uint64_t faulted __asm__("r8");
	uint64_t rax = number;

	this_cpu()->hypercalls++;
	if (hypercall_is_vmmcall)
		__asm__ volatile(ABI_TRY("vmmcall")
				 : "+a"(rax), "=r"(faulted)
				 : "b"(a0), "c"(a1), "d"(a2), "S"(a3)
				 : "memory");
	else
		__asm__ volatile(ABI_TRY("vmcall")
				 : "+a"(rax), "=r"(faulted)
				 : "b"(a0), "c"(a1), "d"(a2), "S"(a3)
				 : "memory");
	return abi_result_of(rax, faulted);
}

static inline struct abi_result abi_rdmsr(uint32_t msr)
{
	register uint64_t faulted __asm__("r8");
	uint64_t rax, rdx;

	__asm__ volatile(ABI_TRY("rdmsr")
			 : "=a"(rax), "=d"(rdx), "=r"(faulted)
			 : "c"(msr)
			 : "memory");
	return abi_result_of(faulted ? rax : rdx << 32 | (uint32_t)rax, faulted);
}

static inline struct abi_result abi_wrmsr(uint32_t msr, uint64_t value)
{
	register uint64_t faulted __asm__("r8");
	uint64_t rax = (uint32_t)value;

	__asm__ volatile(ABI_TRY("wrmsr")
			 : "+a"(rax), "=r"(faulted)
			 : "c"(msr), "d"((uint32_t)(value >> 32))
			 : "memory");
	return abi_result_of(faulted ? rax : value, faulted);
}

#endif
