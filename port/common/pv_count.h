/* SPDX-License-Identifier: MIT */
/* What every halting backend does around a HLT, a kick and a directed yield: trace and counts,
 * among them Linux's pv_kick_wake and pv_latency_wake (kernel/locking/qspinlock_stat.h). */
#ifndef PVSPIN_PORT_COMMON_PV_COUNT_H
#define PVSPIN_PORT_COMMON_PV_COUNT_H

#include "locks/core/stats.h"
#include "locks/core/trace.h"
#include "port/port.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* acquire: pairs with the locks' stores to the awaited word */
static inline bool pv_unchanged(const _Atomic uint8_t *word, uint8_t seen)
{
	return atomic_load_explicit(word, memory_order_acquire) == seen;
}

/* Kicks by send(cpu). The woken CPU measures its latency from the time noted before. */
static inline void pv_send_kick(uint32_t cpu, void (*send)(uint32_t cpu))
{
	struct lock_stats *stats = port_my_stats();
	uint64_t start = port_cycles();

	trace_add(stats, TRACE_KICK, cpu);
	atomic_store_explicit(&port_stats(cpu)->kicked_at, start, memory_order_relaxed);
	send(cpu);
	lock_count(stats, EV_KICKS);
	stats->count[EV_KICK_CYCLES] += port_cycles() - start;
}

static inline void pv_send_yield(uint32_t cpu, void (*send)(uint32_t cpu))
{
	struct lock_stats *stats = port_my_stats();

	trace_add(stats, TRACE_YIELD, cpu);
	send(cpu);
	lock_count(stats, EV_YIELDS);
}

/* Yields to any CPU by send(polls). In the trace that is a yield to the caller itself. */
static inline void pv_send_long_spin(uint32_t polls, void (*send)(uint32_t polls))
{
	struct lock_stats *stats = port_my_stats();

	trace_add(stats, TRACE_YIELD, port_cpu());
	send(polls);
	lock_count(stats, EV_YIELDS);
	lock_count(stats, EV_LONG_SPINS);
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

/* Calls sleep(how) unless the word has changed; `how` is the backend's own. From the look at the
 * word on, the backend must not lose a kick. An interrupt's handler may wait inside this wait. */
static inline void pv_halt(const _Atomic uint8_t *word, uint8_t seen, uint32_t how,
			   void (*sleep)(uint32_t how))
{
	struct lock_stats *stats = port_my_stats();
	uint64_t start;
	bool outer; /* whether a wait that this one interrupted is halted */

	if (!pv_unchanged(word, seen))
		return;
	trace_look(stats);
	trace_add(stats, TRACE_HALT, 0);
	start = port_cycles();
	outer = atomic_load_explicit(&stats->halted, memory_order_relaxed);
	atomic_store_explicit(&stats->halted, true, memory_order_relaxed);
	sleep(how);
	atomic_store_explicit(&stats->halted, outer, memory_order_relaxed);
	pv_count_halt(stats, start);
	if (pv_unchanged(word, seen))
		lock_count(stats, EV_SPURIOUS_WAKEUPS);
}

#endif
