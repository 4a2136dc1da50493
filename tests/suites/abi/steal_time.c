/* SPDX-License-Identifier: MIT */
/*
 * Steal time as a measure: which time counts, and the `preempted` byte. Reads the areas that the
 * guest has enabled on every CPU (kernel/smp.c). The guest cannot know how busy the host is, unless
 * the launcher said that the host is its own L1 with two CPUs (accel nested). Linux
 * Documentation/virt/kvm/x86/msr.rst (MSR_KVM_STEAL_TIME), arch/x86/kvm/x86.c (record_steal_time,
 * kvm_steal_time_set_preempted).
 */
#include "kernel/cpu.h"
#include "kernel/machine.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/timer.h"
#include "kernel/tsc.h"
#include "lib/steal.h"
#include "lib/string.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/pv_msrs.h"
#include "tests/suites/abi/scene.h"

#define STEAL_NEEDS .features = KVM_FEATURE_STEAL_TIME

#define PREEMPTED 0x1u /* a bit of the byte: KVM_VCPU_PREEMPTED */
#define FLUSH_TLB 0x2u /* KVM_VCPU_FLUSH_TLB; arch/x86/include/uapi/asm/kvm_para.h */

#define MS          1000000ull
#define HALT_NS     (200 * MS)
#define SLACK_NS    (5 * MS) /* between the clocks of guest and host */
#define SPIN_NS     (1000 * MS)
#define NESTED_LOSS (100 * MS) /* least loss of all vCPUs under nested (4 on 2 CPUs: 2000) */
#define QUIET_NS    (50 * MS)
#define QUIET_TRIES 40

static uint64_t steal_of(uint32_t cpu)
{
	return atomic_load_explicit(&smp_steal(cpu)->steal, memory_order_relaxed);
}

static uint8_t preempted_of(uint32_t cpu)
{
	return atomic_load_explicit(&smp_steal(cpu)->preempted, memory_order_relaxed);
}

/* ABI-STEAL-07: steal time never decreases and does not count a HLT: of a sleep of 200 ms, only the
 * time beyond 200 ms can have been stolen. */
static void halt_is_not_steal(struct test_result *result)
{
	uint64_t start = rdtsc(), before = steal_of(0), last, elapsed;

	timer_sleep(HALT_NS);
	last = steal_of(0);
	elapsed = tsc_to_ns(rdtsc() - start);
	if (last < before)
		test_fail(result, "steal went from %lu to %lu ns", before, last);
	else if (last - before > elapsed - HALT_NS + SLACK_NS)
		test_fail(result, "%lu us were stolen by %lu us, %llu of them in HLT",
			  (last - before) / 1000, elapsed / 1000, HALT_NS / 1000);
	test_info(result, "%lu us stolen by %lu us", (last - before) / 1000, elapsed / 1000);
}
ABI_CLAUSE(halt_is_not_steal, "ABI-STEAL-07", "abi.steal.halt_is_not_counted", ABI_KVM, STEAL_NEEDS,
	   .conditions = ABI_HLT_EXITS);

/* Observations of all vCPUs while all of them spin. */
static struct {
	_Atomic uint64_t stolen;           /* ns, sum of all CPUs */
	_Atomic uint32_t shrank;           /* CPUs whose steal time went back */
	_Atomic uint32_t own;              /* looks at the CPU's own byte: not 0 */
	_Atomic uint32_t strange;          /* looks at another's byte: neither 0 nor PREEMPTED */
	_Atomic uint32_t looks, preempted; /* looks at another's byte: all; PREEMPTED */
} spin;

static void look(uint32_t self, uint32_t other)
{
	uint8_t byte = preempted_of(other);

	if (other == self) {
		if (byte != 0)
			atomic_fetch_add(&spin.own, 1);
		return;
	}
	atomic_fetch_add(&spin.looks, 1);
	if (byte & ~PREEMPTED)
		atomic_fetch_add(&spin.strange, 1);
	else if (byte == PREEMPTED)
		atomic_fetch_add(&spin.preempted, 1);
}

static void spin_and_look(void *unused)
{
	uint32_t self = this_cpu()->index, other = 0;
	uint64_t before = steal_of(self), last = before, start = rdtsc(), now;

	(void)unused;
	while (tsc_to_ns(rdtsc() - start) < SPIN_NS) {
		look(self, other);
		other = (other + 1) % machine.online;
		now = steal_of(self);
		if (now < last)
			atomic_fetch_add(&spin.shrank, 1);
		last = now;
	}
	atomic_fetch_add(&spin.stolen, last - before);
}

static void all_spin(void)
{
	memset(&spin, 0, sizeof(spin));
	smp_run_on(machine.online, spin_and_look, NULL);
}

/* Whether the host is known to have fewer CPUs than the VM. Only of L1 is that known
 * (tools/nested). */
static bool overcommitted(void)
{
	return abi_is_nested();
}

/* ABI-STEAL-08: steal time grows while vCPUs wait for CPUs of the host. */
static void grows(struct test_result *result)
{
	uint64_t stolen;

	all_spin();
	stolen = atomic_load(&spin.stolen);
	test_info(result, "%lu ms stolen from %u spinning vCPUs in %llu ms", stolen / 1000000,
		  machine.online, SPIN_NS / 1000000);
	if (atomic_load(&spin.shrank) != 0)
		test_fail(result, "steal went back");
	else if (stolen >= NESTED_LOSS)
		return;
	else if (overcommitted())
		test_fail(result, "%u vCPUs spin on 2 CPUs, and only %lu us were stolen",
			  machine.online, stolen / 1000);
	else
		test_skip(result, "the host is not overcommitted: %lu us stolen in %llu ms",
			  stolen / 1000, SPIN_NS / 1000000);
}
ABI_CLAUSE(grows, "ABI-STEAL-08", "abi.steal.grows_under_overcommit", ABI_KVM, STEAL_NEEDS,
	   .vcpus = 4);

/* ABI-STEAL-09: `preempted` is 0 while the vCPU runs, so the vCPU itself always reads 0; bit 0 is
 * set while it is runnable but has no CPU of the host. Since Linux 5.19 (6cd88243c7e0) KVM sets it
 * only if the vCPU was preempted at an instruction boundary, that is, by an interrupt of the host;
 * a vCPU that loses its CPU in a PAUSE exit or a hypercall keeps 0. */
static void preempted_is_shown(struct test_result *result)
{
	uint32_t looks, seen;

	all_spin();
	looks = atomic_load(&spin.looks);
	seen = atomic_load(&spin.preempted);
	test_info(result, "preempted in %u of %u looks at others", seen, looks);
	if (atomic_load(&spin.own) != 0)
		test_fail(result, "a running vCPU's own byte was not 0, %u times",
			  atomic_load(&spin.own));
	if (atomic_load(&spin.strange) != 0)
		test_fail(result, "another vCPU's byte was neither 0 nor %u, %u times", PREEMPTED,
			  atomic_load(&spin.strange));
	if (seen == 0 && overcommitted())
		test_fail(result, "%u vCPUs spin on 2 CPUs, and none was seen preempted",
			  machine.online);
	else if (seen == 0)
		test_skip(result, "the host is not overcommitted: none seen preempted in %u looks",
			  looks);
}
ABI_CLAUSE(preempted_is_shown, "ABI-STEAL-09", "abi.steal.preempted_is_shown", ABI_KVM, STEAL_NEEDS,
	   .vcpus = 4);

/* True if CPU 1's byte was `byte` at every look during QUIET_NS. */
static bool stays(uint8_t byte)
{
	uint64_t start = rdtsc(), bound = tsc_from_ns(QUIET_NS);

	do {
		if (preempted_of(1) != byte)
			return false;
		cpu_relax();
	} while (rdtsc() - start < bound);
	return true;
}

/* CPU 1 has nothing to do, so it halts as soon as it has a CPU. Waits until its byte stays `byte`;
 * false if it does not. */
static bool settles(uint8_t byte)
{
	for (int i = 0; i < QUIET_TRIES; i++)
		if (stays(byte))
			return true;
	return false;
}

/* ABI-STEAL-10: a halted vCPU is not preempted: its byte is 0. Before Linux 5.19 (54aa83c90198) KVM
 * set it whenever the vCPU left its CPU. */
static void halted_is_not_preempted(struct test_result *result)
{
	uint32_t kernel = abi_plan->vmm.kernel;

	if (settles(0))
		test_info(result, "0, as since Linux 5.19");
	else if (preempted_of(1) == PREEMPTED && (kernel == 0 || kernel < 5019))
		test_info(result, "1, as before Linux 5.19");
	else
		test_fail(result, "a halted vCPU's byte is %#x, expected 0", preempted_of(1));
}
ABI_CLAUSE(halted_is_not_preempted, "ABI-STEAL-10", "abi.steal.halted_is_not_preempted", ABI_INFO,
	   STEAL_NEEDS, .conditions = ABI_HLT_EXITS, .vcpus = 2);

static uint8_t byte_at_wake;

static void read_own_byte(void *unused)
{
	(void)unused;
	if (this_cpu()->index == 1)
		byte_at_wake = preempted_of(1);
}

/* ABI-STEAL-11: by setting bit 1 in the byte of a vCPU that is off its CPU, another vCPU asks for a
 * TLB flush. KVM flushes and clears the bit when it enters that vCPU. (The test does not look for
 * stale TLB entries, because not every host could fail that.) */
static void flush_is_cleared(struct test_result *result)
{
	struct steal_area *area = smp_steal(1);
	uint8_t before;

	if (!settles(0) && !settles(PREEMPTED)) {
		before = preempted_of(1);
		if (settles(before))
			test_fail(result, "a halted vCPU's byte is %#x, expected 0 or %u", before,
				  PREEMPTED);
		else
			test_error(result, "CPU 1 does not halt");
		return;
	}
	before = atomic_fetch_or_explicit(&area->preempted, FLUSH_TLB, memory_order_acq_rel);
	if (!stays(before | FLUSH_TLB))
		test_info(result, "cleared within %llu ms, by a spurious wake-up",
			  QUIET_NS / 1000000);
	smp_run_on(2, read_own_byte, NULL);
	if (byte_at_wake != 0)
		test_fail(result, "the byte was %#x, and after the vCPU was woken %#x; expected 0",
			  before | FLUSH_TLB, byte_at_wake);
	atomic_fetch_and_explicit(&area->preempted, (uint8_t)~FLUSH_TLB, memory_order_acq_rel);
}
ABI_CLAUSE(flush_is_cleared, "ABI-STEAL-11", "abi.steal.flush_request_is_taken", ABI_KVM,
	   .features = KVM_FEATURE_STEAL_TIME | KVM_FEATURE_PV_TLB_FLUSH,
	   .conditions = ABI_HLT_EXITS, .vcpus = 2);
