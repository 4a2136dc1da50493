/* SPDX-License-Identifier: MIT */
/*
 * shfllock, step by step: who is moved where. CPU 0 owns, and the others queue in the order of a
 * list. Once the first of them owns, the second heads the queue and sorts the rest; some may come
 * after that. The grants must come in the order of another list.
 */
#include "locks/core/pv.h"
#include "port/port.h"
#include "tests/suites/locks/client.h"

#define ACTORS 7

static const uint32_t *arrivals, *grants; /* of ACTORS CPUs each */
static uint32_t late;                     /* how many arrive when the head has sorted */
static uint32_t sorted;                   /* waiters moved before the second grant */
static struct state before;

static bool lock_changed(struct test *test)
{
	struct state now;

	state_copy(test, &now);
	return !state_equal(test, &now, &before);
}

/* Waits until CPU has sorted as the head: each head sorts once at least. */
static void await_shuffle(uint32_t cpu)
{
	for (uint64_t start = port_cycles();
	     event_peek(cpu, EV_NUMA_FLUSHED) == 0 && !too_late(start);)
		let_others_run(1);
}

static void await_sorted(struct test *test)
{
	uint64_t start = port_cycles();

	while (event_peek_sum(test, EV_NUMA_SORTED) < sorted && !too_late(start))
		let_others_run(1);
	let_others_run(50); /* more would be too many */
	if (event_peek_sum(test, EV_NUMA_SORTED) != sorted)
		fail(test, "%llu waiters were moved, not %u",
		     (unsigned long long)event_peek_sum(test, EV_NUMA_SORTED), sorted);
}

static bool arrive(struct test *test, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		state_copy(test, &before);
		tell(arrivals[i], COMMAND_ACQUIRE);
		if (!await(test, lock_changed, "an arrival at the tail"))
			return false;
		if (i == 0)
			await_shuffle(arrivals[0]);
		let_others_run(20); /* to link itself */
	}
	return true;
}

static void conduct_order(struct test *test)
{
	lock_acquire(test);
	if (!arrive(test, 0, ACTORS - late))
		return;
	lock_release(test);
	for (uint32_t i = 0; i < ACTORS; i++) {
		uint32_t who = soon_owner(test);

		if (who == 0)
			return;
		if (who != grants[i])
			fail(test, "grant %u went to CPU %u, not %u", i, who, grants[i]);
		if (i == 0) {
			await_shuffle(arrivals[1]);
			if (!arrive(test, ACTORS - late, ACTORS))
				return;
			await_sorted(test);
		}
		tell(who, COMMAND_RELEASE);
		await_state(test, who, ACTOR_IDLE);
	}
}

/* `in`, `out`: the orders of arrivals and of grants. `moved`: how many waiters are moved. `behind`:
 * how many come late. */
static void play(struct test *test, const uint32_t in[ACTORS], const uint32_t out[ACTORS],
		 uint32_t moved, uint32_t behind)
{
	struct state initial;

	arrivals = in;
	grants = out;
	sorted = moved;
	late = behind;
	state_copy(test, &initial);
	with_actors(test, conduct_order);
	check_free(test, &initial);
}

/* 1 heads the queue and moves 5 and 7 past 4. */
static void test_groups(struct test *test)
{
	static const uint32_t in[] = {2, 1, 3, 4, 5, 7, 6}, out[] = {2, 1, 3, 5, 7, 4, 6};

	client_nodes(test, 2);
	play(test, in, out, 2, 0);
}

/* 3 joins the group of 1, the head, which passes the role to 3: so 3 moves 5 and 7. */
static void test_role(struct test *test)
{
	static const uint32_t in[] = {2, 1, 3, 4, 5, 7, 6}, out[] = {2, 1, 3, 5, 7, 4, 6};

	client_nodes(test, 2);
	play(test, in, out, 2, 3);
}

/* The last of the queue stays the last. */
static void test_last_stays(struct test *test)
{
	static const uint32_t in[] = {2, 1, 4, 3, 6, 5, 7}, out[] = {2, 1, 3, 5, 4, 6, 7};

	client_nodes(test, 2);
	play(test, in, out, 2, 0);
}

/* Groups of two: 1 and 3 are one, 4 starts another. */
static void test_full(struct test *test)
{
	static const uint32_t in[] = {2, 1, 3, 4, 5, 7, 6}, out[] = {2, 1, 3, 4, 5, 7, 6};

	client_nodes(test, 2);
	set_tunable(test, "shfl_batch", 2);
	play(test, in, out, 0, 0);
}

static bool three_is_off(uint32_t cpu)
{
	return cpu == 3;
}

static void test_active_first(struct test *test)
{
	static const uint32_t in[] = {2, 1, 3, 4, 5, 7, 6}, out[] = {2, 1, 4, 5, 7, 3, 6};
	const struct pv_backend *real = pv_backend;
	struct pv_backend backend = *pv_backend;

	backend.preempted = three_is_off;
	pv_backend = &backend;
	set_tunable(test, "shfl_policy", 1);
	play(test, in, out, 3, 0);
	pv_backend = real;
}

/* Tests exclusion only: how many are moved depends on who runs when. */
static void test_race(struct test *test)
{
	client_nodes(test, test->argument);
	set_tunable(test, "shfl_policy", test->argument == 1);
	test_exclusion(test);
}

#define SHFLLOCK .only = "shfllock"
CASE_REGISTER(shfl_groups, "groups waiters by node", test_groups, ACTORS + 1, SHFLLOCK);
CASE_REGISTER(shfl_role, "the role of the shuffler is passed on", test_role, ACTORS + 1, SHFLLOCK);
CASE_REGISTER(shfl_last, "the last waiter is not moved", test_last_stays, ACTORS + 1, SHFLLOCK);
CASE_REGISTER(shfl_full, "a full group is not extended", test_full, ACTORS + 1, SHFLLOCK);
CASE_REGISTER(shfl_active, "brings active waiters forward", test_active_first, ACTORS + 1,
	      SHFLLOCK);
CASE_REGISTER(shfl_race_2, "excludes, 2 nodes, 16 threads", test_race, 16, .argument = 2, SHFLLOCK);
CASE_REGISTER(shfl_race_4, "excludes, 4 nodes, 16 threads", test_race, 16, .argument = 4, SHFLLOCK);
CASE_REGISTER(shfl_lied_8, "excludes, sorting by wrong hints, 8 threads", test_race, 8,
	      .argument = 1, .backend = BACKEND_LYING, SHFLLOCK);
CASE_REGISTER(shfl_lied_16, "excludes, sorting by wrong hints, 16 threads", test_race, 16,
	      .argument = 1, .backend = BACKEND_LYING, SHFLLOCK);
