/* SPDX-License-Identifier: MIT */
/* The counts that every halting backend keeps of HLTs and kicks, among them Linux's pv_kick_wake
 * and pv_latency_wake (kernel/locking/qspinlock_stat.h). */
#ifndef PVSPIN_PORT_COMMON_PV_COUNT_H
#define PVSPIN_PORT_COMMON_PV_COUNT_H

#include "locks/core/stats.h"
#include "locks/core/trace.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdint.h>

/* The kicker calls this with its own stats before it kicks; the woken CPU measures from here. */
static inline void pv_note_kick(struct lock_stats *stats, uint32_t cpu, uint64_t now)
{
	trace_add(stats, TRACE_KICK, cpu);
	atomic_store_explicit(&port_stats(cpu)->kicked_at, now, memory_order_relaxed);
}

/* A CPU that halted at `start` calls this with its own stats when it is awake. */
static inline void pv_count_halt(struct lock_stats *stats, uint64_t start)
{
	uint64_t now = port_cycles();
	uint64_t kicked_at = atomic_exchange_explicit(&stats->kicked_at, 0, memory_order_relaxed);

	trace_look(stats); /* since the kick it may have waited for a CPU of the host */
	trace_add(stats, TRACE_WAKE, 0);
	lock_count(stats, EV_HALTS);
	stats->count[EV_HALT_CYCLES] += now - start;
	/* an old kick, remembered by the latch, did not end a sleep */
	if (kicked_at < start || now < kicked_at)
		return;
	lock_count(stats, EV_PV_KICK_WAKE);
	stats->count[EV_PV_LATENCY_WAKE] += now - kicked_at;
}

#endif
