/* SPDX-License-Identifier: MIT */
/* What Linux lets this process have of the CPUs: scheduling policy, priority, quota. */
#ifndef PVSPIN_PORT_HOSTED_SCHED_H
#define PVSPIN_PORT_HOSTED_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Before any other thread is started: puts the timer thread above all others under a real-time
 * policy. NULL, or why that cannot be. */
const char *hosted_sched_init(void);
/* NULL, or why that many threads cannot run under this policy. */
const char *hosted_sched_refuses(uint32_t threads);
/* One line for people if the policy or the priority shapes the figures. */
bool hosted_sched_note(char *text, size_t size);

/* cgroup.c. For how long CPU quotas of this process's cgroups have stopped threads, summed
 * over CPUs; 0 where there is no quota. `root`: "", or where a test has its /proc and /sys. */
uint64_t hosted_throttled_ns(const char *root);

#endif
