/* SPDX-License-Identifier: MIT */
/*
 * Finds out by NMI where every vCPU stands: an NMI reaches it with interrupts masked and in HLT,
 * too. The vCPU is then stopped for good, because the NMI ends the HLT of a waiter that lost its
 * wake-up, and the waiter would go on as if nothing had happened.
 */
#include "port/hang.h"

#include "kernel/backtrace.h"
#include "kernel/cpu.h"
#include "kernel/exit.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/traps.h"
#include "kernel/tsc.h"
#include "kernel/watchdog.h"
#include "lib/debug_exit.h"
#include "lib/log.h"
#include "port/common/hang_record.h"
#include "port/port.h"
#include <stdatomic.h>

#define ANSWER_BOUND_NS 3000000000ull /* for all CPUs, each of which needs a time slice */
#define REPORT_BOUND_NS 30000000000ull
#define OPCODE_HLT      0xf4

struct stand {
	_Atomic bool taken; /* release: the fields below are complete */
	bool in_hlt;
	bool interrupts;
	size_t count;
	uint64_t address[BACKTRACE_MAX];
};

static struct stand *stands;

static void take_stand(struct stand *stand, const struct trap_frame *frame)
{
	if (frame) {
		stand->in_hlt = *(const uint8_t *)(frame->rip - 1) == OPCODE_HLT;
		stand->interrupts = frame->rflags & RFLAGS_IF;
		stand->count = backtrace_of_trap(frame, stand->address);
	}
	/* pairs with the acquire in record_cpu */
	atomic_store_explicit(&stand->taken, true, memory_order_release);
}

/* Not for CPU 0, which reports: an NMI there is the machine's own. */
static void stop_here(struct trap_frame *frame)
{
	if (this_cpu()->index == 0)
		return;
	take_stand(&stands[this_cpu()->index], frame);
	halt_for_ever();
}

static bool all_taken(void)
{
	for (uint32_t i = 0; i < port_cpu_count(); i++)
		if (!atomic_load_explicit(&stands[i].taken, memory_order_relaxed))
			return false;
	return true;
}

/* Stops the other CPUs and notes where each stands; for CPU 0 that is where the interrupt came. */
static void stop_all(void)
{
	uint64_t start = rdtsc(), bound = tsc_from_ns(ANSWER_BOUND_NS);

	stands = port_alloc(port_cpu_count() * sizeof(stands[0]), CACHE_LINE);
	take_stand(&stands[0], this_cpu()->frame);
	traps_handle(VECTOR_NMI, stop_here);
	smp_nmi_others();
	while (!all_taken() && rdtsc() - start < bound)
		cpu_relax();
}

static void record_cpu(const struct hang *hang, uint32_t cpu, struct hang_stats stats, uint64_t now)
{
	const struct stand *stand = &stands[cpu];
	/* pairs with the release in take_stand */
	bool taken = atomic_load_explicit(&stand->taken, memory_order_acquire);
	struct record record;

	hang_record_cpu(&record, hang, cpu, stats, taken, now);
	if (taken) {
		record_bool(&record, "in_hlt", stand->in_hlt);
		record_bool(&record, "interrupts", stand->interrupts);
		record_open_array(&record, "backtrace");
		for (size_t i = 0; i < stand->count; i++)
			record_hex(&record, NULL, stand->address[i]);
		record_close_array(&record);
	}
	record_end(&record);
}

static void report_hangs(void *unused)
{
	(void)unused;
	port_abort();
}

/* The phase's watchdog may be about to fire, so give the report its own deadline. */
void port_report_hang(const struct hang *hang)
{
	uint64_t now = rdtsc();
	uint32_t count = port_cpu_count();
	struct hang_stats *stats = port_alloc(count * sizeof(stats[0]), CACHE_LINE);
	struct record record;
	char state[256];

	watchdog_start(REPORT_BOUND_NS, report_hangs, NULL);
	/* before the NMIs disturb the CPUs */
	if (hang->ops)
		hang->ops->describe(hang->lock, state, sizeof(state));
	for (uint32_t i = 0; i < count; i++)
		stats[i] = hang_stats(i);
	stop_all();
	hang_record(&record, hang, hang->what, state);
	record_end(&record);
	for (uint32_t i = 0; i < count; i++)
		record_cpu(hang, i, stats[i], now);
	log_flush();
}

void port_abort(void)
{
	log_flush();
	exit_guest(DEBUG_EXIT_PANIC);
}
