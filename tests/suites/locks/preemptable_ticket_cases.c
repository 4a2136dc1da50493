/* SPDX-License-Identifier: MIT */
/*
 * preemptable-ticket, both versions: the order holds up to the deadline and no longer, waiters that
 * were passed leave, and whatever happens to the order, the flag excludes. Predecessors that never
 * come ("ghosts") are made by hand: tickets that nobody took are added to tail.
 */
#include "locks/ticket_word.h"
#include "port/port.h"
#include "tests/suites/locks/client.h"

#define V2    2
#define LT    3
#define NEVER 30 /* shift of a deadline that passes in no case */

/* A deadline that has to pass: how long a place should last, if that is at most 2^16 polls; and how
 * long a waiter behind two places may take to leave, less than a case may take. */
#define PLACE_NS      50000000u
#define SHIFT_MAX     16
#define MEASURE_POLLS 256
#define LEAVES_MS     6000

static uint32_t version;
static uint16_t awaited_tail;
static uint64_t slowpaths; /* of actor 1, before it acquires */

static void set_version(struct test *test, uint32_t number, uint32_t shift)
{
	version = number;
	set_tunable(test, "pmt_lt", number == LT);
	set_tunable(test, number == LT ? "pmt_lt_shift" : "pmt_shift", shift);
}

/* Returns the shift for PLACE_NS. A poll takes 40 ns on a CPU of its own, and 50 us on an emulated
 * vCPU that shares one thread with 63 others. */
static uint32_t brisk_shift(void)
{
	uint64_t start = port_cycles(), poll_ns;
	uint32_t shift = 0;

	for (int i = 0; i < MEASURE_POLLS; i++)
		port_relax();
	poll_ns = port_cycles_to_ns(port_cycles() - start) / MEASURE_POLLS + 1;
	while (shift < SHIFT_MAX && poll_ns << (shift + 1) <= PLACE_NS)
		shift++;
	return shift;
}

/* Returns the difference of tickets that so many places make: pmtlock-lt counts by 2. */
static uint16_t places(uint32_t count)
{
	return (uint16_t)(version == LT ? 2 * count : count);
}

static uint16_t half(const _Atomic uint16_t *half)
{
	return atomic_load_explicit(half, memory_order_relaxed);
}

static void add(_Atomic uint16_t *half, uint32_t count)
{
	atomic_fetch_add_explicit(half, places(count), memory_order_relaxed);
}

static bool is_in_line(struct test *test)
{
	(void)test;
	return event_peek(1, EV_LOCK_SLOWPATH) != slowpaths;
}

/* Lets actor 1 acquire behind `ghosts` that never come. It then has a ticket and is about to look
 * how far it is from its turn. */
static bool queue_behind(struct test *test, uint32_t ghosts)
{
	union ticket_word *word = test->lock;

	add(&word->tail, ghosts);
	awaited_tail = (uint16_t)(half(&word->tail) + places(1));
	slowpaths = event_peek(1, EV_LOCK_SLOWPATH);
	tell(1, COMMAND_ACQUIRE);
	return await(test, is_in_line, "a ticket taken, and a wait");
}

/* Whether actor 1 gets the lock in time. If not, makes its turn come. Measures time and does not
 * count naps: on a busy machine a nap may take any time. */
static bool owns_within(struct test *test, uint64_t milliseconds)
{
	union ticket_word *word = test->lock;
	uint64_t start = port_cycles();

	while (actor_state(1) != ACTOR_OWNS &&
	       port_cycles_to_ns(port_cycles() - start) < milliseconds * 1000000)
		let_others_run(1);
	if (actor_state(1) == ACTOR_OWNS)
		return true;
	atomic_store_explicit(&word->head, (uint16_t)(awaited_tail - places(1)),
			      memory_order_relaxed);
	await_state(test, 1, ACTOR_OWNS);
	return false;
}

/* Expects actor 1 to leave a line in which its turn will not come. */
static void leaves_line(struct test *test)
{
	if (!owns_within(test, LEAVES_MS))
		fail(test, "CPU 1 waits for its turn for ever: %s", lock_text(test));
}

static bool release_1(struct test *test)
{
	tell(1, COMMAND_RELEASE);
	return await_state(test, 1, ACTOR_IDLE);
}

static void expect_events(struct test *test, uint64_t deadline_grants, uint64_t steals)
{
	if (event_sum(test, EV_DEADLINE_GRANTS) != deadline_grants ||
	    event_sum(test, EV_LOCK_STEALS) != steals)
		fail(test, "deadline_grants %llu, lock_steals %llu, not %llu and %llu",
		     (unsigned long long)event_sum(test, EV_DEADLINE_GRANTS),
		     (unsigned long long)event_sum(test, EV_LOCK_STEALS),
		     (unsigned long long)deadline_grants, (unsigned long long)steals);
}

static uint64_t deadline_grants(const struct test *test)
{
	return event_sum(test, EV_DEADLINE_GRANTS);
}

/* Runs the conductor; then the lock must be free: head counts every release. */
static void play(struct test *test, void (*conductor)(struct test *test))
{
	struct state initial;

	state_copy(test, &initial);
	with_actors(test, conductor);
	check_free(test, &initial);
}

/* Plays rounds until one ends as it should: a waiter that a busy machine stopped between its ticket
 * and its first look did not see what the case is about. Each round has twice the time of the one
 * before; together they must end within what a case may take (guest.c). */
#define ROUNDS 5
static int replays;
static bool missed;

static void play_until_seen(struct test *test, void (*conductor)(struct test *test),
			    const char *what)
{
	replays = 0;
	do {
		missed = false;
		play(test, conductor);
	} while (missed && ++replays < ROUNDS);
	if (missed)
		fail(test, "%s, in %d of %d rounds", what, replays, ROUNDS);
}

static void conduct_deadline(struct test *test)
{
	union ticket_word *word = test->lock;

	if (!queue_behind(test, 2))
		return;
	leaves_line(test);
	if (lock_try(test))
		fail(test, "try_acquire of a lock held out of order");
	release_1(test);
	if (lock_try(test))
		fail(test, "try_acquire passes the tickets that are out");
	add(&word->head, 2); /* the ghosts come and go */
}

/* Nobody serves the two tickets before the waiter's, so it leaves the line and passes both. */
static void test_deadline(struct test *test)
{
	set_version(test, test->argument, test->argument == LT ? 8 : brisk_shift());
	play(test, conduct_deadline);
	expect_events(test, 1, 1);
}

static void conduct_in_order(struct test *test)
{
	union ticket_word *word = test->lock;

	if (!queue_behind(test, 1))
		return;
	let_others_run(50);
	if (actor_state(1) == ACTOR_OWNS)
		fail(test, "granted before its turn and before its deadline");
	add(&word->head, 1);
	if (await_state(test, 1, ACTOR_OWNS))
		release_1(test);
}

/* Before the deadline the order holds, although the flag is free. */
static void test_in_order(struct test *test)
{
	set_version(test, test->argument, NEVER);
	play(test, conduct_in_order);
	expect_events(test, 0, 0);
}

/* The line moves on past the waiter's ticket, by `passed` places. */
static uint32_t passed, brisk;

static void conduct_passed(struct test *test)
{
	union ticket_word *word = test->lock;
	uint64_t grants = deadline_grants(test), steals = event_sum(test, EV_LOCK_STEALS);

	/* its deadline has to outlast a slice, if both share a CPU */
	if (version == V2)
		set_tunable(test, "pmt_shift", brisk + (uint32_t)replays);
	if (!queue_behind(test, 2))
		return;
	add(&word->tail, passed);
	add(&word->head, 2 + passed);
	leaves_line(test);
	release_1(test);
	if (deadline_grants(test) != grants + 1)
		fail(test, "deadline_grants does not count a waiter that was passed");
	missed = event_sum(test, EV_LOCK_STEALS) != steals;
}

/* In version 2 the waiter leaves by the deadline that it had, even if so many have passed it that
 * its ticket looks far ahead; in pmtlock-lt it leaves at once. */
static void test_passed(struct test *test)
{
	set_version(test, test->argument % 16, test->argument % 16 == LT ? NEVER : 0);
	brisk = brisk_shift();
	passed = test->argument / 16;
	play_until_seen(test, conduct_passed, "a waiter that was passed counts as having passed");
}

/* When the ticket's turn comes, a vCPU that left the line holds the flag. */
static void conduct_turn_while_held(struct test *test)
{
	union ticket_word *word = test->lock;
	uint64_t grants = deadline_grants(test);

	lock_acquire(test);
	if (!queue_behind(test, 0))
		return;
	add(&word->head, 1); /* its turn, as if the owner had a later ticket */
	let_others_run(20 << replays);
	if (actor_state(1) == ACTOR_OWNS)
		fail(test, "acquired while held");
	add(&word->tail, 1);
	lock_release(test);
	missed = !owns_within(test, UINT64_C(250) << replays); /* it did not look during its turn */
	release_1(test);
	if (missed)
		add(&word->head, 1);
	missed = missed || deadline_grants(test) != grants;
}

static void test_turn_while_held(struct test *test)
{
	set_version(test, test->argument, NEVER);
	play_until_seen(test, conduct_turn_while_held,
			"it left the line although its turn had come");
}

#define FAR 16000 /* places; at PLACE_NS or 2^16 polls each, minutes */

static void set_far(struct test *test, uint32_t number)
{
	struct lock_env env = {.cpus = FAR + CLIENT_CPUS};

	test->ops->init(test->lock, &env);
	set_version(test, number, brisk_shift());
}

static void conduct_line_moves(struct test *test)
{
	union ticket_word *word = test->lock;
	bool fresh = test->argument == V2;

	if (!queue_behind(test, FAR))
		return;
	let_others_run(20);
	add(&word->head, FAR - 1);
	if (!fresh) {
		let_others_run(200);
		missed = actor_state(1) == ACTOR_OWNS;
		add(&word->head, 1);
	}
	leaves_line(test);
	release_1(test);
	if (fresh)
		add(&word->head, 1);
}

/* The line moves on until the waiter is next, and stops there. Version 2 then waits for one place,
 * pmtlock-lt for as long as it set out to on arrival. */
static void test_line_moves(struct test *test)
{
	set_far(test, test->argument);
	play_until_seen(test, conduct_line_moves, "pmtlock-lt renewed its deadline");
	if (test->argument == V2)
		expect_events(test, 1, 1);
}

/* `argument`: the version plus 16 times the shift. */
static void test_race(struct test *test)
{
	uint32_t shift = test->argument / 16;

	set_version(test, test->argument % 16, shift);
	if (shift == 0)
		race_until_counted(test, EV_DEADLINE_GRANTS);
	else
		test_exclusion(test);
}

/* Near the wrap of head and tail: 2^16 - 4 have been released. */
static void near_wrap(struct test *test)
{
	union ticket_word *word = test->lock;

	atomic_store_explicit(&word->head, 0xfffc, memory_order_relaxed);
	atomic_store_explicit(&word->tail, 0xfffc, memory_order_relaxed);
}

static void test_wrap_race(struct test *test)
{
	near_wrap(test);
	test_race(test);
}

static void test_wrap_fifo(struct test *test)
{
	set_version(test, test->argument, NEVER);
	near_wrap(test);
	test_fifo(test);
	expect_events(test, 0, 0);
}

/* Tries for every ticket from 2^16 - 4 on. */
static void test_wrap_tries(struct test *test)
{
	set_version(test, test->argument, NEVER);
	near_wrap(test);
	play(test, conduct_tries);
}

static void test_trylock_of(struct test *test)
{
	set_version(test, test->argument, test->argument == LT ? 8 : 14);
	test_trylock(test);
}

#define PMT                .only = "preemptable-ticket"
#define WITH(version_, n_) .argument = (version_) + 16 * (n_), PMT
#define BOTH(id_, name_, run_, threads_)                                                   \
	CASE_REGISTER(id_##_v2, name_ ", version 2", run_, threads_, .argument = V2, PMT); \
	CASE_REGISTER(id_##_lt, name_ ", pmtlock-lt", run_, threads_, .argument = LT, PMT)

CASE_REGISTER(race_lt_2, "excludes, pmtlock-lt, 2 threads", test_race, 2, WITH(LT, 8));
CASE_REGISTER(race_lt_16, "excludes, pmtlock-lt, 16 threads", test_race, 16, WITH(LT, 8));
CASE_REGISTER(rush_v2, "excludes past the deadline, version 2", test_race, 4, WITH(V2, 0));
CASE_REGISTER(rush_v2_16, "excludes past the deadline, version 2, 16 threads", test_race, 16,
	      WITH(V2, 0));
CASE_REGISTER(rush_lt, "excludes past the deadline, pmtlock-lt", test_race, 4, WITH(LT, 0));
CASE_REGISTER(rush_lt_16, "excludes past the deadline, pmtlock-lt, 16 threads", test_race, 16,
	      WITH(LT, 0));
CASE_REGISTER(wrap_v2, "excludes where tickets wrap, version 2", test_wrap_race, 4, WITH(V2, 3));
CASE_REGISTER(wrap_lt, "excludes where tickets wrap, pmtlock-lt", test_wrap_race, 4, WITH(LT, 3));
BOTH(trylock, "try_acquire takes a free lock only", test_trylock_of, 3);
/* the two ghosts before the waiter stand for other CPUs, so a case needs as many */
BOTH(deadline, "leaves the line at its deadline", test_deadline, 3);
BOTH(in_order, "keeps the order before its deadline", test_in_order, 2);
BOTH(turn, "its turn comes while another CPU holds the lock", test_turn_while_held, 2);
BOTH(line, "its deadline when the line moves on", test_line_moves, 2);
BOTH(wrap_fifo, "grants in order where tickets wrap", test_wrap_fifo, 6);
BOTH(wrap_tries, "try_acquire where tickets wrap", test_wrap_tries, 2);
CASE_REGISTER(passed, "a passed waiter leaves, version 2", test_passed, 2, WITH(V2, 1));
CASE_REGISTER(passed_far, "a waiter passed by half of all tickets leaves, version 2", test_passed,
	      2, WITH(V2, 0x9000));
CASE_REGISTER(passed_lt, "a passed waiter leaves, pmtlock-lt", test_passed, 2, WITH(LT, 1));
