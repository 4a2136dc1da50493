/* SPDX-License-Identifier: MIT */
/* client_port.h on simulated CPUs under a chosen schedule. */
#include "tests/suites/locks/client_port.h"

#include "locks/core/lock.h"
#include "port/port.h"
#include "port/sim/guest.h"
#include "port/sim/seam.h"
#include "sim/explore/explore.h"
#include "tests/suites/locks/cases.h"

/* Seconds of a clock that advances with the steps. Races are short: what one schedule does not
 * show, another may. */
uint32_t client_await_s = 40, client_race_s = 1;

void client_on_interrupt(void (*handler)(void))
{
	explore->interrupt = handler;
}

void client_enter(void)
{
	sim_interrupts(true);
}

void client_leave(void)
{
	if (port_cpu() != 0)
		sim_interrupts(false);
}

void client_interrupt(uint32_t cpu)
{
	explore_interrupt(cpu);
}

void client_nodes_are(uint32_t nodes)
{
	port_sim_pretend_nodes(nodes);
}

void client_has_failed(void)
{
	if (!(case_test()->ops->flags & LOCK_NO_EXCLUSION))
		explore_finish(EXPLORE_ENDED); /* nothing after the first failure matters */
}

/* In a loop that waits for another CPU and counts nothing: any number of polls at once. */
void client_poll(void)
{
	port_poll(UINT64_MAX);
}

void client_yield(void)
{
	explore_yield();
}

void client_sleep_ms(uint32_t milliseconds)
{
	explore_sleep(milliseconds * UINT64_C(1000000));
}
