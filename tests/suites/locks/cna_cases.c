/* SPDX-License-Identifier: MIT */
/*
 * cna, step by step, on two pretended NUMA nodes (CPU c is on c % 2). CPU 0 owns. Of a list of
 * arrivals, the first takes the pending bit, the second heads the queue and sorts the rest; some
 * more arrive when the second owns. The grants must come in the order of another list.
 */
#include "port/port.h"
#include "tests/suites/locks/client.h"

#define ACTORS  6
#define THREADS (ACTORS + 2) /* CPU 0, and one of 1 to 7 has no part */

struct script {
	uint32_t arrivals[ACTORS], grants[ACTORS];
	uint32_t early;  /* arrivals while 0 owns */
	uint32_t sorted; /* waiters set aside by the first head */
};

static const struct script *script;
static struct state before;

static bool lock_changed(struct test *test)
{
	struct state now;

	state_copy(test, &now);
	return !state_equal(test, &now, &before);
}

static bool arrive(struct test *test, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		state_copy(test, &before);
		tell(script->arrivals[i], COMMAND_ACQUIRE);
		if (!await(test, lock_changed, "an arrival in the word"))
			return false;
		let_others_run(20); /* to link itself */
	}
	return true;
}

static void expect_sorted(struct test *test)
{
	for (uint64_t start = port_cycles();
	     event_peek_sum(test, EV_NUMA_SORTED) < script->sorted && !too_late(start);)
		let_others_run(1);
	let_others_run(50); /* more would be too many */
	if (event_peek_sum(test, EV_NUMA_SORTED) != script->sorted)
		fail(test, "%llu waiters were set aside, not %u",
		     (unsigned long long)event_peek_sum(test, EV_NUMA_SORTED), script->sorted);
}

static void conduct(struct test *test)
{
	lock_acquire(test);
	if (!arrive(test, 0, script->early))
		return;
	expect_sorted(test);
	lock_release(test);
	for (uint32_t i = 0; i < ACTORS; i++) {
		uint32_t who = soon_owner(test);

		if (who == 0)
			return;
		if (who != script->grants[i])
			fail(test, "grant %u went to CPU %u, not %u", i, who, script->grants[i]);
		if (who == script->arrivals[1]) {
			let_others_run(20); /* for the next head to look */
			if (!arrive(test, script->early, ACTORS))
				return;
			expect_sorted(test);
		}
		tell(who, COMMAND_RELEASE);
		await_state(test, who, ACTOR_IDLE);
	}
}

static void play(struct test *test, const struct script *the_script, uint32_t flushed)
{
	struct lock_env env = {
		.cpus = CLIENT_CPUS,
		.nodes = test->nodes,
		.node_stride = test->stride,
	};
	struct state initial;

	client_nodes(test, 2);
	test->ops->init(test->lock, &env); /* which converts the threshold */
	script = the_script;
	state_copy(test, &initial);
	with_actors(test, conduct);
	check_free(test, &initial);
	if (event_sum(test, EV_NUMA_FLUSHED) != flushed)
		fail(test, "%llu secondary queues were given back, not %u",
		     (unsigned long long)event_sum(test, EV_NUMA_FLUSHED), flushed);
}

/* 1 sets 4 and 6 aside; they get their turn when nobody of its node waits any more. */
static void test_prefers(struct test *test)
{
	static const struct script prefers = {
		.arrivals = {2, 1, 4, 6, 3, 5},
		.grants = {2, 1, 3, 5, 4, 6},
		.early = ACTORS,
		.sorted = 2,
	};

	set_tunable(test, "cna_shuffle_bits", 0);
	set_tunable(test, "cna_threshold_us", 60000000);
	play(test, &prefers, 1);
}

/* As above, but when 3 heads the queue, 4 and 6 have been aside for too long. */
static void test_threshold(struct test *test)
{
	static const struct script gives_back = {
		.arrivals = {2, 1, 4, 6, 3, 5},
		.grants = {2, 1, 3, 4, 6, 5},
		.early = ACTORS,
		.sorted = 2,
	};

	set_tunable(test, "cna_shuffle_bits", 0);
	set_tunable(test, "cna_threshold_us", 1000);
	play(test, &gives_back, 1);
}

static void test_seldom(struct test *test)
{
	static const struct script fifo = {
		.arrivals = {2, 1, 4, 6, 3, 5},
		.grants = {2, 1, 4, 6, 3, 5},
		.early = ACTORS,
		.sorted = 0,
	};

	set_tunable(test, "cna_shuffle_bits", 31);
	play(test, &fifo, 0);
}

/* 6 is the last and stays, so it heads the queue next. It inherits the preference for 1's node, so
 * 3 and 7 follow it, and 4 comes last. */
static void test_inherits(struct test *test)
{
	static const struct script inherits = {
		.arrivals = {2, 1, 4, 6, 3, 7},
		.grants = {2, 1, 6, 3, 7, 4},
		.early = 4,
		.sorted = 1,
	};

	set_tunable(test, "cna_shuffle_bits", 0);
	set_tunable(test, "cna_threshold_us", 60000000);
	play(test, &inherits, 1);
}

/* cna_threshold_us = argument. */
static void test_race(struct test *test)
{
	struct lock_env env = {
		.cpus = CLIENT_CPUS,
		.nodes = test->nodes,
		.node_stride = test->stride,
	};

	client_nodes(test, 3);
	set_tunable(test, "cna_shuffle_bits", 0);
	set_tunable(test, "cna_threshold_us", test->argument);
	test->ops->init(test->lock, &env);
	test_exclusion(test);
}

#define CNA .only = "cna"
CASE_REGISTER(cna_prefers, "prefers the head's node", test_prefers, THREADS, CNA);
CASE_REGISTER(cna_threshold, "gives an old secondary queue back", test_threshold, THREADS, CNA);
CASE_REGISTER(cna_seldom, "seldom starts a secondary queue", test_seldom, THREADS, CNA);
CASE_REGISTER(cna_inherits, "the preference is passed on", test_inherits, THREADS, CNA);
CASE_REGISTER(cna_race_0, "excludes, 3 nodes, no threshold, 16 threads", test_race, 16,
	      .argument = 0, CNA);
CASE_REGISTER(cna_race_ms, "excludes, 3 nodes, 1 ms, 16 threads", test_race, 16, .argument = 1000,
	      CNA);
CASE_REGISTER(cna_race_s, "excludes, 3 nodes, 1 s, 5 threads", test_race, 5, .argument = 1000000,
	      CNA);
