/* SPDX-License-Identifier: MIT */
/*
 * What the client needs of the place it runs in beyond port.h: tests/locks/port.c (Linux threads)
 * and guest.c. For the client's own files; cases use client.h.
 */
#ifndef PVSPIN_TESTS_SUITES_LOCKS_CLIENT_PORT_H
#define PVSPIN_TESTS_SUITES_LOCKS_CLIENT_PORT_H

#include "port/port.h"
#include <stdatomic.h>
#include <stdint.h>

/* What a CPU does with the test's lock, written by itself, read by who reports a hang. */
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

/* How long await() waits for what must come: longer than the slowest machine, shorter than a case
 * may take. */
extern uint32_t client_await_s;
extern uint32_t client_race_s; /* the same for race_until() */

/*
 * Interrupts: a handler that runs on another CPU between any two of its instructions. A CPU takes
 * them between client_enter and client_leave (in the guest others than CPU 0 mask them otherwise;
 * hosted, it is a signal). client_interrupt returns at once; the handler follows.
 */
void client_on_interrupt(void (*handler)(void));
void client_enter(void);
void client_leave(void);
void client_interrupt(uint32_t cpu);

void client_nodes_are(uint32_t nodes); /* CPU c is on node c % nodes; 0: on its own */
void client_has_failed(void); /* what is broken may not come to an end: bound it, if need be */

void client_poll(void);  /* in each round of a loop that waits for another CPU */
void client_yield(void); /* off the CPU for a moment, if others want it */
void client_sleep_ms(uint32_t milliseconds); /* off the CPU */

#endif
