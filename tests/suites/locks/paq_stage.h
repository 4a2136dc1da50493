/* SPDX-License-Identifier: MIT */
/*
 * The stage of paq's cases: a backend that wraps the port's. It shows which CPUs are inside
 * pv_wait, counts kicks and yields by their targets, can hold kicks back, and reports CPUs as
 * preempted that the case has marked. CPU 0 owns the lock at first, 1 comes next and is the head,
 * and so on.
 */
#ifndef PVSPIN_TESTS_SUITES_LOCKS_PAQ_STAGE_H
#define PVSPIN_TESTS_SUITES_LOCKS_PAQ_STAGE_H

#include "locks/paq_queue.h"
#include "tests/suites/locks/client.h"
#include <stdbool.h>
#include <stdint.h>

/* Runs `conductor` with actors over this backend; then the lock must be free and as it was. */
void paq_play(struct test *test, void (*conductor)(struct test *test));

void paq_mark(uint32_t cpu, bool preempted);
void paq_hold_kicks(bool hold);
void paq_real_kick(uint32_t cpu);
uint32_t paq_kicks(uint32_t cpu);
uint32_t paq_yields(uint32_t cpu);
bool paq_halted(uint32_t cpu); /* inside pv_wait */

/* Called on the CPU that asks about a marked one, before it gets the answer. */
extern void (*_Atomic paq_when_asked)(struct test *test, uint32_t about);

union paq_word *paq_word_of(struct test *test);
struct paq_cpu *paq_cpu_of(struct test *test, uint32_t cpu);
uint64_t paq_value(struct test *test);
/* Wait until CPU is the head, is the tail and linked, or halts. Return false, and fail the case, if
 * that does not happen in time. */
bool paq_await_head(struct test *test, uint32_t cpu);
bool paq_await_tail(struct test *test, uint32_t cpu);
bool paq_await_halt(struct test *test, uint32_t cpu);
/* Lets CPU 0 acquire, then 1..waiters queue in this order, each when the previous one has. */
bool paq_line_up(struct test *test, uint32_t waiters);
/* Expects the next owners in this order, as "1324"; each releases when it has been seen. */
void paq_expect_order(struct test *test, const char *order);
void paq_expect(struct test *test, enum lock_event event, uint64_t wanted); /* the sum */

#endif
