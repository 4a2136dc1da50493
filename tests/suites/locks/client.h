/* SPDX-License-Identifier: MIT */
/*
 * The correctness client of the locks: what its parts share. Runs over either port, for every
 * registered lock, in TAP. A case gets a fresh lock, nodes for every thread and a time budget, and
 * says what it found wrong by fail(). A case that hangs is ended by a watchdog (tests/locks/main.c,
 * guest.c). Cases know only this header, port.h, locks/ and lib/: they run in the guest too.
 *
 * Two ways to run threads: all do the same (port_run_on), or *actors*: CPU 0 conducts, the others
 * acquire and release when told, so that one interleaving can be played step by step.
 */
#ifndef PVSPIN_TESTS_SUITES_LOCKS_CLIENT_H
#define PVSPIN_TESTS_SUITES_LOCKS_CLIENT_H

#include "locks/core/lock.h"
#include "locks/core/stats.h"
#include "locks/qspinlock_word.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CLIENT_CPUS 16 /* most threads of any case but those with ALL_CPUS */
#define ALL_CPUS    0  /* as a case's threads: as many as there are CPUs, CLIENT_CPUS or more */

struct client_cpu; /* client_port.h */

struct test {
	const struct lock_ops *ops;
	void *lock;
	char *nodes;
	size_t stride;
	struct client_cpu *cpus; /* what each one does, for a report */
	uint32_t threads;
	uint32_t argument;  /* the case's own */
	uint64_t budget_ns; /* how long a case of random interleavings runs */
	_Atomic bool failed;
	bool unseen; /* failed, but only because chance did not bring what the case is about */
	char why[256];
};

/* The first failure is kept. */
void fail(struct test *test, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *node_of(const struct test *test, uint32_t cpu);
void lock_acquire(struct test *test); /* by the calling thread */
bool lock_try(struct test *test);
void lock_release(struct test *test);
const union qspinlock_word *word_of(const struct test *test); /* of the qspinlock family */
const char *lock_text(const struct test *test); /* the lock's describe; good until the next call */

/* A copy of the lock's state as it is at some time during the copying. */
#define STATE_MAX 256
struct state {
	uint8_t byte[STATE_MAX];
};
void state_copy(const struct test *test, struct state *state);
bool state_equal(const struct test *test, const struct state *a, const struct state *b);

/* After a case, nobody in it: free, and a queued lock just as init left it. */
void check_free(struct test *test, const struct state *initial);

uint64_t event_sum(const struct test *test, enum lock_event event);
uint64_t event_peek(uint32_t cpu, enum lock_event event); /* while CPU may be counting: roughly */

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
/* Until the actor is in this state; false, and a failure, if that does not come. */
bool await_state(struct test *test, uint32_t cpu, enum actor_state wanted);
/* The same for any condition; `what` names it. */
bool await(struct test *test, bool (*condition)(struct test *test), const char *what);
/* The actor that owns the lock, or will soon; 0, and a failure, if none does. */
uint32_t soon_owner(struct test *test);
void let_others_run(uint32_t milliseconds);
/* For waits of a case's own that must end early enough to let its actors go: whether half of what
 * await() waits has passed since `start`, a port_cycles(). */
bool too_late(uint64_t start);

/*
 * A case is a function and a CASE_REGISTER line in the same file; nothing else lists them. It runs
 * for every lock that has the flags `with`, none of `without`, and is named in `only`.
 */
enum case_backend {
	BACKEND_HALTING, /* the port's own: waits halt, kicks wake. For a pv lock, a case that is
			  * about pv or names its locks is skipped where nothing can halt */
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

/* For locks whose key `name` is a tunable: sets it for this case; the next one starts from the
 * initial values again. A failure if there is none of that name or value is out of its range. */
void set_tunable(struct test *test, const char *name, uint32_t value);

/* Sets the keys, of whichever the lock reads, with which each wait halts as soon as it may. */
void halt_at_once(struct test *test);

/* CPU c is on NUMA node c % nodes for this case; otherwise on the machine's. */
void client_nodes(struct test *test, uint32_t nodes);

/* exclusion.c, for use by other cases: everybody contends. */
void test_exclusion(struct test *test);

/* What a race is there for. `vary`, if any, sets tunables before each round; `seen` says whether
 * it has happened, by the counters. */
struct wanted {
	bool (*seen)(const struct test *test);
	void (*vary)(struct test *test, uint32_t round);
	const char *what;
};
/* Races again and again, each round longer than the one before, until it was seen: a busy machine
 * takes longer, and fails no case. False, and a failure, if a race failed or await() would have
 * given up. */
bool race_until(struct test *test, const struct wanted *wanted);
bool race_until_counted(struct test *test, enum lock_event event); /* by anybody */
/* exclusion.c: the same for a lock that the caller has prepared */
void test_trylock(struct test *test);
void test_fifo(struct test *test);

#endif
