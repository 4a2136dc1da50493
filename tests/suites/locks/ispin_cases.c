/* SPDX-License-Identifier: MIT */
/*
 * i-spinlock on a host that this file plays. CPU 1 gets a steal-time page of its own, and the
 * conductor writes into it what KVM would write. Slices last some 50 ms, and sections are believed
 * to be longer than any slice, so CPU 1 burns whenever the lock thinks that its slice has an end.
 */
#include "lib/histogram.h"
#include "locks/core/pv.h"
#include "locks/pv_ticket_wait.h"
#include "port/port.h"
#include "tests/suites/locks/client.h"

#define SLICE_MS 50

static struct steal_area page;
static _Atomic uint32_t yielded_to; /* CPU + 1 */
static uint64_t taught;             /* cycles: CPU 1's estimate is no longer than this */
static uint64_t bound;              /* ... and its burn */

static void watching_yield_to(uint32_t cpu)
{
	atomic_store_explicit(&yielded_to, cpu + 1, memory_order_relaxed);
	let_others_run(1);
}

/* Writes what KVM writes when CPU 1 runs again after it was kept waiting. */
static void preempt(void)
{
	atomic_fetch_add_explicit(&page.steal, 1000000, memory_order_relaxed);
	atomic_fetch_add_explicit(&page.version, 2, memory_order_relaxed);
}

static bool use_once(struct test *test)
{
	tell(1, COMMAND_ACQUIRE);
	if (!await_state(test, 1, ACTOR_OWNS))
		return false;
	tell(1, COMMAND_RELEASE);
	return await_state(test, 1, ACTOR_IDLE);
}

/* Lets CPU 1 see one whole slice; then it is at the start of the next. */
static bool teach(struct test *test)
{
	bool ok = use_once(test); /* its first slice: no end, nothing learnt */
	uint64_t start = port_cycles();

	preempt();
	ok = ok && use_once(test);
	let_others_run(SLICE_MS);
	ok = ok && use_once(test);
	taught = port_cycles() - start;
	preempt();
	return ok;
}

static bool has_begun(struct test *test)
{
	(void)test;
	return actor_state(1) != ACTOR_IDLE;
}

/* Tells CPU 1 to acquire, and gives it the time to find that its slice is too short. */
static bool burns_now(struct test *test)
{
	tell(1, COMMAND_ACQUIRE);
	if (!await(test, has_begun, "the beginning of a burn"))
		return false;
	let_others_run(20);
	return true;
}

static bool has_ticket(const struct test *test)
{
	const union pv_ticket *lock = test->lock;
	uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);

	return (uint16_t)word != word >> PV_TICKET_TAIL_SHIFT;
}

static void play(struct test *test, void (*conductor)(struct test *test))
{
	const struct steal_area *own = port_stats(1)->steal;
	const struct pv_backend *real = pv_backend;
	struct pv_backend watching = *real;

	watching.yield_to = watching_yield_to;
	pv_backend = &watching;
	atomic_store_explicit(&yielded_to, 0, memory_order_relaxed);
	atomic_store_explicit(&page.version, 0, memory_order_relaxed);
	port_stats(1)->steal = &page;
	port_stats(1)->slice_quantile = 0; /* nothing learnt from the real host */
	set_tunable(test, "ispin_hold", UINT32_MAX);
	set_tunable(test, "ispin_quiet_ms", 100000);
	with_actors(test, conductor);
	port_stats(1)->steal = own;
	pv_backend = real;
}

/* The lock is free, but CPU 1 does not touch it until its next slice. */
static void conduct_burn(struct test *test)
{
	uint64_t start = port_cycles();

	if (burns_now(test) && (has_ticket(test) || actor_state(1) != ACTOR_ACQUIRING) &&
	    port_cycles_to_ns(port_cycles() - start) < SLICE_MS * UINT64_C(1500000))
		fail(test, "CPU 1 queued although its slice is too short: %s", lock_text(test));
	preempt();
	bound = port_cycles() - start + 10000; /* RDTSC is not exact to the cycle */
	if (!await_state(test, 1, ACTOR_OWNS))
		return;
	tell(1, COMMAND_RELEASE);
	await_state(test, 1, ACTOR_IDLE);
}

static void conduct_short(struct test *test)
{
	if (teach(test))
		conduct_burn(test);
}

/* Sections take no time, but the slice should be over. */
static void conduct_past(struct test *test)
{
	if (!teach(test))
		return;
	set_tunable(test, "ispin_hold", 0);
	if (!use_once(test))
		return;
	for (uint64_t ms = port_cycles_to_ns(taught) / 1000000 + 5; ms > 0; ms--)
		let_others_run(1);
	conduct_burn(test);
}

static void expect_histogram(struct test *test, size_t i, const char *what, uint64_t count)
{
	static struct histogram merged;
	struct lock_histogram out = {.merged = &merged};

	histogram_reset(&merged);
	if (!test->ops->histogram(i, &out))
		fail(test, "there is no histogram %zu", i);
	else if (merged.count != count)
		fail(test, "%s (%s): %llu values, not %llu", what, out.what,
		     (unsigned long long)merged.count, (unsigned long long)count);
}

static void test_burn(struct test *test)
{
	uint64_t burnt;

	play(test, test->argument ? conduct_past : conduct_short);
	burnt = port_stats(1)->count[EV_ISPIN_BURNT_CYCLES];
	if (port_stats(1)->count[EV_ISPIN_INCAPABLE] != 1)
		fail(test, "ispin_incapable is %llu, not 1",
		     (unsigned long long)port_stats(1)->count[EV_ISPIN_INCAPABLE]);
	if (burnt == 0 || burnt > bound)
		fail(test, "%llu cycles burnt, but the next slice began after %llu",
		     (unsigned long long)burnt, (unsigned long long)bound);
	if (test->ops->histogram(3, &(struct lock_histogram){0}))
		fail(test, "there is a fourth histogram");
}

static uint64_t gave_up_after; /* cycles */

/* No next slice comes: CPU 1 gives up after twice the estimate, and then does not burn again. */
static void conduct_cap(struct test *test)
{
	uint64_t start;

	if (!teach(test))
		return;
	start = port_cycles();
	if (!use_once(test))
		return;
	gave_up_after = port_cycles() - start;
	use_once(test);
}

static void test_cap(struct test *test)
{
	static struct histogram lengths;
	struct lock_histogram out = {.merged = &lengths};

	play(test, conduct_cap);
	histogram_reset(&lengths);
	test->ops->histogram(0, &out);
	if (gave_up_after < 2 * lengths.min) /* the only slice seen is the estimate */
		fail(test, "gave up after %llu cycles, less than two slices of %llu",
		     (unsigned long long)gave_up_after, (unsigned long long)lengths.min);
	if (port_stats(1)->count[EV_ISPIN_INCAPABLE] != 1)
		fail(test, "ispin_incapable is %llu, not 1",
		     (unsigned long long)port_stats(1)->count[EV_ISPIN_INCAPABLE]);
	expect_histogram(test, 0, "lengths", 1);
	expect_histogram(test, 1, "too long", 0);
	expect_histogram(test, 2, "too short", 0);
}

static bool has_yielded(struct test *test)
{
	(void)test;
	return atomic_load_explicit(&yielded_to, memory_order_relaxed) != 0;
}

/* CPU 2 owns the lock, so CPU 1 yields to it instead of burning. */
static void conduct_yield(struct test *test)
{
	if (!teach(test))
		return;
	tell(2, COMMAND_ACQUIRE);
	if (!await_state(test, 2, ACTOR_OWNS))
		return;
	if (!burns_now(test) || (test->argument && !await(test, has_yielded, "a yield")))
		return;
	preempt();
	let_others_run(20);
	tell(2, COMMAND_RELEASE);
	if (!await_state(test, 1, ACTOR_OWNS))
		return;
	tell(1, COMMAND_RELEASE);
	await_state(test, 1, ACTOR_IDLE);
}

static void test_yield(struct test *test)
{
	uint32_t wanted = test->argument ? 3 : 0, to;

	set_tunable(test, "ispin_yield", test->argument);
	play(test, conduct_yield);
	to = atomic_load_explicit(&yielded_to, memory_order_relaxed);
	if (to != wanted)
		fail(test, "ispin_yield=%u: yielded to CPU %d", test->argument, (int)to - 1);
	if ((port_stats(1)->count[EV_YIELD_OWNER] != 0) != (wanted != 0))
		fail(test, "yield_owner is %llu",
		     (unsigned long long)port_stats(1)->count[EV_YIELD_OWNER]);
}

/* Whether the host has written any steal-time page. */
static bool host_tells(const struct test *test)
{
	uint32_t versions = 0;

	for (uint32_t i = 0; i < test->threads; i++)
		versions |=
			atomic_load_explicit(&port_stats(i)->steal->version, memory_order_relaxed);
	return versions != 0;
}

/* Default constants on a host that writes no steal-time page: as if there were no check. */
static void test_alone(struct test *test)
{
	test_exclusion(test);
	if (!host_tells(test) && event_sum(test, EV_ISPIN_INCAPABLE) != 0)
		fail(test, "ispin_incapable is %llu without a steal-time page",
		     (unsigned long long)event_sum(test, EV_ISPIN_INCAPABLE));
}

#define ISPIN .only = "i-spinlock"
CASE_REGISTER(burn, "burns a slice that is too short", test_burn, 2, ISPIN);
CASE_REGISTER(past, "burns a slice that should be over", test_burn, 2, .argument = 1, ISPIN);
CASE_REGISTER(cap, "burns no longer than twice the estimate", test_cap, 2, ISPIN);
CASE_REGISTER(owner, "yields to the owner", test_yield, 3, .argument = 1, ISPIN);
CASE_REGISTER(no_owner, "does not yield unless told to", test_yield, 3, .argument = 0, ISPIN);
CASE_REGISTER(alone, "always queues where there is no steal-time page", test_alone, 4, ISPIN);
