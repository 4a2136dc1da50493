/* SPDX-License-Identifier: MIT */
/*
 * The modelled host: each parameter is a key of --host=KEY=VALUE,... and is in the boot record.
 * machine= chooses a preset; the keys after it change single values. docs/sim.md lists them.
 */
#ifndef PVSPIN_SIM_HOST_H
#define PVSPIN_SIM_HOST_H

#include "sim/sched.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_ERROR_BYTES 2048

struct host {
	/* values of the keys */
	uint64_t machine;   /* index of the preset */
	uint64_t scheduler; /* enum sched_kind */
	uint64_t cpus, sockets, cache_cpus, khz;
	uint64_t near_ns, socket_ns, far_ns, memory_ns, shared_read;
	uint64_t load_cycles, store_cycles, rmw_cycles, fence_cycles, pause_cycles;
	uint64_t exit_cycles, entry_cycles, interrupt_exit_cycles;
	uint64_t switch_cycles, wake_cycles, tick_work_cycles;
	uint64_t tick_skew, tick_late_ns, ipi_ns, kick_us;
	uint64_t pv_unhalt, pv_yield, steal_time, preempted_always, kick_yield;
	uint64_t ple, ple_gap, ple_window, ple_window_grow, ple_window_max, pause_filter;
	uint64_t halt_poll, halt_poll_start_us, halt_poll_grow, halt_poll_shrink;
	uint64_t groups, pinned;
	uint64_t jitter, daemon_ms, daemon_us;
	struct sched_config sched;
	/* derived from them */
	struct sched_cpus pin;
	uint64_t near_cycles, socket_cycles, far_cycles, memory_cycles;
	uint64_t ipi_cycles, kick_cycles, tick_cycles, tick_late_cycles;
	uint64_t halt_poll_cycles, halt_poll_start_cycles;
	uint64_t daemon_cycles, daemon_apart_cycles;
};

/* Fills in *host from the value of --host= (NULL: none), for `vms` VMs. Returns false if a key or
 * value is wrong: `error` then names it and what is accepted. */
bool host_parse(struct host *host, const char *keys, uint32_t vms, char error[HOST_ERROR_BYTES]);

/* Takes over the value of --pin=, the CPUs that vCPUs may use. Returns false as host_parse(). */
bool host_pin(struct host *host, const char *list, char error[HOST_ERROR_BYTES]);

/* Gives the i-th key: its name and *value; or, where the value is a word, *text (else NULL).
 * Returns false if there are not so many keys. */
bool host_key(const struct host *host, uint32_t i, const char **name, uint64_t *value,
	      const char **text);

const char *host_vendor(const struct host *host);
const char *host_model(const struct host *host);

/* Prints all keys with ranges and meanings, for people. */
void host_list(void);

#endif
