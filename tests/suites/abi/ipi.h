/* SPDX-License-Identifier: MIT */
/*
 * Calls KVM_HC_SEND_IPI and judges its result and who took an interrupt. CPU 0 sends; CPU 1 is the
 * target, and idles. Linux Documentation/virt/kvm/x86/hypercalls.rst (KVM_HC_SEND_IPI),
 * arch/x86/kvm/lapic.c (kvm_pv_send_ipi, __apic_accept_irq).
 */
#ifndef PVSPIN_TESTS_SUITES_ABI_IPI_H
#define PVSPIN_TESTS_SUITES_ABI_IPI_H

#include "kernel/apic.h"
#include "kernel/kvm.h"
#include "kernel/smp.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/call.h"
#include "tests/suites/abi/interrupts.h"

#define IPI_NEEDS .features = KVM_FEATURE_PV_SEND_IPI, .conditions = ABI_IRQCHIP, .vcpus = 2

#define IPI_WORD_IDS 64u                /* APIC IDs in each mask word of a 64-bit caller */
#define IPI_CALL_IDS (2 * IPI_WORD_IDS) /* in a whole call: min .. min + 127 */

struct ipi {
	uint64_t low, high; /* bit i: APIC ID min + i, min + 64 + i */
	uint64_t min;
	uint64_t icr;
};

static inline uint32_t ipi_id(uint32_t cpu)
{
	return smp_cpu(cpu)->apic_id;
}

/* An IPI of fixed mode and VECTOR_TEST to APIC ID `id`, which is in min .. min + 127. */
struct ipi ipi_to(uint64_t min, uint32_t id);
/* Adds APIC ID `id` to the addressed ones. */
struct ipi ipi_add(struct ipi ipi, uint32_t id);

int64_t ipi_call(struct test_result *result, struct ipi ipi);

/* VECTOR_TEST is counted between these two calls. CPUs from 2 on must have taken none. */
void ipi_begin(void);
void ipi_end(struct test_result *result);

/* Expects the call to return `value`, CPU 0 to take `sender` VECTOR_TESTs from it and CPU 1
 * `target`. */
void ipi_expect(struct test_result *result, const char *what, struct ipi ipi, int64_t value,
		uint32_t sender, uint32_t target);

#endif
