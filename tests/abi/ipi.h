/* SPDX-License-Identifier: MIT */
/*
 * KVM_HC_SEND_IPI, called and judged: its value, and who took an interrupt. CPU 0 sends; CPU 1 is
 * the target, and idles. Linux Documentation/virt/kvm/x86/hypercalls.rst (KVM_HC_SEND_IPI),
 * arch/x86/kvm/lapic.c (kvm_pv_send_ipi, __apic_accept_irq).
 */
#ifndef PVSPIN_TESTS_ABI_IPI_H
#define PVSPIN_TESTS_ABI_IPI_H

#include "kernel/smp.h"
#include "tests/abi/abi.h"
#include "tests/abi/call.h"
#include "tests/abi/interrupts.h"

#define KVM_FEATURE_PV_SEND_IPI (1u << 11) /* cpuid.rst */

#define KVM_EINVAL     22 /* include/uapi/linux/kvm_para.h: errno's numbers */
#define KVM_EOPNOTSUPP 95

#define IPI_NEEDS .features = KVM_FEATURE_PV_SEND_IPI, .conditions = ABI_IRQCHIP, .vcpus = 2

/* Fields of the ICR, SDM vol. 3A, figure 11-12; the delivery mode is bits 10:8. */
#define ICR_FIXED   0x000u
#define ICR_LOWEST  0x100u
#define ICR_NMI     0x400u
#define ICR_INIT    0x500u
#define ICR_STARTUP 0x600u
#define ICR_EXTINT  0x700u
#define ICR_LOGICAL (1u << 11)
#define ICR_ASSERT  (1u << 14)
#define ICR_LEVEL   (1u << 15)
#define ICR_SELF    (1u << 18) /* shorthands, bits 19:18 */
#define ICR_ALL     (2u << 18)
#define ICR_OTHERS  (3u << 18)

#define IPI_WORD_IDS 64u                /* APIC IDs in each mask word of a 64-bit caller */
#define IPI_CALL_IDS (2 * IPI_WORD_IDS) /* and in a call: min .. min + 127 */

struct ipi {
	uint64_t low, high; /* bit i: APIC ID min + i, min + 64 + i */
	uint64_t min;
	uint64_t icr;
};

static inline uint32_t ipi_id(uint32_t cpu)
{
	return smp_cpu(cpu)->apic_id;
}

/* A fixed VECTOR_TEST to the APIC ID, which is in min .. min + 127. */
struct ipi ipi_to(uint64_t min, uint32_t id);
/* The same to the ID too. */
struct ipi ipi_add(struct ipi ipi, uint32_t id);

int64_t ipi_call(struct test_result *result, struct ipi ipi);

/* Between these two VECTOR_TEST is counted; then CPUs from 2 on must have taken none. */
void ipi_begin(void);
void ipi_end(struct test_result *result);

/* The call returns `value`, CPU 0 takes `sender` VECTOR_TESTs of it and CPU 1 `target`. */
void ipi_expect(struct test_result *result, const char *what, struct ipi ipi, int64_t value,
		uint32_t sender, uint32_t target);

#endif
