/* SPDX-License-Identifier: MIT */
/*
 * What the client needs beyond port.h from the place in which it runs: tests/locks/port.c (Linux
 * threads), tests/locks/sim/client.c (simulated CPUs), guest.c. For the client's own files; cases
 * use client.h.
 */
#ifndef PVSPIN_TESTS_SUITES_LOCKS_CLIENT_PORT_H
#define PVSPIN_TESTS_SUITES_LOCKS_CLIENT_PORT_H

#include "port/port.h"
#include <stdatomic.h>
#include <stdint.h>

/* What a CPU does with the test's lock. The CPU itself writes it, a report of a hang reads it. */
enum place {
	PLACE_OUTSIDE,
	PLACE_WAITS,
	PLACE_OWNS,
	PLACE_RELEASES,
};
struct client_cpu { /* written by the CPU itself */
	_Alignas(CACHE_LINE) _Atomic uint32_t place;
	_Atomic uint32_t handler; /* ... with the lock of the interrupt handlers */
	_Atomic bool interrupted; /* in the handler */
};

struct test;
const char *client_state(const struct test *test, uint32_t cpu); /* in words */
uint32_t client_owner(const struct test *test);                  /* CPU index + 1; 0: nobody */

/* How long await() waits: longer than the slowest machine needs, shorter than a case may take. */
extern uint32_t client_await_s;
extern uint32_t client_race_s; /* the same for race_until() */

/*
 * Interrupts: a handler that runs on another CPU between any two of its instructions. A CPU takes
 * interrupts between client_enter and client_leave; outside of these, vCPUs of the guest other than
 * CPU 0 mask them. Hosted, an interrupt is a signal. client_interrupt returns at once; the handler
 * follows.
 */
void client_on_interrupt(void (*handler)(void));
void client_enter(void);
void client_leave(void);
void client_interrupt(uint32_t cpu);

void client_nodes_are(uint32_t nodes); /* CPU c is on node c % nodes; 0: on its own */
void client_has_failed(void);          /* a failed case may never end: bounds it if need be */

void client_poll(void);  /* in each round of a loop that waits for another CPU */
void client_yield(void); /* off the CPU for a moment, if others want it */
void client_sleep_ms(uint32_t milliseconds); /* off the CPU */

#endif
