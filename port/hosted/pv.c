/* SPDX-License-Identifier: MIT */
/*
 * Halt and kick for Linux threads: a futex word per CPU that behaves as KVM's pv_unhalted latch. A
 * kick sets it, whether or not its CPU sleeps; a halt consumes it and falls through, or sleeps
 * until it is set. So a kick that comes before the halt is not lost, and an old one makes the next
 * halt return early: the locks see the same spurious wake-ups as in a guest. (Linux arch/x86/kvm:
 * kvm_pv_kick_cpu_op, kvm_emulate_halt.)
 *
 * The latch is set while more kicks have come than were consumed. It is a count, not a flag,
 * because between the look at the word and the sleep a signal handler may wait, too, and consume
 * the kick that was meant for the interrupted wait. So a wait sleeps only if the count is the same
 * as before the look. A guest masks interrupts there instead.
 */
#define _GNU_SOURCE
#include "locks/core/stats.h"
#include "locks/core/trace.h"
#include "port/common/pv_count.h"
#include "port/common/pv_none.h"
#include "port/hosted/hosted.h"
#include "port/port.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

const struct pv_backend *pv_backend = &pv_none;

struct latch {
	_Atomic uint32_t kicks;
	_Atomic uint32_t consumed; /* by the CPU itself, its signal handlers included */
} __attribute__((aligned(CACHE_LINE)));

static struct latch *latches;

void hosted_pv_init(uint32_t cpus)
{
	latches = port_alloc(cpus * sizeof(*latches), CACHE_LINE);
}

static long futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
	return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void hosted_wait(const _Atomic uint8_t *word, uint8_t seen)
{
	struct lock_stats *stats = port_my_stats();
	struct latch *latch = &latches[port_cpu()];
	/* acquire: pairs with the addition in set_latch; before the look at the word */
	uint32_t kicks = atomic_load_explicit(&latch->kicks, memory_order_acquire);
	bool outer; /* whether this is a handler's wait inside another */
	uint64_t start;

	if (!pv_unchanged(word, seen))
		return;
	trace_look(stats);
	trace_add(stats, TRACE_HALT, 0);
	start = port_cycles();
	outer = atomic_exchange_explicit(&stats->halted, true, memory_order_relaxed);
	/* A signal ends the sleep early, as an NMI would end a HLT; the caller loops. */
	if (kicks == atomic_load_explicit(&latch->consumed, memory_order_relaxed))
		futex(&latch->kicks, FUTEX_WAIT, kicks);
	/* acquire: as above */
	kicks = atomic_load_explicit(&latch->kicks, memory_order_acquire);
	atomic_store_explicit(&latch->consumed, kicks, memory_order_relaxed);
	atomic_store_explicit(&stats->halted, outer, memory_order_relaxed);
	pv_count_halt(stats, start);
	if (pv_unchanged(word, seen))
		lock_count(stats, EV_SPURIOUS_WAKEUPS);
}

static void set_latch(uint32_t cpu)
{
	/* release: pairs with the loads in hosted_wait */
	atomic_fetch_add_explicit(&latches[cpu].kicks, 1, memory_order_acq_rel);
	futex(&latches[cpu].kicks, FUTEX_WAKE, 1);
}

static void hosted_kick(uint32_t cpu)
{
	pv_send_kick(cpu, set_latch);
}

/* Linux has no directed yield for threads; the caller's slice goes to any other thread. */
static void yield_to_any(uint32_t cpu)
{
	(void)cpu;
	sched_yield();
}

static void hosted_yield_to(uint32_t cpu)
{
	pv_send_yield(cpu, yield_to_any);
}

const struct pv_backend pv_hosted = {
	.name = "hosted",
	.halts = true,
	.yields = true,
	.wait = hosted_wait,
	.kick = hosted_kick,
	.yield_to = hosted_yield_to,
	.preempted = pv_page_preempted,
};
