/* SPDX-License-Identifier: MIT */
/* The scheduler's parameters: their names and ranges, and Linux's values. */
#include "sim/sched.h"

#define MS 1000000

/* Linux multiplies its times by 1 + ilog2(CPUs), of which it counts at most 8 (kernel/sched/fair.c,
 * get_update_sysctl_factor(), 2.6.33 to now). */
static uint64_t scale(uint32_t cpus)
{
	uint64_t factor = 1;

	for (uint32_t n = cpus < 8 ? cpus : 8; n > 1; n /= 2)
		factor++;
	return factor;
}

void sched_config_default(struct sched_config *config, enum sched_kind kind, uint32_t cpus,
			  uint32_t sockets)
{
	*config = (struct sched_config){
		.kind = kind,
		.cpus = cpus,
		.sockets = sockets,
		.hz = 250, /* kernel/Kconfig.hz, HZ_250: its default */
		/* 4.12, fair.c: sysctl_sched_latency and the two below it */
		.latency_ns = 6 * MS * scale(cpus),
		.granularity_ns = 3 * MS / 4 * scale(cpus),
		.wakeup_granularity_ns = 1 * MS * scale(cpus),
		/* 0.75 ms before 2ae891b82695 (6.15, in stable 6.12) */
		.base_slice_ns = 7 * MS / 10 * scale(cpus),
		.balance = 1,
		.balance_interval_ns = 0,
		/* topology.c, sd_init(): 32 in 4.12, 16 since 5.10 */
		.balance_busy_factor = kind == SCHED_CFS ? 32 : 16,
		.migration_cost_ns = MS / 2, /* sysctl_sched_migration_cost */
		/* 4.12, idle_balance(): migration_cost. 6.12, sched_balance_newidle(): the greatest
		 * cost of balancing so far; no figure of it is published. */
		.newidle_cost_ns = kind == SCHED_CFS ? MS / 2 : MS / 50,
		/* kernel/sched/features.h, 4.12 and 6.12 */
		.wakeup_preemption = 1,
		.next_buddy = 0,
		.last_buddy = 1,
		.gentle_sleepers = 1,
		.run_to_parity = 1,
		.place_lag = 1,
		.delay_dequeue = 1,
		.pick_buddy = 1,     /* 2a77e4be12cb (6.14, in stable 6.12) */
		.yield_forfeits = 1, /* 79104becf42b (6.19, in stable 6.12) */
	};
}

#define KEY(key, field, least, most, meaning)                                   \
	{                                                                       \
		key, offsetof(struct sched_config, field), least, most, meaning \
	}

const struct sched_key sched_keys[] = {
	KEY("hz", hz, 10, 10000, "timer interrupts a second on each CPU"),
	KEY("latency_ns", latency_ns, 1000, 1000 * MS, "cfs: all tasks of a queue run once in it"),
	KEY("granularity_ns", granularity_ns, 1000, 1000 * MS, "cfs: shortest slice"),
	KEY("wakeup_granularity_ns", wakeup_granularity_ns, 0, 1000 * MS,
	    "cfs: lead of the running task that a wake-up needs to preempt it"),
	KEY("base_slice_ns", base_slice_ns, 1000, 1000 * MS, "eevdf: slice of a request"),
	KEY("balance", balance, 0, 1, "move waiting tasks to CPUs with less to do"),
	KEY("balance_interval_ns", balance_interval_ns, 0, 10000 * UINT64_C(1000000),
	    "between two looks of an idle CPU at its socket; 0: 1 ms for each CPU of it"),
	KEY("balance_busy_factor", balance_busy_factor, 1, 1000,
	    "a busy CPU's looks are so many times further apart"),
	KEY("migration_cost_ns", migration_cost_ns, 0, 1000 * MS,
	    "a task that ran more recently is cache-hot and stays"),
	KEY("newidle_cost_ns", newidle_cost_ns, 0, 1000 * MS,
	    "a CPU whose idle times are shorter pulls no task when it runs out of work"),
	KEY("wakeup_preemption", wakeup_preemption, 0, 1, "a wake-up may preempt"),
	KEY("next_buddy", next_buddy, 0, 1, "prefer the task that was woken last"),
	KEY("last_buddy", last_buddy, 0, 1, "cfs: prefer the task that a wake-up preempted"),
	KEY("gentle_sleepers", gentle_sleepers, 0, 1, "cfs: half the credit for having slept"),
	KEY("run_to_parity", run_to_parity, 0, 1,
	    "eevdf: no preemption before the slice ends or the lag is used up"),
	KEY("place_lag", place_lag, 0, 1, "eevdf: a task keeps its lag while it sleeps"),
	KEY("delay_dequeue", delay_dequeue, 0, 1,
	    "eevdf: a sleeper that ran ahead stays queued until it is eligible"),
	KEY("pick_buddy", pick_buddy, 0, 1, "eevdf: yield_to's nominee comes first if eligible"),
	KEY("yield_forfeits", yield_forfeits, 0, 1,
	    "eevdf: an eligible task that yields gives up the rest of its slice"),
};

const size_t sched_key_count = sizeof(sched_keys) / sizeof(sched_keys[0]);

const char *sched_config_error(const struct sched_config *config)
{
	if (!config->cpus || config->cpus > SCHED_MAX_CPUS)
		return "the host needs 1 to 512 CPUs";
	if (!config->sockets || config->cpus % config->sockets)
		return "the sockets must have equally many CPUs";
	for (size_t i = 0; i < sched_key_count; i++) {
		const struct sched_key *key = &sched_keys[i];
		uint64_t value = *(const uint64_t *)((const char *)config + key->offset);

		if (value < key->least || value > key->most)
			return key->name;
	}
	return NULL;
}
