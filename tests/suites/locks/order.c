/* SPDX-License-Identifier: MIT */
/*
 * Cases that actors play step by step: what try_acquire answers, and in which order a lock that
 * claims LOCK_FIFO grants. An arrival counts as queued when the lock's state has changed: every
 * lock that can grant in order of arrival has to write down that somebody arrived.
 */
#include "locks/core/tunables.h"
#include "tests/suites/locks/client.h"

static struct state before;

static bool lock_changed(struct test *test)
{
	struct state now;

	state_copy(test, &now);
	return !state_equal(test, &now, &before);
}

/* Also true if the actor has got the lock already; conduct_trylock reports that. */
static bool has_asked(struct test *test)
{
	(void)test;
	return actor_state(1) == ACTOR_ACQUIRING || actor_state(1) == ACTOR_OWNS;
}

static uint32_t trying;

static bool has_tried(struct test *test)
{
	(void)test;
	return actor_state(trying) == ACTOR_REFUSED || actor_state(trying) == ACTOR_OWNS;
}

/* Whether try_acquire fails on CPU. For a CPU that has not tried before. */
static bool is_refused(struct test *test, uint32_t cpu)
{
	trying = cpu;
	tell(cpu, COMMAND_TRY);
	if (!await(test, has_tried, "an answer to try_acquire"))
		return false;
	if (actor_state(cpu) != ACTOR_REFUSED)
		fail(test, "try_acquire of a held lock does not fail");
	return actor_state(cpu) == ACTOR_REFUSED;
}

static void conduct_trylock(struct test *test)
{
	if (!lock_try(test)) {
		fail(test, "try_acquire fails on a free lock");
		return;
	}
	if (!is_refused(test, 1))
		return;
	/* now somebody waits for the held lock; an unfair lock need not show the waiter */
	tell(1, COMMAND_ACQUIRE);
	await(test, has_asked, "an acquire begun");
	let_others_run(5);
	is_refused(test, 2);
	if (lock_try(test))
		fail(test, "try_acquire succeeds for the owner itself");
	if (actor_state(1) == ACTOR_OWNS)
		fail(test, "acquired while held");
	lock_release(test);
	if (!await_state(test, 1, ACTOR_OWNS))
		return;
	if (lock_try(test))
		fail(test, "try_acquire succeeds on a lock that was held by acquire");
	tell(1, COMMAND_RELEASE);
	await_state(test, 1, ACTOR_IDLE);
	for (int i = 0; i < 3; i++) {
		tell(2, COMMAND_TRY);
		if (!await_state(test, 2, ACTOR_OWNS))
			return;
		tell(2, COMMAND_RELEASE);
		await_state(test, 2, ACTOR_IDLE);
	}
}

void test_trylock(struct test *test)
{
	struct state initial;

	state_copy(test, &initial);
	with_actors(test, conduct_trylock);
	check_free(test, &initial);
}

void conduct_tries(struct test *test)
{
	for (int i = 0; i < 8; i++) {
		if (!lock_try(test)) {
			fail(test, "try %d of a free lock fails: %s", i, lock_text(test));
			return;
		}
		if (lock_try(test))
			fail(test, "try %d succeeds for the owner itself", i);
		lock_release(test);
	}
}

/* Returns which of 1..threads-1 owns the lock; 0: nobody yet. */
static uint32_t owner(const struct test *test)
{
	uint32_t found = 0;

	for (uint32_t i = 1; i < test->threads; i++)
		if (actor_state(i) == ACTOR_OWNS)
			found = i;
	return found;
}

static bool somebody_owns(struct test *test)
{
	return owner(test) != 0;
}

static void conduct_fifo(struct test *test)
{
	lock_acquire(test);
	for (uint32_t i = 1; i < test->threads; i++) {
		state_copy(test, &before);
		tell(i, COMMAND_ACQUIRE);
		if (!await(test, lock_changed, "a waiter's arrival in the lock's state"))
			break;
		let_others_run(1); /* time to link itself, or to settle with the pending bit */
	}
	lock_release(test);
	for (uint32_t i = 1; i < test->threads; i++) {
		uint32_t who;

		if (!await(test, somebody_owns, "a grant"))
			return;
		who = owner(test);
		if (who != i)
			fail(test, "arrival %u of %u was granted as number %u", who,
			     test->threads - 1, i);
		tell(who, COMMAND_RELEASE);
		if (!await_state(test, who, ACTOR_IDLE))
			return;
	}
}

void test_fifo(struct test *test)
{
	struct state initial;

	/* halting may change the state, too, which would count as an arrival */
	lock_tunables.spin_threshold = UINT32_MAX;
	state_copy(test, &initial);
	with_actors(test, conduct_fifo);
	check_free(test, &initial);
}

CASE_REGISTER(fifo, "grants in order of arrival", test_fifo, 6, .with = LOCK_FIFO);
CASE_REGISTER(trylock, "try_acquire takes a free lock only", test_trylock, 3,
	      .without = LOCK_NO_EXCLUSION);
