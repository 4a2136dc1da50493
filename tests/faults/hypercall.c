// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Faults of hypercalls in general (numbers, results, registers) and of SEND_IPI, SCHED_YIELD,
 * CLOCK_PAIRING and MAP_GPA_RANGE. Linux Documentation/virt/kvm/x86/hypercalls.rst: the number and
 * the result are in RAX, the arguments in RBX, RCX, RDX, RSI.
 */
#include "fault.h"

static bool is(struct visit *visit, unsigned long number)
{
	return visit->rax == number;
}

static void answer(struct visit *visit, unsigned long value)
{
	visit->regs[VCPU_REGS_RAX] = value;
	fault_hit();
}

/* The result as a caller of either width sees it. */
static int result(struct visit *visit)
{
	return (int)visit->regs[VCPU_REGS_RAX];
}

static void enosys_0(struct visit *visit)
{
	if (result(visit) == -KVM_ENOSYS)
		answer(visit, 0);
}

const struct fault hypercall_faults[] = {
	{"enosys-0", POINT_HYPERCALL, .after = enosys_0},
	{},
};
