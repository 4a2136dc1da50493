/* SPDX-License-Identifier: MIT */
/*
 * For cases about directed yields: a backend that wraps the port's, reports chosen CPUs as
 * preempted, and writes down who yielded to whom.
 */
#ifndef PVSPIN_TESTS_SUITES_LOCKS_DIRECTED_H
#define PVSPIN_TESTS_SUITES_LOCKS_DIRECTED_H

#include "locks/owner.h"
#include "tests/suites/locks/client.h"
#include <stdbool.h>
#include <stdint.h>

/* As with_actors, over that backend and with nobody flagged; afterwards the lock must be free. A
 * conductor that has failed may leave the lock owned and waiters in it: they are helped out. */
void directed_play(struct test *test, void (*conductor)(struct test *test));
/* The same backend for all of `run`, which does not use actors. */
void directed_run(struct test *test, void (*run)(struct test *test));

void flag(uint32_t cpu, bool preempted);
/* If set, it is called first at each question, on the asking CPU; true: CPU is preempted. It is
 * cleared after each play, so set it inside. */
extern bool (*directed_answer)(struct test *test, uint32_t cpu);

uint32_t yields(uint32_t from, uint32_t to); /* how many so far */
uint32_t yields_to_others(uint32_t cpu);     /* all yields to anybody but `cpu` */
/* Waits until there are `count`. Returns false, and fails the case, when it is too_late(). */
bool await_yields(struct test *test, uint32_t from, uint32_t to, uint32_t count);

/* Waits for `condition`. Returns false, and fails the case, when it is too_late(). */
bool await_shortly(struct test *test, bool (*condition)(struct test *test, uint32_t argument),
		   uint32_t argument, const char *what);

bool await_actor(struct test *test, uint32_t cpu, enum actor_state wanted);

/* Lets all waiters get the lock, in any order, and release it. */
void drain(struct test *test);

/* For ppc-qspinlock and s390-spinlock, whose words name the owner. */
bool is_ppc(const struct test *test);
union owner_word *owner_word_of(const struct test *test);
uint32_t tail_cpu(const struct test *test); /* + 1; 0: no queue */
bool has_tail(struct test *test, uint32_t cpu);
void owner_word_write(struct test *test, uint32_t value);
void expect_owner_word(struct test *test, uint32_t value, const char *when);

/* How waiters wait: they poll the word and do not queue, or they queue at once. */
enum waiting { AT_WORD, IN_QUEUE };
void let_them_wait(struct test *test, enum waiting how);

#endif
