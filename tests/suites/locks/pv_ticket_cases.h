/* SPDX-License-Identifier: MIT */
/* What the cases of the pv ticket locks share. */
#ifndef PVSPIN_TESTS_SUITES_LOCKS_PV_TICKET_CASES_H
#define PVSPIN_TESTS_SUITES_LOCKS_PV_TICKET_CASES_H

#include "lib/string.h"
#include "locks/core/tunables.h"
#include "locks/pv_ticket_wait.h"
#include "tests/suites/locks/client.h"
#include <stdatomic.h>
#include <stdint.h>

#define PV_TICKETS .only = "pv-ticket,oticket,i-spinlock"

/* Sets the tunable if the lock reads it. */
static inline void tune(struct test *test, const char *name, uint32_t value)
{
	if (tunable_is_of(tunable_find(name, strlen(name)), test->ops->name))
		set_tunable(test, name, value);
}

/* Sets the first ticket to be given out. */
static inline void start_at(struct test *test, uint32_t ticket)
{
	union pv_ticket *lock = test->lock;

	atomic_store_explicit(&lock->word, ticket << PV_TICKET_TAIL_SHIFT | ticket,
			      memory_order_relaxed);
}

#endif
