/* SPDX-License-Identifier: MIT */
/*
 * Halt and kick for Linux threads: a futex word per CPU that behaves as KVM's pv_unhalted latch. A
 * kick sets it, whether or not its CPU sleeps; a halt consumes it and falls through, or sleeps
 * until it is set. So a kick that comes before the halt is not lost, and an old one makes the next
 * halt return early: the locks meet the same spurious wake-ups here as in a guest. (Linux
 * arch/x86/kvm: kvm_pv_kick_cpu_op, kvm_emulate_halt.)
 */
#define _GNU_SOURCE
#include "port/hosted.h"
#include "port/port.h"
#include "port/pv_count.h"
#include "port/pv_none.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

const struct pv_backend *pv_backend = &pv_none;

struct latch {
	_Atomic uint32_t kicked;
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

/* acquire: pairs with the locks' stores to the awaited word */
static bool unchanged(const _Atomic uint8_t *word, uint8_t seen)
{
	return atomic_load_explicit(word, memory_order_acquire) == seen;
}

static void hosted_wait(const _Atomic uint8_t *word, uint8_t seen)
{
	struct lock_stats *stats = port_my_stats();
	_Atomic uint32_t *kicked = &latches[port_cpu()].kicked;
	uint64_t start;

	if (!unchanged(word, seen))
		return;
	start = port_cycles();
	atomic_store_explicit(&stats->halted, true, memory_order_relaxed);
	/* acquire: pairs with the exchange in hosted_kick. A signal ends the sleep early, as an NMI
	 * would end HLT; the caller loops. */
	if (!atomic_exchange_explicit(kicked, 0, memory_order_acquire)) {
		futex(kicked, FUTEX_WAIT, 0);
		atomic_exchange_explicit(kicked, 0, memory_order_acquire);
	}
	atomic_store_explicit(&stats->halted, false, memory_order_relaxed);
	pv_count_halt(stats, start);
	if (unchanged(word, seen))
		lock_count(stats, EV_SPURIOUS_WAKEUPS);
}

static void hosted_kick(uint32_t cpu)
{
	struct lock_stats *stats = port_my_stats();
	uint64_t start = port_cycles();

	pv_note_kick(cpu, start);
	/* release: pairs with the exchanges in hosted_wait */
	atomic_exchange_explicit(&latches[cpu].kicked, 1, memory_order_acq_rel);
	futex(&latches[cpu].kicked, FUTEX_WAKE, 1);
	lock_count(stats, EV_KICKS);
	stats->count[EV_KICK_CYCLES] += port_cycles() - start;
}

/* Linux has no directed yield for threads; the caller's slice goes to whoever is next. */
static void hosted_yield_to(uint32_t cpu)
{
	(void)cpu;
	sched_yield();
	lock_count(port_my_stats(), EV_YIELDS);
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
