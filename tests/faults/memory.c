// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Faults of KVM's writes to the guest's memory: steal time, PV EOI, kvmclock, wall clock. Linux
 * Documentation/virt/kvm/x86/msr.rst has the layouts, asm/kvm_para.h and asm/pvclock-abi.h the
 * structures.
 */
#include "fault.h"

#include <asm/pvclock-abi.h>

/* The guest-physical addresses of the structures; 0 if the guest has not enabled them, and then the
 * faults do nothing. */
static u64 steal_gpa(struct kvm_vcpu *vcpu)
{
	u64 value = vcpu->arch.st.msr_val;

	return value & KVM_MSR_ENABLED ? value & KVM_STEAL_VALID_BITS : 0;
}

static u64 clock_gpa(struct kvm_vcpu *vcpu)
{
	u64 value = vcpu->arch.time;

	return value & KVM_MSR_ENABLED ? value & ~(u64)KVM_MSR_ENABLED : 0;
}

static u64 eoi_gpa(struct kvm_vcpu *vcpu)
{
	u64 value = vcpu->arch.pv_eoi.msr_val;

	return value & KVM_MSR_ENABLED ? value & ~(u64)KVM_MSR_ENABLED : 0;
}

static void overwrite(struct visit *visit, u64 gpa, const void *data, unsigned int bytes)
{
	if (guest_write(visit->vcpu, gpa, data, bytes))
		fault_hit();
}

/* Whether the structure's version has changed since the last call for this vCPU. The APIC ID is
 * enough to tell vCPUs apart, because only one virtual machine is under test at a time. */
static bool updated(struct kvm_vcpu *vcpu, u64 version_gpa)
{
	static struct {
		unsigned int selection;
		u64 gpa;
		u32 version;
	} seen[256], *last;
	u32 version = 0;

	last = &seen[(u8)vcpu->vcpu_id];
	if (!guest_read(vcpu, version_gpa, &version, sizeof(version)) || version == 0)
		return false;
	if (last->selection == fault_selections && last->gpa == version_gpa &&
	    last->version == version)
		return false;
	last->selection = fault_selections;
	last->gpa = version_gpa;
	last->version = version;
	return true;
}

static void odd_version(struct visit *visit, u64 gpa)
{
	u32 version;

	if (!guest_read(visit->vcpu, gpa, &version, sizeof(version)) || version == 0 || version & 1)
		return;
	version |= 1;
	overwrite(visit, gpa, &version, sizeof(version));
}

static void steal_odd(struct visit *visit)
{
	u64 gpa = steal_gpa(visit->vcpu);

	if (gpa)
		odd_version(visit, gpa + offsetof(struct kvm_steal_time, version));
}

static void steal_flags(struct visit *visit)
{
	u64 gpa = steal_gpa(visit->vcpu);
	u32 flags = 0;

	if (gpa && updated(visit->vcpu, gpa + offsetof(struct kvm_steal_time, version)))
		overwrite(visit, gpa + offsetof(struct kvm_steal_time, flags), &flags,
			  sizeof(flags));
}

/* Steal time starts from 0 each time, in place of adding to the value in memory. */
static void steal_from_0(struct visit *visit)
{
	u64 gpa = steal_gpa(visit->vcpu), steal = 0;

	if (gpa && updated(visit->vcpu, gpa + offsetof(struct kvm_steal_time, version)))
		overwrite(visit, gpa, &steal, sizeof(steal));
}

/* Tells a running vCPU that it is preempted and has a flush pending. */
static void steal_preempted(struct visit *visit)
{
	u64 gpa = steal_gpa(visit->vcpu);
	u8 preempted = KVM_VCPU_PREEMPTED | KVM_VCPU_FLUSH_TLB;

	if (gpa)
		overwrite(visit, gpa + offsetof(struct kvm_steal_time, preempted), &preempted, 1);
}

/* Sets *value to the value written to an MSR; returns whether it is this MSR. KVM may refuse the
 * write. */
static bool written(struct visit *visit, u32 number, u64 *value)
{
	*value = (u64)(u32)visit->rdx << 32 | (u32)visit->rax;
	return (u32)visit->rcx == number;
}

static void steal_disabled(struct visit *visit)
{
	u64 value, steal = 1;

	if (written(visit, MSR_KVM_STEAL_TIME, &value) && value && !(value & KVM_MSR_ENABLED))
		overwrite(visit, value & KVM_STEAL_VALID_BITS, &steal, sizeof(steal));
}

/* Where the vCPU's area was when it wrote 0 to the MSR: the fault goes on writing there. */
static u64 left_behind[256];
static unsigned int left_in; /* fault_selections at that time: a later selection ends it */

static void steal_left(struct visit *visit)
{
	visit->kept = steal_gpa(visit->vcpu);
}

static void steal_stopped(struct visit *visit)
{
	u64 value;

	if (!written(visit, MSR_KVM_STEAL_TIME, &value))
		return;
	left_behind[(u8)visit->vcpu->vcpu_id] = value ? 0 : visit->kept;
	left_in = fault_selections;
}

static void steal_goes_on(struct visit *visit)
{
	u64 gpa = left_behind[(u8)visit->vcpu->vcpu_id];
	u32 version;

	if (!gpa || left_in != fault_selections)
		return;
	gpa += offsetof(struct kvm_steal_time, version);
	if (!guest_read(visit->vcpu, gpa, &version, sizeof(version)))
		return;
	version += 2;
	overwrite(visit, gpa, &version, sizeof(version));
}

static bool eoi_offered(struct visit *visit)
{
	return test_bit(KVM_APIC_PV_EOI_PENDING, &visit->vcpu->arch.apic_attention);
}

/* Sets the bit again: KVM sees no EOI, as if the guest had not cleared it. */
static void eoi_not_taken(struct visit *visit)
{
	u8 set = 1;

	if (eoi_offered(visit) && eoi_gpa(visit->vcpu))
		overwrite(visit, eoi_gpa(visit->vcpu), &set, 1);
}

/* Hides from KVM that PV EOI is enabled. */
static void eoi_hide(struct visit *visit)
{
	visit->kept = visit->vcpu->arch.pv_eoi.msr_val;
	visit->vcpu->arch.pv_eoi.msr_val = 0;
}

static void eoi_show(struct visit *visit)
{
	visit->vcpu->arch.pv_eoi.msr_val = visit->kept;
	if (visit->kept)
		fault_hit();
}

/* Sets the bit although KVM needs a real EOI. */
static void eoi_always(struct visit *visit)
{
	u8 set = 1;

	if (eoi_gpa(visit->vcpu) && !eoi_offered(visit))
		overwrite(visit, eoi_gpa(visit->vcpu), &set, 1);
}

static void eoi_word(struct visit *visit)
{
	u32 set = 1;

	if (eoi_offered(visit) && eoi_gpa(visit->vcpu))
		overwrite(visit, eoi_gpa(visit->vcpu), &set, sizeof(set));
}

static void clock_odd(struct visit *visit)
{
	if (clock_gpa(visit->vcpu))
		odd_version(visit, clock_gpa(visit->vcpu));
}

static void clock_unstable(struct visit *visit)
{
	u64 gpa = clock_gpa(visit->vcpu);
	u8 flags = 0;

	if (gpa && updated(visit->vcpu, gpa))
		overwrite(visit, gpa + offsetof(struct pvclock_vcpu_time_info, flags), &flags, 1);
}

static void clock_too_long(struct visit *visit)
{
	u64 gpa = clock_gpa(visit->vcpu);
	u32 zero = 0;

	if (gpa && updated(visit->vcpu, gpa))
		overwrite(visit, gpa + sizeof(struct pvclock_vcpu_time_info), &zero, sizeof(zero));
}

/* The clock runs half as fast. */
static void clock_slow(struct visit *visit)
{
	u64 gpa = clock_gpa(visit->vcpu);
	u64 at = gpa + offsetof(struct pvclock_vcpu_time_info, tsc_to_system_mul);
	u32 mul;

	if (!gpa || !updated(visit->vcpu, gpa) || !guest_read(visit->vcpu, at, &mul, sizeof(mul)))
		return;
	mul /= 2;
	overwrite(visit, at, &mul, sizeof(mul));
}

static void clock_disabled(struct visit *visit)
{
	u32 version = 2;
	u64 value;

	if ((written(visit, MSR_KVM_SYSTEM_TIME_NEW, &value) ||
	     written(visit, MSR_KVM_SYSTEM_TIME, &value)) &&
	    value && !(value & KVM_MSR_ENABLED))
		overwrite(visit, value, &version, sizeof(version));
}

static bool wall_written(struct visit *visit, u64 *gpa)
{
	return written(visit, MSR_KVM_WALL_CLOCK_NEW, gpa) ||
	       written(visit, MSR_KVM_WALL_CLOCK, gpa);
}

static void wall_odd(struct visit *visit)
{
	u64 gpa;

	if (wall_written(visit, &gpa) && gpa)
		odd_version(visit, gpa);
}

static void wall_wanders(struct visit *visit)
{
	static u32 moved;
	u64 gpa;
	u32 sec;

	if (!wall_written(visit, &gpa) || !gpa ||
	    !guest_read(visit->vcpu, gpa + offsetof(struct pvclock_wall_clock, sec), &sec,
			sizeof(sec)))
		return;
	sec += moved += 10;
	overwrite(visit, gpa + offsetof(struct pvclock_wall_clock, sec), &sec, sizeof(sec));
}

const struct fault memory_faults[] = {
	{"steal-version-odd", POINT_ENTER, .before = steal_odd},
	{"steal-flags-written", POINT_ENTER, .before = steal_flags},
	{"steal-from-0", POINT_ENTER, .before = steal_from_0},
	{"steal-preempted", POINT_ENTER, .before = steal_preempted},
	{"steal-disabled", POINT_WRMSR, .after = steal_disabled},
	{"steal-goes-on", POINT_WRMSR, .before = steal_left, .after = steal_stopped},
	{"steal-goes-on", POINT_ENTER, .before = steal_goes_on},
	{"eoi-not-taken", POINT_EOI_TAKE, .before = eoi_not_taken},
	{"eoi-never-offered", POINT_EOI_OFFER, .before = eoi_hide, .after = eoi_show},
	{"eoi-always-offered", POINT_EOI_OFFER, .after = eoi_always},
	{"eoi-whole-word", POINT_EOI_OFFER, .after = eoi_word},
	{"clock-version-odd", POINT_ENTER, .before = clock_odd},
	{"clock-unstable", POINT_ENTER, .before = clock_unstable},
	{"clock-too-long", POINT_ENTER, .before = clock_too_long},
	{"clock-slow", POINT_ENTER, .before = clock_slow},
	{"clock-disabled", POINT_WRMSR, .after = clock_disabled},
	{"wall-version-odd", POINT_WRMSR, .after = wall_odd},
	{"wall-wanders", POINT_WRMSR, .after = wall_wanders},
	{},
};
