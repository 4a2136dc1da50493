/* SPDX-License-Identifier: MIT */
/*
 * Adapts to this process's scheduling policy. Under SCHED_FIFO and SCHED_RR, spinning threads keep
 * other threads of their priority from running in time. So the timer thread, which ends every
 * phase, needs a higher priority than they have.
 */
#define _GNU_SOURCE
#include "port/hosted/sched.h"
#include "port/hosted/hosted.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6 /* include/uapi/linux/sched.h */
#endif

static int policy;

static bool real_time(void)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static const char *policy_name(void)
{
	switch (policy) {
	case SCHED_FIFO:
		return "SCHED_FIFO";
	case SCHED_RR:
		return "SCHED_RR";
	case SCHED_DEADLINE:
		return "SCHED_DEADLINE";
	case SCHED_BATCH:
		return "SCHED_BATCH";
	case SCHED_IDLE:
		return "SCHED_IDLE";
	default:
		return "SCHED_OTHER";
	}
}

/* The timer thread keeps the process's priority, and the others step down by one, which is always
 * allowed. If they are at the lowest priority already, the timer thread steps up by one.
 */
const char *hosted_sched_init(void)
{
	static char refusal[160];
	struct sched_param timer, others;
	int error;

	policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
	if (policy == SCHED_DEADLINE)
		return "SCHED_DEADLINE: its threads cannot start others; accepted: any other "
		       "policy";
	if (!real_time() || sched_getparam(0, &timer) != 0)
		return NULL;
	others = timer;
	if (others.sched_priority > sched_get_priority_min(policy))
		others.sched_priority--;
	else
		timer.sched_priority++;
	error = pthread_setschedparam(hosted_timer_thread(), policy, &timer);
	if (error == 0 && sched_setscheduler(0, policy, &others) == 0)
		return NULL;
	snprintf(refusal, sizeof(refusal),
		 "%s %d: the timer needs a higher priority than threads that spin, and %d is "
		 "refused: %s; accepted: a higher one to begin with, chrt",
		 policy_name(), others.sched_priority, timer.sched_priority,
		 strerror(error ? error : errno));
	return refusal;
}

const char *hosted_sched_refuses(uint32_t threads)
{
	static char refusal[160];

	if (!real_time() || threads <= hosted_usable_cpus())
		return NULL;
	snprintf(refusal, sizeof(refusal),
		 "threads=%u under %s: a spinning waiter never lets the owner run on its CPU; "
		 "accepted: 1..%u",
		 threads, policy_name(), hosted_usable_cpus());
	return refusal;
}

bool hosted_sched_note(char *text, size_t size)
{
	int nice = getpriority(PRIO_PROCESS, 0);

	if (policy == SCHED_IDLE || policy == SCHED_BATCH)
		snprintf(text, size, "%s: every other thread of the machine comes first.",
			 policy_name());
	else if (real_time())
		snprintf(text, size,
			 "%s: Linux keeps a part of each CPU's time from such threads "
			 "(kernel.sched_rt_runtime_us).",
			 policy_name());
	else if (nice > 0)
		snprintf(text, size, "nice %d: other threads of the machine come first.", nice);
	else
		return false;
	return true;
}
