/* SPDX-License-Identifier: MIT */
/* A host for the tests of sim/sched*: time, ticks, and tasks that compute and sleep. Switches
 * happen as soon as the scheduler asks for them, and cost nothing. */
#ifndef PVSPIN_TESTS_HOST_SCHED_HOST_H
#define PVSPIN_TESTS_HOST_SCHED_HOST_H

#include "sim/sched.h"

#include <stdbool.h>
#include <stdint.h>

#define HOST_TASKS 128
#define MS         UINT64_C(1000000)
#define US         UINT64_C(1000)

struct host_task {
	struct sched_task task;
	uint64_t burst_ns,
		sleep_ns; /* it computes, then sleeps, this long; burst_ns 0: never sleeps */
	uint64_t left_ns; /* of the burst */
	uint64_t wake_at; /* end of its sleep; UINT64_MAX: another task wakes it */
	uint64_t ran_ns;  /* its CPU time, as measured here */
	uint64_t runnable_since;
	uint64_t longest_wait_ns;
	uint64_t slices; /* how often it was put on a CPU */
};

struct host_cpu {
	struct host_task *running;
	uint64_t since; /* ran_ns of `running` is counted up to here */
	bool resched;
};

struct host {
	struct sched *sched;
	struct sched_config config;
	uint64_t now;
	uint64_t next_tick;
	struct host_cpu cpu[SCHED_MAX_CPUS];
	struct host_task task[HOST_TASKS];
	uint32_t tasks;
	uint32_t queued_calls;
	uint64_t switches;
	uint64_t digest;                  /* of which task ran where and when */
	void (*check)(struct host *host); /* after each step; may be NULL */
};

/* Both kinds of scheduler. */
extern const enum sched_kind sched_kinds[2];

struct host *host_new(const struct sched_config *config);
/* Makes a host with the kernel's default parameters. */
struct host *host_begin(enum sched_kind kind, uint32_t cpus, uint32_t sockets, uint32_t groups);
void host_free(struct host *host);

/* Start a task that may use all CPUs, or only one. */
struct host_task *host_task(struct host *host, uint64_t burst_ns, uint64_t sleep_ns);
struct host_task *host_task_on(struct host *host, uint32_t cpu, uint64_t burst_ns,
			       uint64_t sleep_ns);
/* Starts a task that the caller has filled in, except for the scheduler's fields. */
void host_start(struct host *host, struct host_task *task);

void host_run(struct host *host, uint64_t ns);

/* Make the running task of `cpu` block until it is woken, or yield. */
void host_block(struct host *host, uint32_t cpu);
void host_yield(struct host *host, uint32_t cpu);
enum sched_yield_result host_yield_to(struct host *host, uint32_t cpu, struct host_task *task);
void host_wake(struct host *host, struct host_task *task, uint32_t waker_cpu);

struct host_task *host_running(struct host *host, uint32_t cpu);

/* Fails unless the task got `share` of `whole_ns`, within `tolerance`. */
void host_assert_share(const struct host_task *task, uint64_t whole_ns, double share,
		       double tolerance);

#endif
