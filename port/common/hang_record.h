/* SPDX-License-Identifier: MIT */
/* The records of a hang (port/hang.h): what the guest and the simulated guest write alike. */
#ifndef PVSPIN_PORT_COMMON_HANG_RECORD_H
#define PVSPIN_PORT_COMMON_HANG_RECORD_H

#include "lib/record.h"
#include "locks/core/lock.h"
#include "locks/core/pv.h"
#include "locks/core/stats.h"
#include "port/hang.h"
#include "port/port.h"
#include <stdbool.h>
#include <stdint.h>

/* Begins the record; the caller ends it. `state`: as the lock describes itself. */
static inline void hang_record(struct record *record, const struct hang *hang, const char *what,
			       const char *state)
{
	record_begin(record, "hang");
	record_string(record, "what", what);
	if (hang->ops) {
		record_string(record, "lock", hang->ops->name);
		record_string(record, "lock_state", state);
		record_signed(record, "holder", (int64_t)hang->owner - 1);
		record_number(record, "threads", hang->threads);
	}
	record_number(record, "bound_ms", hang->bound_ns / 1000000);
	record_string(record, "pv_backend", pv_backend->name);
}

/* What a CPU's statistics said at the time `now`. */
struct hang_stats {
	bool halted;
	uint64_t kicked_at; /* 0: not kicked since it woke */
};

static inline struct hang_stats hang_stats(uint32_t cpu)
{
	const struct lock_stats *stats = port_stats(cpu);

	return (struct hang_stats){
		.halted = atomic_load_explicit(&stats->halted, memory_order_relaxed),
		.kicked_at = atomic_load_explicit(&stats->kicked_at, memory_order_relaxed),
	};
}

/* Begins a CPU's record; the caller ends it. `answered`: the CPU has said where it is. */
static inline void hang_record_cpu(struct record *record, const struct hang *hang, uint32_t cpu,
				   struct hang_stats stats, bool answered, uint64_t now)
{
	record_begin(record, "hang_cpu");
	record_number(record, "cpu", cpu);
	if (hang->ops)
		record_string(record, "state", cpu < hang->threads ? hang->state(cpu) : "idle");
	record_bool(record, "halted", stats.halted);
	record_bool(record, "answered", answered);
	if (stats.kicked_at != 0)
		record_number(record, "kicked_us_ago",
			      port_cycles_to_ns(now - stats.kicked_at) / 1000);
}

#endif
