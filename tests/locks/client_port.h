/* SPDX-License-Identifier: MIT */
/*
 * What the client needs of the place it runs in beyond port.h: hosted_port.c (Linux threads) and
 * guest.c. For the client's own files; cases use client.h.
 */
#ifndef PVSPIN_TESTS_LOCKS_CLIENT_PORT_H
#define PVSPIN_TESTS_LOCKS_CLIENT_PORT_H

#include <stdint.h>

/* How long await() waits for what must come: longer than the slowest machine, shorter than a case
 * may take. */
extern const uint32_t client_await_s;

void client_poll(void);  /* in each round of a loop that waits for another CPU */
void client_yield(void); /* off the CPU for a moment, if others want it */
void client_sleep_ms(uint32_t milliseconds); /* off the CPU */

#endif
