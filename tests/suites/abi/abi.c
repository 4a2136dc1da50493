/* SPDX-License-Identifier: MIT */
/* The clauses as a family of tests: checks what each needs and reports a verdict by its class. */
#include "tests/suites/abi/abi.h"

#include "bench/quoting.h"
#include "kernel/apic.h"
#include "kernel/hyperv.h"
#include "kernel/machine.h"
#include "lib/printf.h"
#include "lib/string.h"

extern const struct abi_clause __start_abi_clauses[], __stop_abi_clauses[]; /* linker.ld */

const struct plan *abi_plan;

bool abi_is_nested(void)
{
	return strcmp(abi_plan->accel, "nested") == 0;
}

static bool told_kvm(void)
{
	return accel_is_kvm(abi_plan->accel);
}

bool abi_on_kvm(void)
{
	return machine.kvm.present || told_kvm();
}

static bool is_amd(void)
{
	return machine.kvm.native_vmmcall;
}

static bool hlt_native(void)
{
	return abi_plan->vmm.hlt_native;
}

static bool irqchip_off(void)
{
	return abi_plan->vmm.irqchip == IRQCHIP_OFF;
}

static bool enforced(void)
{
	return abi_plan->vmm.enforce;
}

static bool is_x2apic(void)
{
	return strcmp(apic->name, "x2apic") == 0;
}

static bool has_signature(void)
{
	return machine.kvm.present;
}

static const struct {
	bool (*holds)(void);
	const char *missing; /* words for SKIP */
	uint32_t condition;
	bool wanted;
} conditions[] = {
	{is_amd, "needs an AMD CPU", ABI_AMD, true},
	{is_amd, "needs an Intel CPU", ABI_INTEL, false},
	{hlt_native, "HLT does not exit (cpu-pm=on)", ABI_HLT_EXITS, false},
	{hlt_native, "needs cpu-pm=on", ABI_HLT_NATIVE, true},
	{irqchip_off, "the APIC is in the VMM (kernel-irqchip=off)", ABI_IRQCHIP, false},
	{irqchip_off, "needs kernel-irqchip=off", ABI_NO_IRQCHIP, true},
	{enforced, "needs kvm-pv-enforce-cpuid=on", ABI_ENFORCE, true},
	{enforced, "kvm-pv-enforce-cpuid=on", ABI_NO_ENFORCE, false},
	{is_x2apic, "needs x2APIC mode", ABI_X2APIC, true},
	{is_x2apic, "needs xAPIC mode", ABI_XAPIC, false},
	{has_signature, "no KVM signature in CPUID 0x40000000..0x4000ff00", ABI_SIGNATURE, true},
};

/* Returns false, with the reason in the result, if the clause cannot be tested here. */
static bool needs_met(const struct abi_clause *clause, struct test_result *result)
{
	if (hyperv_in_use()) {
		test_skip(result, "Hyper-V's hypercalls are in use (hyperv)");
		return false;
	}
	if (!(clause->conditions & ABI_UNSEEN_KVM) && !abi_on_kvm()) {
		test_skip(result, "no KVM signature in CPUID 0x40000000..0x4000ff00");
		return false;
	}
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		if ((clause->conditions & conditions[i].condition) &&
		    conditions[i].holds() != conditions[i].wanted) {
			test_skip(result, "%s", conditions[i].missing);
			return false;
		}
	}
	if ((machine.kvm.features & clause->features) != clause->features)
		test_skip(result, "KVM feature bits %#x are not offered (%#x are)",
			  clause->features & ~machine.kvm.features, machine.kvm.features);
	else if (machine.kvm.features & clause->hidden)
		test_skip(result, "needs KVM feature bits %#x hidden",
			  clause->hidden & machine.kvm.features);
	else if (machine.online < clause->vcpus)
		test_skip(result, "needs %u vCPUs, has %u", clause->vcpus, machine.online);
	return result->verdict == VERDICT_OK;
}

static size_t abi_count(void)
{
	return ((uintptr_t)__stop_abi_clauses - (uintptr_t)__start_abi_clauses) /
	       sizeof(struct abi_clause);
}

static bool abi_get(size_t i, struct test_item *item)
{
	static const char *const classes[] = {
		[ABI_MUST] = "(MUST)", [ABI_KVM] = "(KVM)", [ABI_INFO] = "(INFO)"};

	ksnprintf(item->name, sizeof(item->name), "%s", __start_abi_clauses[i].name);
	item->about = __start_abi_clauses[i].id;
	item->note = classes[__start_abi_clauses[i].class];
	return true;
}

static void abi_run(size_t i, const struct plan *plan, struct test_result *result)
{
	const struct abi_clause *clause = &__start_abi_clauses[i];

	abi_plan = plan;
	if (!needs_met(clause, result))
		return;
	clause->run(result);
	if (result->verdict == VERDICT_FAIL && clause->class != ABI_MUST)
		result->finding = true;
}

TEST_FAMILY(abi_family, .pattern = "abi, abi.GROUP, abi.GROUP.CLAUSE, ABI-GROUP-NN",
	    .count = abi_count, .get = abi_get, .run = abi_run);
