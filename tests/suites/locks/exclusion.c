/* SPDX-License-Identifier: MIT */
/*
 * Cases in which threads race: whether a lock excludes, whether its queue empties cleanly, whether
 * no wake-up is lost. Inside the section, several words on lines of their own are counted up to ten
 * and down again by separate stores (the idea of Concurrency Kit's validation of its spinlocks).
 * Afterwards two plain counters must agree with the number of sections. Races are bounded by time,
 * not by sections: where threads outnumber CPUs, a hand-over of a FIFO lock can cost a slice.
 */
#include "port/port.h"
#include "tests/suites/locks/client.h"
#include "tests/suites/locks/client_port.h"

#define WORDS 4
#define TIMES 10

struct padded {
	volatile uint64_t value;
	uint8_t pad[CACHE_LINE - 8];
};

static struct {
	struct padded word[WORDS];
	struct padded first, second;
	_Atomic uint32_t arrived;
	_Atomic bool stop;
	_Atomic uint64_t sections;
} arena;

static uint32_t next_random(uint32_t *state)
{
	/* G. Marsaglia, "Xorshift RNGs", 2003 */
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A barrier that can be used again: the n-th `threads` arrivals wait for each other. */
static void all_arrived(uint32_t threads)
{
	uint32_t mine = atomic_fetch_add_explicit(&arena.arrived, 1, memory_order_acq_rel);
	uint32_t complete = (mine / threads + 1) * threads;

	while (atomic_load_explicit(&arena.arrived, memory_order_acquire) < complete)
		client_poll();
}

/* Pauses a little, so that another thread comes meanwhile; seldom leaves the CPU. */
static void dawdle(uint32_t random)
{
	if (random % 256 == 0)
		client_yield();
	for (uint32_t i = (random >> 8) % 32; i > 0; i--)
		port_relax();
}

static bool words_are(uint64_t value)
{
	for (int i = 0; i < WORDS; i++)
		if (arena.word[i].value != value)
			return false;
	return true;
}

static void section(struct test *test, uint32_t random)
{
	arena.first.value = arena.first.value + 1;
	for (int n = 0; n < TIMES; n++)
		for (int i = 0; i < WORDS; i++)
			arena.word[i].value = arena.word[i].value + 1;
	if (!words_are(TIMES))
		fail(test, "two in the section: a word is not %d after counting up", TIMES);
	dawdle(random);
	for (int n = 0; n < TIMES; n++)
		for (int i = 0; i < WORDS; i++)
			arena.word[i].value = arena.word[i].value - 1;
	if (!words_are(0))
		fail(test, "two in the section: a word is not 0 after counting down");
	arena.second.value = arena.second.value + 1;
}

static void contend(void *arg)
{
	struct test *test = arg;
	uint32_t random = 2463534242u + port_cpu() * 7919;
	uint64_t sections = 0, start;

	all_arrived(test->threads);
	start = port_cycles(); /* the time that threads take to start is not in the budget */
	while (!atomic_load_explicit(&arena.stop, memory_order_relaxed)) {
		next_random(&random);
		if ((random >> 4) % 4 != 0)
			lock_acquire(test);
		else if (!lock_try(test))
			continue;
		section(test, random);
		lock_release(test);
		sections++;
		dawdle(random >> 3);
		if (port_cycles_to_ns(port_cycles() - start) > test->budget_ns)
			atomic_store_explicit(&arena.stop, true, memory_order_relaxed);
	}
	atomic_fetch_add_explicit(&arena.sections, sections, memory_order_relaxed);
}

static void arena_reset(void)
{
	for (int i = 0; i < WORDS; i++)
		arena.word[i].value = 0;
	arena.first.value = arena.second.value = 0;
	atomic_store_explicit(&arena.arrived, 0, memory_order_relaxed);
	atomic_store_explicit(&arena.stop, false, memory_order_relaxed);
	atomic_store_explicit(&arena.sections, 0, memory_order_relaxed);
}

/* Everybody contends; then the counters must agree. */
static void race(struct test *test)
{
	uint64_t sections;

	arena_reset();
	port_run_on(test->threads, contend, test);
	sections = atomic_load_explicit(&arena.sections, memory_order_relaxed);
	if (arena.first.value != sections || arena.second.value != sections)
		fail(test, "%llu sections, but the counters say %llu and %llu",
		     (unsigned long long)sections, (unsigned long long)arena.first.value,
		     (unsigned long long)arena.second.value);
	if (sections == 0)
		fail(test, "no progress: nobody had the lock even once");
}

void test_exclusion(struct test *test)
{
	struct state initial;

	state_copy(test, &initial);
	race(test);
	check_free(test, &initial);
}

/* Long enough for threads that take turns on one CPU to be stopped in a section. */
#define LONGEST_ROUND_NS UINT64_C(1000000000)

/* Allows one more round, of twice the length, unless the case has used up its time. */
static bool another_round(struct test *test, uint64_t start)
{
	if (port_cycles_to_ns(port_cycles() - start) > client_race_s * UINT64_C(1000000000))
		return false;
	if (test->budget_ns < LONGEST_ROUND_NS)
		test->budget_ns *= 2;
	return true;
}

bool race_until(struct test *test, const struct race_goal *goal)
{
	uint64_t start = port_cycles();
	uint32_t round = 0;

	do {
		if (goal->vary)
			goal->vary(test, round++);
		test_exclusion(test);
		if (atomic_load_explicit(&test->failed, memory_order_relaxed))
			return false;
		if (goal->seen(test))
			return true;
	} while (another_round(test, start));
	test->unseen = true;
	fail(test, "not seen in races of %u s: %s", client_race_s, goal->what);
	return false;
}

static enum lock_event counted;

static bool is_counted(const struct test *test)
{
	return event_sum(test, counted) != 0;
}

bool race_until_counted(struct test *test, enum lock_event event)
{
	const struct race_goal goal = {.seen = is_counted, .what = lock_event_names[event]};

	counted = event;
	return race_until(test, &goal);
}

/* The null lock excludes nobody: a client that lets it pass would let anything pass. */
static void test_exclusion_catches(struct test *test)
{
	uint64_t start = port_cycles();

	do
		race(test);
	while (!atomic_load_explicit(&test->failed, memory_order_relaxed) &&
	       another_round(test, start));
	if (atomic_load_explicit(&test->failed, memory_order_relaxed))
		atomic_store_explicit(&test->failed, false, memory_order_relaxed);
	else
		fail(test, "the exclusion check did not notice that there is no lock");
}

static void drain_rounds(void *arg)
{
	struct test *test = arg;
	struct state initial;
	uint64_t start = port_cycles();

	if (port_cpu() == 0)
		state_copy(test, &initial);
	for (;;) {
		all_arrived(test->threads);
		if (atomic_load_explicit(&arena.stop, memory_order_relaxed))
			return;
		lock_acquire(test);
		arena.first.value = arena.first.value + 1;
		lock_release(test);
		all_arrived(test->threads);
		if (port_cpu() != 0)
			continue;
		check_free(test, &initial);
		if (port_cycles_to_ns(port_cycles() - start) > test->budget_ns)
			atomic_store_explicit(&arena.stop, true, memory_order_relaxed);
	}
}

/* A queue forms and empties in each round. Its last waiter leaves while somebody comes or nobody
 * does; then the lock must be free and as new. */
static void test_drains(struct test *test)
{
	arena_reset();
	port_run_on(test->threads, drain_rounds, test);
}

#define EXCLUDES .without = LOCK_NO_EXCLUSION
CASE_REGISTER(excludes_2, "excludes, 2 threads", test_exclusion, 2, EXCLUDES);
CASE_REGISTER(excludes_4, "excludes, 4 threads", test_exclusion, 4, EXCLUDES);
CASE_REGISTER(excludes_16, "excludes, 16 threads", test_exclusion, 16, EXCLUDES);
CASE_REGISTER(excludes_all, "excludes, all CPUs", test_exclusion, ALL_CPUS, EXCLUDES);
CASE_REGISTER(drains_2, "the queue empties, 2 threads", test_drains, 2, EXCLUDES);
CASE_REGISTER(drains_3, "the queue empties, 3 threads", test_drains, 3, EXCLUDES);
CASE_REGISTER(lied_to_2, "excludes, wrong hints, 2 threads", test_exclusion, 2,
	      .with = LOCK_NEEDS_PREEMPTED, .backend = BACKEND_LYING);
CASE_REGISTER(lied_to_4, "excludes, wrong hints, 4 threads", test_exclusion, 4,
	      .with = LOCK_NEEDS_PREEMPTED, .backend = BACKEND_LYING);
CASE_REGISTER(lied_to_16, "excludes, wrong hints, 16 threads", test_exclusion, 16,
	      .with = LOCK_NEEDS_PREEMPTED, .backend = BACKEND_LYING);
CASE_REGISTER(catches, "this client sees that null does not exclude", test_exclusion_catches, 2,
	      .with = LOCK_NO_EXCLUSION);
