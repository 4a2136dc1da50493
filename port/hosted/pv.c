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

/* acquire: pairs with the addition in set_latch */
static uint32_t kicks_so_far(const struct latch *latch)
{
	return atomic_load_explicit(&latch->kicks, memory_order_acquire);
}

/* Sleeps unless a kick is left over or has come since there were `kicks`. A signal ends the sleep
 * early, as an NMI would end a HLT; the caller loops. */
static void sleep_on_latch(uint32_t kicks)
{
	struct latch *latch = &latches[port_cpu()];

	if (kicks == atomic_load_explicit(&latch->consumed, memory_order_relaxed))
		futex(&latch->kicks, FUTEX_WAIT, kicks);
	atomic_store_explicit(&latch->consumed, kicks_so_far(latch), memory_order_relaxed);
}

static void hosted_wait(const _Atomic uint8_t *word, uint8_t seen)
{
	/* counts the kicks before the look at the word */
	pv_halt(word, seen, kicks_so_far(&latches[port_cpu()]), sleep_on_latch);
}

static void set_latch(uint32_t cpu)
{
	/* release: pairs with the load in kicks_so_far */
	atomic_fetch_add_explicit(&latches[cpu].kicks, 1, memory_order_acq_rel);
	futex(&latches[cpu].kicks, FUTEX_WAKE, 1);
}

static void hosted_kick(uint32_t cpu)
{
	pv_send_kick(cpu, set_latch);
}

/* Linux has no directed yield for threads; the caller's slice goes to any other thread. */
static void yield_to_any(uint32_t ignored)
{
	(void)ignored;
	sched_yield();
}

static void hosted_yield_to(uint32_t cpu)
{
	pv_send_yield(cpu, yield_to_any);
}

static void hosted_long_spin(uint32_t polls)
{
	pv_send_long_spin(polls, yield_to_any);
}

const struct pv_backend pv_hosted = {
	.name = "hosted",
	.halts = true,
	.yields = true,
	.long_spin_polls = PV_USUAL_LONG_SPIN,
	.wait = hosted_wait,
	.kick = hosted_kick,
	.yield_to = hosted_yield_to,
	.long_spin = hosted_long_spin,
	.preempted = pv_page_preempted,
};
