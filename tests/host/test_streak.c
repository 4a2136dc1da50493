/* SPDX-License-Identifier: MIT */
/* Tests the longest streak (bench/streak.h) with known sequences of owners, and which part of a
 * streak counts for a phase (bench/worker.c). */
#include "bench/streak.h"

#include "bench/worker.h"
#include "tests/host/test.h"

#define WORKERS 3

/* Plays a sequence of owners, "AABA". For each it does what bench/loop.h does in a section. */
static void play(const char *owners, uint64_t *count, struct streak streak[WORKERS])
{
	for (; *owners != '\0'; owners++) {
		struct streak *own = &streak[*owners - 'A'];

		streak_enter(own, *count);
		(*count)++;
		streak_leave(own, *count);
	}
}

/* A, B and C must have these longest streaks in a phase with this sequence. */
static void expect(const char *owners, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t wanted[WORKERS] = {a, b, c};
	struct streak streak[WORKERS];
	uint64_t count = 0;

	for (int i = 0; i < WORKERS; i++)
		streak_begin(&streak[i], count);
	play(owners, &count, streak);
	for (int i = 0; i < WORKERS; i++)
		assert_int_equal(streak_end(&streak[i], UINT64_MAX), wanted[i]);
}

static void known_sequences(void **state)
{
	(void)state;
	expect("", 0, 0, 0);
	expect("A", 1, 0, 0);
	expect("ABCABC", 1, 1, 1);
	expect("AABAAAB", 3, 1, 0);
	expect("BBBBA", 1, 4, 0);
	/* the last streak is open, the longest is in the middle */
	expect("CABBBBCCA", 1, 4, 2);
	/* many short streaks do not add up */
	expect("ABABABABAB", 1, 1, 0);
}

/* Acquisitions before the phase do not count, even if the streak continues. */
static void counts_from_the_start_of_the_phase(void **state)
{
	struct streak streak[WORKERS];
	uint64_t count = 0;

	(void)state;
	for (int i = 0; i < WORKERS; i++)
		streak_begin(&streak[i], count);
	play("BAAAA", &count, streak);
	streak_begin(&streak[0], count);
	play("AAB", &count, streak);
	assert_int_equal(streak_end(&streak[0], UINT64_MAX), 2);
	/* B's phase began earlier: its worker has not seen the change yet */
	assert_int_equal(streak_end(&streak[1], UINT64_MAX), 1);
}

/* Nobody competes if a vCPU has its own lock, or if all others have done their ops=. */
static void without_competition_there_is_no_streak(void **state)
{
	struct streak streak[WORKERS];
	uint64_t count = 0, left_alone;

	(void)state;
	for (int i = 0; i < WORKERS; i++)
		streak_begin(&streak[i], count);
	play("AAA", &count, streak);
	assert_int_equal(streak_end(&streak[0], 0), 0);
	play("BA", &count, streak);
	left_alone = count;
	play("AAAAAAA", &count, streak);
	assert_int_equal(streak_end(&streak[0], left_alone), 3);
	assert_int_equal(streak_end(&streak[0], UINT64_MAX), 8);
	/* C waited meanwhile and acquires last: it has no streak before the others left */
	play("C", &count, streak);
	assert_int_equal(streak_end(&streak[2], left_alone), 0);
}

uint64_t port_ns_to_cycles(uint64_t ns)
{
	return ns;
}

/* Workers that share a section, set up as in bench/run.c. */
static struct worker workers[WORKERS];
static struct lock_stats stats[WORKERS];
static struct section section;

static int workers_begin(void **state)
{
	(void)state;
	section = (struct section){0};
	for (int i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){.section = &section, .sharers = WORKERS};
		workers[i].stats = &stats[i];
		workers[i].ops_wanted = 4;
	}
	return 0;
}

static void all_begin(enum phase phase)
{
	for (int i = 0; i < WORKERS; i++)
		worker_begin(&workers[i], phase);
}

/* Does what measured_loop() does each time an owner gets the lock. In lower case, the owner finds
 * that its phase has changed or that it has done its ops=. */
static void run_phase(const char *owners, enum phase phase)
{
	for (; *owners != '\0'; owners++) {
		struct worker *own = &workers[(*owners | 0x20) - 'a'];
		uint64_t count = atomic_load(&section.second);

		if (*owners >= 'a' && !worker_next_phase(own, phase))
			continue;
		streak_enter(&own->streak, count);
		atomic_store(&section.second, count + 1);
		streak_leave(&own->streak, count + 1);
		own->ops++;
	}
}

static void with_a_phase_of_fixed_time(void **state)
{
	(void)state;
	all_begin(PHASE_WARMUP);
	run_phase("AAAAAAABBBBC", PHASE_WARMUP);
	/* C continues; B enters the phase late, A never */
	run_phase("cCCCbBC", PHASE_MEASURE);
	run_phase("cba", PHASE_STOP);
	assert_int_equal(workers[0].longest_streak, 0);
	assert_int_equal(workers[1].longest_streak, 2);
	assert_int_equal(workers[2].longest_streak, 4);
}

/* A is done first, then B. C's acquisitions count as a streak only while B competes. */
static void with_a_fixed_number_of_ops(void **state)
{
	(void)state;
	all_begin(PHASE_MEASURE);
	run_phase("AAABBBA"
		  "a"
		  "BCC"
		  "b"
		  "CC"
		  "c",
		  PHASE_MEASURE);
	assert_int_equal(workers[0].longest_streak, 3);
	assert_int_equal(workers[1].longest_streak, 3);
	assert_int_equal(workers[2].longest_streak, 2);
}

/* workload=uncontended, or one thread. */
static void a_lock_of_its_own(void **state)
{
	(void)state;
	workers[0].sharers = 1;
	worker_begin(&workers[0], PHASE_MEASURE);
	run_phase("AAAAa", PHASE_MEASURE);
	assert_int_equal(workers[0].longest_streak, 0);
	assert_int_equal(workers[0].measured_ops, 4);
}

/* workload=kbuild */
static void without_a_section(void **state)
{
	(void)state;
	workers[0].section = NULL;
	worker_begin(&workers[0], PHASE_MEASURE);
	assert_false(worker_next_phase(&workers[0], PHASE_STOP));
	assert_int_equal(workers[0].longest_streak, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_sequences),
		cmocka_unit_test(counts_from_the_start_of_the_phase),
		cmocka_unit_test(without_competition_there_is_no_streak),
		cmocka_unit_test_setup(with_a_phase_of_fixed_time, workers_begin),
		cmocka_unit_test_setup(with_a_fixed_number_of_ops, workers_begin),
		cmocka_unit_test_setup(a_lock_of_its_own, workers_begin),
		cmocka_unit_test_setup(without_a_section, workers_begin),
	};

	return cmocka_run_group_tests_name("streak", tests, NULL, NULL);
}
