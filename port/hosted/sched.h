/* SPDX-License-Identifier: MIT */
/* Linux's limits on this process's use of the CPUs: scheduling policy, priority, quota. */
#ifndef PVSPIN_PORT_HOSTED_SCHED_H
#define PVSPIN_PORT_HOSTED_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Under a real-time policy, gives the timer thread a higher priority than all others. Called before
 * any other thread is started. Returns NULL or the reason for a failure. */
const char *hosted_sched_init(void);
/* Returns NULL, or why so many threads cannot run under this policy. */
const char *hosted_sched_refuses(uint32_t threads);
/* Writes one line for people if policy or priority influence the figures; otherwise returns false.
 */
bool hosted_sched_note(char *text, size_t size);

/* cgroup.c. Time for which CPU quotas of this process's cgroups have stopped threads, summed over
 * CPUs; 0 without a quota. `root` is "", or a test's directory with its own /proc and /sys. */
uint64_t hosted_throttled_ns(const char *root);

#endif
