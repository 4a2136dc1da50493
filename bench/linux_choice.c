/* SPDX-License-Identifier: MIT */
/*
 * Linux 6.12's choice. native_pv_lock_init() (arch/x86/kernel/paravirt.c) turns virt_spin_lock on
 * under any hypervisor; kvm_spinlock_init() (arch/x86/kernel/kvm.c) then goes through the rows
 * below in this order. It turns virt_spin_lock off again, or installs the PV qspinlock, or leaves
 * all as it is. The order is that of commit 960550503965 (6.18, and the stable trees since December
 * 2025, among them 6.12.117). Before that commit PV_UNHALT came first: without it the choice was
 * always virt_spin_lock. Xen and Hyper-V count as hypervisors without PV code, which is not
 * modelled.
 */
#include "bench/linux_choice.h"

#include <stddef.h>

struct linux_facts linux_facts_of(const struct kvm_info *kvm, uint32_t possible_cpus)
{
	return (struct linux_facts){
		.hypervisor = kvm->hypervisor_bit,
		.kvm = kvm->present,
		.realtime = kvm->hints & KVM_HINTS_REALTIME,
		.pv_unhalt = kvm->features & KVM_FEATURE_PV_UNHALT,
		.possible_cpus = possible_cpus,
	};
}

struct row {
	bool (*applies)(const struct linux_facts *facts);
	struct linux_choice choice;
};

static bool bare_metal(const struct linux_facts *facts)
{
	return !facts->hypervisor;
}

static bool not_kvm(const struct linux_facts *facts)
{
	return !facts->kvm;
}

static bool realtime(const struct linux_facts *facts)
{
	return facts->realtime;
}

static bool one_cpu(const struct linux_facts *facts)
{
	return facts->possible_cpus == 1;
}

static bool nopvspin(const struct linux_facts *facts)
{
	return facts->nopvspin;
}

static bool no_unhalt(const struct linux_facts *facts)
{
	return !facts->pv_unhalt;
}

static bool always(const struct linux_facts *facts)
{
	(void)facts;
	return true;
}

static const struct row rows[] = {
	{bare_metal, {"qspinlock", "bare metal"}},
	{not_kvm, {"virt-spin", "a hypervisor without PV lock code"}},
	{realtime, {"qspinlock", "KVM_HINTS_REALTIME"}},
	{one_cpu, {"qspinlock", "one possible CPU"}},
	{nopvspin, {"qspinlock", "nopvspin"}},
	{no_unhalt, {"virt-spin", "KVM without PV_UNHALT"}},
	{always, {"pv-qspinlock", "KVM with PV_UNHALT"}},
};

struct linux_choice linux_choose(const struct linux_facts *facts)
{
	size_t i = 0;

	while (!rows[i].applies(facts))
		i++;
	return rows[i].choice;
}
