/* SPDX-License-Identifier: MIT */
/*
 * mcs-tp, step by step. A waiter that suspects the holder yields to it. This file's backend catches
 * chosen CPUs in that yield and keeps them there, so that their published time grows old: a
 * descheduled waiter on demand.
 */
#include "locks/core/pv.h"
#include "port/port.h"
#include "tests/suites/locks/client.h"

#define STALE_MS 60 /* three times mcstp_update_us below */

static struct {
	_Atomic bool keep;     /* it is to be caught at its next yield */
	_Atomic bool caught;   /* it is caught */
	_Atomic uint32_t last; /* the CPU that it last yielded to, + 1 */
} yielder[CLIENT_CPUS];

static const struct pv_backend *real; /* what catching_yield stands in for */

static void catching_yield(uint32_t cpu)
{
	uint32_t me = port_cpu();

	atomic_store_explicit(&yielder[me].last, cpu + 1, memory_order_relaxed);
	real->yield_to(cpu);
	while (atomic_load_explicit(&yielder[me].keep, memory_order_acquire)) {
		atomic_store_explicit(&yielder[me].caught, true, memory_order_release);
		let_others_run(1);
	}
	atomic_store_explicit(&yielder[me].caught, false, memory_order_release);
}

static void keep(uint32_t cpu, bool whether)
{
	atomic_store_explicit(&yielder[cpu].keep, whether, memory_order_release);
}

/* As await(), but gives up early enough to let everybody go. */
static bool await_soon(struct test *test, bool condition(void), const char *what)
{
	for (uint64_t start = port_cycles(); !too_late(start);) {
		if (condition())
			return true;
		let_others_run(2);
	}
	fail(test, "not seen: %s; %s", what, lock_text(test));
	return false;
}

static uint32_t watched;

static bool is_caught(void)
{
	return atomic_load_explicit(&yielder[watched].caught, memory_order_acquire);
}

static bool owns(void)
{
	return actor_state(watched) == ACTOR_OWNS;
}

static bool soon_owns(struct test *test, uint32_t cpu, const char *what)
{
	watched = cpu;
	return await_soon(test, owns, what);
}

/* Queues CPU and makes it stop polling. */
static bool queue_stale(struct test *test, uint32_t cpu)
{
	keep(cpu, true);
	tell(cpu, COMMAND_ACQUIRE);
	watched = cpu;
	return await_soon(test, is_caught, "a waiter that suspects the holder and yields");
}

static void let_all_go(void)
{
	for (uint32_t i = 0; i < CLIENT_CPUS; i++)
		keep(i, false);
}

/* Lets those that still wait or own release the lock, one by one, until nobody is left. */
static void drain(struct test *test)
{
	uint32_t idle;

	let_all_go();
	do {
		idle = 0;
		for (uint32_t i = 1; i < test->threads; i++) {
			if (actor_state(i) == ACTOR_OWNS) {
				tell(i, COMMAND_RELEASE);
				await_state(test, i, ACTOR_IDLE);
			}
			idle += actor_state(i) == ACTOR_IDLE;
		}
		let_others_run(1);
	} while (idle < test->threads - 1);
}

static void queue_fresh(struct test *test, uint32_t cpu)
{
	tell(cpu, COMMAND_ACQUIRE);
	await_state(test, cpu, ACTOR_ACQUIRING);
	let_others_run(STALE_MS);
}

static void conduct_pass(struct test *test)
{
	lock_acquire(test);
	if (queue_stale(test, 1)) {
		queue_fresh(test, 2);
		lock_release(test);
		if (soon_owns(test, 2, "the second waiter granted, the first being stale") &&
		    event_sum(test, EV_WAITER_SKIPPED) == 0)
			fail(test, "waiter_skipped is 0");
		if (actor_state(1) == ACTOR_OWNS)
			fail(test, "the stale waiter was granted");
		keep(1, false);
		let_others_run(20);
		if (actor_state(1) == ACTOR_OWNS)
			fail(test, "a failed waiter got the lock");
	} else {
		lock_release(test);
	}
	drain(test);
	if (port_stats(1)->count[EV_WAITER_RETRIED] == 0)
		fail(test, "waiter_retried of the stale waiter is 0");
}

static void conduct_all_stale(struct test *test)
{
	bool queued;

	lock_acquire(test);
	queued = queue_stale(test, 1) && queue_stale(test, 2);
	let_others_run(STALE_MS);
	lock_release(test);
	if (queued && !lock_try(test))
		fail(test, "all waiters are stale, but the lock is not free: %s", lock_text(test));
	else if (queued)
		lock_release(test);
	drain(test);
}

/* mcstp_scan is `argument`: the waiter behind that many stale ones is granted, stale or not. */
static void conduct_bound(struct test *test)
{
	uint32_t granted = test->argument + 1;

	lock_acquire(test);
	if (queue_stale(test, 1) && queue_stale(test, 2)) {
		queue_fresh(test, 3);
		lock_release(test);
		let_others_run(20);
		if (lock_try(test)) {
			fail(test, "passed more than mcstp_scan waiters: free");
			lock_release(test);
		}
		for (uint32_t i = 1; i < test->threads; i++)
			if (actor_state(i) == ACTOR_OWNS)
				fail(test, "passed more than mcstp_scan waiters: CPU %u owns", i);
		keep(granted, false);
		soon_owns(test, granted, "the bound: granted although stale");
	} else {
		lock_release(test);
	}
	drain(test);
}

static bool yields_to_2(void)
{
	return atomic_load_explicit(&yielder[1].last, memory_order_relaxed) == 2 + 1;
}

/* CPU 1 yields to 0 while that holds the lock, later to 2. Nobody is passed, so 2 is next even if
 * it does not run just then. */
static void conduct_yield(struct test *test)
{
	lock_acquire(test);
	queue_fresh(test, 2);
	if (queue_stale(test, 1) &&
	    atomic_load_explicit(&yielder[1].last, memory_order_relaxed) != 0 + 1)
		fail(test, "CPU 1 yields to %u, but CPU 0 holds the lock",
		     atomic_load_explicit(&yielder[1].last, memory_order_relaxed) - 1);
	keep(1, false);
	lock_release(test);
	if (soon_owns(test, 2, "the first waiter granted"))
		await_soon(test, yields_to_2, "a yield to the holder that was granted the lock");
	drain(test);
	if (pv_backend->yields && event_sum(test, EV_YIELD_OWNER) != event_sum(test, EV_YIELDS))
		fail(test, "%llu yields, %llu of them to the owner",
		     (unsigned long long)event_sum(test, EV_YIELDS),
		     (unsigned long long)event_sum(test, EV_YIELD_OWNER));
}

static void play(struct test *test, void (*conductor)(struct test *test))
{
	struct pv_backend catching = *pv_backend;
	struct lock_env env = {.cpus = CLIENT_CPUS};
	struct state initial;

	real = pv_backend;
	catching.yield_to = catching_yield;
	pv_backend = &catching;
	let_all_go();
	set_tunable(test, "mcstp_update_us", STALE_MS * 1000 / 3);
	set_tunable(test, "mcstp_max_cs_us", 1000);
	test->ops->init(test->lock, &env); /* which converts the times */
	state_copy(test, &initial);
	with_actors(test, conductor);
	pv_backend = real;
	check_free(test, &initial);
}

static void test_pass(struct test *test)
{
	play(test, conduct_pass);
}

static void test_all_stale(struct test *test)
{
	play(test, conduct_all_stale);
}

static void test_bound(struct test *test)
{
	set_tunable(test, "mcstp_scan", test->argument);
	play(test, conduct_bound);
}

static void test_yield(struct test *test)
{
	set_tunable(test, "mcstp_scan", 0);
	play(test, conduct_yield);
}

static bool has_churned(const struct test *test)
{
	return event_sum(test, EV_WAITER_SKIPPED) != 0 && event_sum(test, EV_WAITER_RETRIED) != 0;
}

/* Nearly every waiter is stale and comes back, so nodes are used again all the time. Without a
 * bound on how many it passes, a releaser could pass waiters that come back for ever. */
static void test_churn(struct test *test)
{
	static const struct race_goal churn = {.seen = has_churned,
					       .what = "waiters skipped and queued again"};
	struct lock_env env = {.cpus = CLIENT_CPUS};

	set_tunable(test, "mcstp_update_us", 1);
	set_tunable(test, "mcstp_max_cs_us", 1);
	set_tunable(test, "mcstp_scan", test->argument);
	test->ops->init(test->lock, &env);
	race_until(test, &churn);
}

#define MCS_TP .only = "mcs-tp"
CASE_REGISTER(tp_pass, "passes a stale waiter", test_pass, 3, MCS_TP);
CASE_REGISTER(tp_all_stale, "free when all waiters are stale", test_all_stale, 3, MCS_TP);
CASE_REGISTER(tp_bound_0, "passes nobody, mcstp_scan 0", test_bound, 4, .argument = 0, MCS_TP);
CASE_REGISTER(tp_bound_1, "passes one, mcstp_scan 1", test_bound, 4, .argument = 1, MCS_TP);
CASE_REGISTER(tp_yield, "yields to the holder of an old section", test_yield, 3, MCS_TP);
CASE_REGISTER(tp_churn_4, "excludes with stale waiters, 4 threads", test_churn, 4, .argument = 1000,
	      MCS_TP);
CASE_REGISTER(tp_churn_16, "excludes with stale waiters, 16 threads", test_churn, 16,
	      .argument = 1000, MCS_TP);
CASE_REGISTER(tp_churn_bound, "excludes with stale waiters, mcstp_scan 1, 16 threads", test_churn,
	      16, .argument = 1, MCS_TP);
