/* SPDX-License-Identifier: MIT */
/*
 * The correctness client of the locks: what its parts share. It runs on every port, for every
 * registered lock, in TAP. A case gets a fresh lock, nodes for every thread and a time budget, and
 * reports what is wrong by fail(). A watchdog ends a case that hangs (tests/locks/main.c, guest.c).
 * Cases use only this header, port.h, locks/ and lib/, so they run in the guest, too.
 *
 * There are two ways to run threads. Either all do the same (port_run_on), or they are *actors*:
 * CPU 0 conducts, and the others acquire and release when told, so that one interleaving can be
 * played step by step.
 */
#ifndef PVSPIN_TESTS_SUITES_LOCKS_CLIENT_H
#define PVSPIN_TESTS_SUITES_LOCKS_CLIENT_H

#include "locks/core/lock.h"
#include "locks/core/stats.h"
#include "locks/qspinlock_word.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CLIENT_CPUS 16 /* most threads of any case except those with ALL_CPUS */
#define ALL_CPUS    0  /* a case's threads: one per CPU, maybe more than CLIENT_CPUS */

struct client_cpu; /* client_port.h */

struct test {
	const struct lock_ops *ops;
	void *lock;
	char *nodes;
	size_t stride;
	struct client_cpu *cpus; /* what each CPU does, for a report */
	uint32_t threads;
	uint32_t argument;  /* the case's own */
	uint64_t budget_ns; /* how long a case of random interleavings runs */
	_Atomic bool failed;
	bool unseen; /* failed only because the race that the case waits for did not happen */
	char why[256];
};

/* Fails the case. The text of the first failure is kept. */
void fail(struct test *test, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *node_of(const struct test *test, uint32_t cpu);
void lock_acquire(struct test *test); /* by the calling thread */
bool lock_try(struct test *test);
void lock_release(struct test *test);
const union qspinlock_word *word_of(const struct test *test); /* of the qspinlock family */
const char *lock_text(const struct test *test); /* the lock's describe; good until the next call */

/* A copy of the lock's state, each byte as it was at some time during the copying. */
#define STATE_MAX 256
struct state {
	uint8_t byte[STATE_MAX];
};
void state_copy(const struct test *test, struct state *state);
bool state_equal(const struct test *test, const struct state *a, const struct state *b);

/* Call after a case, when nobody uses the lock: it must be free and, with LOCK_RESTORES, in its
 * initial state. */
void check_free(struct test *test, const struct state *initial);

uint64_t event_sum(const struct test *test, enum lock_event event);
uint64_t event_peek(uint32_t cpu, enum lock_event event); /* roughly, while CPU may be counting */

uint64_t event_peek_sum(const struct test *test, enum lock_event event); /* of the test's CPUs */

/* Actors. */
enum command {
	COMMAND_IDLE,
	COMMAND_ACQUIRE,
	COMMAND_TRY,
	COMMAND_RELEASE,
	COMMAND_EXIT,
};
enum actor_state {
	ACTOR_IDLE,
	ACTOR_ACQUIRING,
	ACTOR_OWNS,
	ACTOR_REFUSED, /* a try that failed */
};
/* Runs `conductor` on CPU 0 and actors on 1..threads-1, until it returns. */
void with_actors(struct test *test, void (*conductor)(struct test *test));
void tell(uint32_t cpu, enum command command);
enum actor_state actor_state(uint32_t cpu);
/* Waits until the actor is in this state. Returns false, and fails the case, if that takes too
 * long. */
bool await_state(struct test *test, uint32_t cpu, enum actor_state wanted);
/* As await_state for any condition; `what` names it. */
bool await(struct test *test, bool (*condition)(struct test *test), const char *what);
/* Returns the actor that owns the lock or soon does; 0, and fails the case, if none does. */
uint32_t soon_owner(struct test *test);
void let_others_run(uint32_t milliseconds);
/* Whether half of await()'s time has passed since `start` (port_cycles()). A case's own waits end
 * by it, so that there is time left to let the actors go. */
bool too_late(uint64_t start);

/*
 * A case is a function and a CASE_REGISTER line in the same file; nothing else lists them. It runs
 * for every lock that has the flags `with`, none of `without`, and is named in `only`.
 */
enum case_backend {
	BACKEND_HALTING, /* the port's own: waits halt, kicks wake. Where the port cannot halt,
			  * cases of pv locks that have `only`, or LOCK_PV in `with`, are skipped */
	BACKEND_NONE,    /* waits cannot halt */
	BACKEND_LYING,   /* halting; pv_preempted answers at random, as a hint may */
	BACKEND_ANY,     /* the port's own, whether or not it halts */
};

struct lock_case {
	const char *id; /* the last part of the test's path: locks.mcs.excludes_4 */
	const char *name;
	void (*run)(struct test *test);
	uint32_t threads;  /* 1..CLIENT_CPUS, or ALL_CPUS */
	uint32_t argument; /* test->argument */
	uint32_t with, without;
	const char *only; /* names of locks with commas between; NULL: all */
	enum case_backend backend;
};

/* CASE_REGISTER(id, "name", function, threads, .argument = 1, .with = LOCK_PV, ...);
 * No two cases of a lock have the same id. */
#define CASE_REGISTER(id_, name_, run_, threads_, ...)                                         \
	static const struct lock_case case_##id_ __attribute__((section("lock_case_registry"), \
								used, aligned(8))) = {         \
		.id = #id_, .name = (name_), .run = (run_), .threads = (threads_), ##__VA_ARGS__}

/* Sets a tunable for this case; the next case starts from the initial values again. Fails the case
 * if there is none of that name or the value is out of its range. */
void set_tunable(struct test *test, const char *name, uint32_t value);

/* Sets the lock's tunables so that each wait halts as soon as it may. */
void halt_at_once(struct test *test);

/* Puts CPU c on NUMA node c % nodes for this case, instead of the machine's. */
void client_nodes(struct test *test, uint32_t nodes);

/* exclusion.c, for other cases, too: everybody contends. */
void test_exclusion(struct test *test);

/* What a race must show. `vary`, if any, sets tunables before each round; `seen` tells by the
 * counters whether it has happened. */
struct race_goal {
	bool (*seen)(const struct test *test);
	void (*vary)(struct test *test, uint32_t round);
	const char *what;
};
/* Races again and again, each round longer than the one before, until the goal was seen: a busy
 * machine takes longer but fails no case. Returns false, and fails the case, if a race failed or
 * the goal was not seen within client_race_s. */
bool race_until(struct test *test, const struct race_goal *goal);
bool race_until_counted(struct test *test, enum lock_event event); /* by anybody */
/* order.c, for other cases, too */
void test_trylock(struct test *test);
void test_fifo(struct test *test);
/* Takes a free lock by eight tries in a row, each with a release; a try of the owner must fail. */
void conduct_tries(struct test *test);

#endif
