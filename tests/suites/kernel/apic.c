/* SPDX-License-Identifier: MIT */
/* How apic_enable leaves the local APICs. */
#include "kernel/apic.h"
#include "kernel/machine.h"
#include "port/port.h"
#include "tests/suites/tap.h"

static void read_lint0(void *lint0)
{
	((uint32_t *)lint0)[port_cpu()] = apic->read(APIC_LVT_LINT0);
}

/* In a VM the first vCPU that KVM asks must be the one that accepts the 8259s' interrupts
 * (apic_enable); otherwise each byte of the log costs a walk over all vCPUs. On bare metal nobody
 * accepts them. */
static void only_the_boot_cpu_accepts_the_8259(struct test_result *result)
{
	uint32_t count = port_cpu_count();
	uint32_t *lint0 = port_alloc(count * sizeof(lint0[0]), sizeof(lint0[0]));

	port_run_on(count, read_lint0, lint0);
	for (uint32_t i = 0; i < count; i++) {
		bool accepts = i == 0 && machine.kvm.hypervisor_bit;

		if (accepts == !!(lint0[i] & LVT_MASKED) ||
		    (accepts && (lint0[i] & LVT_MODE) != LVT_EXTINT))
			test_fail(result, "LINT0 of vCPU %u is %#x", i, lint0[i]);
	}
}
TEST_REGISTER(only_the_boot_cpu_accepts_the_8259, "APIC-LINT0-01",
	      "apic.lint0.boot_cpu_accepts_the_8259");
