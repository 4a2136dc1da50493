/* SPDX-License-Identifier: MIT */
/*
 * The parts of the pv backend that are independent of halts and kicks: directed yields, preempted
 * flags, notices of long spins. They must work with and without PV_UNHALT, so run these tests with
 * nopvspin, --pv=off and --pv=hyperv, too. Linux Documentation/virt/kvm/x86/{hypercalls,msr}.rst
 */
#include "locks/core/pv.h"
#include "kernel/hyperv.h"
#include "kernel/kvm.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "locks/core/stats.h"
#include "port/port.h"
#include "tests/suites/tap.h"

#define YIELDS 16

/* A yield is one hypercall where PV_SCHED_YIELD is offered, and nothing where it is not. */
static void yields_are_issued_and_counted(struct test_result *result)
{
	bool offered = machine.kvm.present && !hyperv_in_use() &&
		       (machine.kvm.features & KVM_FEATURE_PV_SCHED_YIELD);
	uint64_t expected = offered ? YIELDS : 0;
	uint64_t yields = port_my_stats()->count[EV_YIELDS];
	uint64_t hypercalls = this_cpu()->hypercalls;

	for (uint32_t i = 0; i < YIELDS; i++)
		pv_yield_to(i % port_cpu_count());
	yields = port_my_stats()->count[EV_YIELDS] - yields;
	hypercalls = this_cpu()->hypercalls - hypercalls;
	if (pv_backend->yields != offered)
		test_fail(result, "PV_SCHED_YIELD is %soffered, but the backend's `yields` is %d",
			  offered ? "" : "not ", pv_backend->yields);
	if (yields != expected || hypercalls != expected)
		test_fail(result, "%d yields: %lu counted, %lu hypercalls, expected %lu", YIELDS,
			  yields, hypercalls, expected);
}
TEST_REGISTER(yields_are_issued_and_counted, "PV-YIELD-01", "pv.yield.issued_where_offered");

/* A notice of a long spin is one hypercall where Hyper-V's are in use, and nothing elsewhere. */
static void long_spins_are_notified_and_counted(struct test_result *result)
{
	uint64_t expected = hyperv_in_use() ? YIELDS : 0;
	uint64_t notices = port_my_stats()->count[EV_LONG_SPINS];
	uint64_t hypercalls = this_cpu()->hypercalls;

	for (uint32_t i = 0; i < YIELDS; i++)
		pv_long_spin(i);
	notices = port_my_stats()->count[EV_LONG_SPINS] - notices;
	hypercalls = this_cpu()->hypercalls - hypercalls;
	if ((pv_backend->long_spin_polls != 0) != hyperv_in_use())
		test_fail(result, "Hyper-V's hypercalls are %sin use, but a long spin has %u polls",
			  hyperv_in_use() ? "" : "not ", pv_backend->long_spin_polls);
	if (notices != expected || hypercalls != expected)
		test_fail(result, "%d notices: %lu counted, %lu hypercalls, expected %lu", YIELDS,
			  notices, hypercalls, expected);
}
TEST_REGISTER(long_spins_are_notified_and_counted, "PV-LONG-SPIN-01",
	      "pv.long_spin.notified_where_in_use");

/* The flag is a byte of the vCPU's steal-time page. KVM sets it when it takes the CPU from a vCPU
 * that works, not from one that idles in HLT (Linux 6cd88243c7e0). So the test itself writes it,
 * while CPU 1 idles. */
static void preempted_flags_are_read(struct test_result *result)
{
	struct steal_area *area;
	bool before, flagged;

	if (port_cpu_count() < 2) {
		test_skip(result, "needs 2 vCPUs, has 1");
		return;
	}
	area = smp_steal(1);
	before = pv_preempted(1);
	atomic_store_explicit(&area->preempted, 1, memory_order_relaxed);
	flagged = pv_preempted(1);
	atomic_store_explicit(&area->preempted, 0, memory_order_relaxed);
	if (before || !flagged || pv_preempted(1))
		test_fail(result, "flag of vCPU 1: %d, set: %d, cleared: %d", before, flagged,
			  pv_preempted(1));
	if (pv_preempted(0))
		test_fail(result, "the vCPU that runs this test is flagged");
}
TEST_REGISTER(preempted_flags_are_read, "PV-PREEMPTED-01", "pv.preempted.flag_is_read");
