/* SPDX-License-Identifier: MIT */
/* A hang on the simulated host: the guest's records (port/guest/hang.c), without backtraces, with
 * what the scheduler did last. A deadlock is a hang that the engine has found. */
#include "port/hang.h"

#include "lib/log.h"
#include "lib/record.h"
#include "locks/core/lock.h"
#include "locks/core/pv.h"
#include "locks/core/stats.h"
#include "port/port.h"
#include "port/sim/seam.h"

#define HISTORY_LINES 32

static void record_hang(const struct hang *hang)
{
	char state[256];
	struct record record;

	record_begin(&record, "hang");
	record_string(&record, "what",
		      sim_deadlocked()
			      ? "deadlock: each vCPU is halted, or polls what nobody can write"
			      : hang->what);
	if (hang->ops) {
		hang->ops->describe(hang->lock, state, sizeof(state));
		record_string(&record, "lock", hang->ops->name);
		record_string(&record, "lock_state", state);
		record_signed(&record, "holder", (int64_t)hang->owner - 1);
		record_number(&record, "threads", hang->threads);
	}
	record_number(&record, "bound_ms", hang->bound_ns / 1000000);
	record_string(&record, "pv_backend", pv_backend->name);
	record_open_array(&record, "history");
	for (uint32_t i = 0; i < HISTORY_LINES && sim_history(i, state, sizeof(state)); i++)
		record_string(&record, NULL, state);
	record_close_array(&record);
	record_end(&record);
}

static void record_cpu(const struct hang *hang, uint32_t cpu, uint64_t now)
{
	const struct lock_stats *stats = port_stats(cpu);
	uint64_t kicked_at = atomic_load_explicit(&stats->kicked_at, memory_order_relaxed);
	struct record record;

	record_begin(&record, "hang_cpu");
	record_number(&record, "cpu", cpu);
	if (hang->ops)
		record_string(&record, "state", cpu < hang->threads ? hang->state(cpu) : "idle");
	record_bool(&record, "halted", atomic_load_explicit(&stats->halted, memory_order_relaxed));
	record_bool(&record, "answered", true);
	if (kicked_at != 0)
		record_number(&record, "kicked_us_ago", port_cycles_to_ns(now - kicked_at) / 1000);
	record_end(&record);
}

void port_report_hang(const struct hang *hang)
{
	uint64_t now = port_cycles();

	record_hang(hang);
	for (uint32_t i = 0; i < port_cpu_count(); i++)
		record_cpu(hang, i, now);
	log_flush();
}

/* What a time bound would find is found at once, as a deadlock; it is told by the same words. */
void port_watch(const char *what, uint64_t ns, void (*report)(void))
{
	(void)what;
	(void)ns;
	sim_watch(report);
}

void port_watch_over(void)
{
	sim_watch(NULL);
}

void port_abort(void)
{
	log_flush();
	sim_end(5);
}
