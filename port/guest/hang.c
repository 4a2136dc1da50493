/* SPDX-License-Identifier: MIT */
/*
 * Finds out by NMI where every vCPU stands: an NMI reaches it with interrupts masked and in HLT,
 * too. The vCPU is then stopped for good, because the NMI ends the HLT of a waiter that lost its
 * wake-up, and the waiter would go on as if nothing had happened.
 */
#include "port/hang.h"
#include "locks/core/lock.h"
#include "locks/core/stats.h"

#include "kernel/backtrace.h"
#include "kernel/cpu.h"
#include "kernel/exit.h"
#include "kernel/layout.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/traps.h"
#include "kernel/tsc.h"
#include "kernel/watchdog.h"
#include "lib/log.h"
#include "lib/record.h"
#include "locks/core/pv.h"
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
		stand->count = backtrace_take(frame->rip, frame->rbp, stand->address);
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

/* For CPU 0 itself, takes the frame of the interrupt that called. */
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

static void record_hang(const struct hang *hang, const char *state)
{
	struct record record;

	record_begin(&record, "hang");
	record_string(&record, "what", hang->what);
	if (hang->ops) {
		record_string(&record, "lock", hang->ops->name);
		record_string(&record, "lock_state", state);
		record_signed(&record, "holder", (int64_t)hang->owner - 1);
		record_number(&record, "threads", hang->threads);
	}
	record_number(&record, "bound_ms", hang->bound_ns / 1000000);
	record_string(&record, "pv_backend", pv_backend->name);
	record_end(&record);
}

static void record_cpu(const struct hang *hang, uint32_t cpu, uint64_t now, bool halted,
		       uint64_t kicked_at)
{
	const struct stand *stand = &stands[cpu];
	/* pairs with the release in take_stand */
	bool taken = atomic_load_explicit(&stand->taken, memory_order_acquire);
	struct record record;

	record_begin(&record, "hang_cpu");
	record_number(&record, "cpu", cpu);
	if (hang->ops)
		record_string(&record, "state", cpu < hang->threads ? hang->state(cpu) : "idle");
	record_bool(&record, "halted", halted);
	record_bool(&record, "answered", taken);
	if (kicked_at != 0)
		record_number(&record, "kicked_us_ago", tsc_to_ns(now - kicked_at) / 1000);
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
	bool *halted = port_alloc(count * sizeof(halted[0]), 1);
	uint64_t *kicked_at = port_alloc(count * sizeof(kicked_at[0]), sizeof(kicked_at[0]));
	char state[256];

	watchdog_start(REPORT_BOUND_NS, report_hangs, NULL);
	/* before the NMIs disturb the CPUs */
	if (hang->ops)
		hang->ops->describe(hang->lock, state, sizeof(state));
	for (uint32_t i = 0; i < count; i++) {
		halted[i] = atomic_load_explicit(&port_stats(i)->halted, memory_order_relaxed);
		kicked_at[i] =
			atomic_load_explicit(&port_stats(i)->kicked_at, memory_order_relaxed);
	}
	stop_all();
	record_hang(hang, state);
	for (uint32_t i = 0; i < count; i++)
		record_cpu(hang, i, now, halted[i], kicked_at[i]);
	log_flush();
}

void port_abort(void)
{
	log_flush();
	exit_guest(DEBUG_EXIT_PANIC);
}
