/* SPDX-License-Identifier: MIT */
/* client_port.h over Linux threads. */
#define _GNU_SOURCE
#include "client_port.h"
#include <sched.h>
#include <time.h>

uint32_t client_await_s = 40; /* a sanitized build on a busy machine is slow */

void client_poll(void)
{
	sched_yield();
}

void client_yield(void)
{
	sched_yield();
}

void client_sleep_ms(uint32_t milliseconds)
{
	struct timespec time = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000L,
	};

	nanosleep(&time, NULL);
}
