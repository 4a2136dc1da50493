/* SPDX-License-Identifier: MIT */
/* The longest streak (bench/streak.h) of sequences of owners that are known, and what of them the
 * phases of a run leave (bench/worker.c). */
#include "bench/streak.h"

#include "bench/worker.h"
#include "tests/host/test.h"

#define WORKERS 3

/* Plays a sequence of owners, "AABA": each section is what bench/loop.h makes of it. */
static void play(const char *owners, uint64_t *count, struct streak streak[WORKERS])
{
	for (; *owners != '\0'; owners++) {
		struct streak *own = &streak[*owners - 'A'];

		streak_enter(own, *count);
		(*count)++;
		streak_leave(own, *count);
	}
}

/* The longest streaks of A, B and C in a phase that is all of the sequence. */
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
	/* many short ones are no long one */
	expect("ABABABABAB", 1, 1, 0);
}

/* What came before the phase is not in it, though the streak goes on. */
static void counts_from_the_phase_on(void **state)
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
	/* B's own phase began before: its worker has seen no change yet */
	assert_int_equal(streak_end(&streak[1], UINT64_MAX), 1);
}

/* The lock of one's own, or all the others have done their ops=: nobody competes. */
static void alone_is_no_streak(void **state)
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
	/* C has waited since, and was the last to come: it never was alone with a streak */
	play("C", &count, streak);
	assert_int_equal(streak_end(&streak[2], left_alone), 0);
}

uint64_t port_ns_to_cycles(uint64_t ns)
{
	return ns;
}

/* Workers that share a section, as run.c sets them up. */
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

/* As measured_loop() goes round, each time that the lock is given to the next of the owners: lower
 * case finds that its phase has changed, or that it has its ops=. */
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

static void by_time(void **state)
{
	(void)state;
	all_begin(PHASE_WARMUP);
	run_phase("AAAAAAABBBBC", PHASE_WARMUP);
	/* C goes on where it was; B comes late, A never */
	run_phase("cCCCbBC", PHASE_MEASURE);
	run_phase("cba", PHASE_STOP);
	assert_int_equal(workers[0].longest_streak, 0);
	assert_int_equal(workers[1].longest_streak, 2);
	assert_int_equal(workers[2].longest_streak, 4);
}

/* A is done first, then B: what C goes on with is no streak, what it had with B still there is. */
static void by_number(void **state)
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
		cmocka_unit_test(counts_from_the_phase_on),
		cmocka_unit_test(alone_is_no_streak),
		cmocka_unit_test_setup(by_time, workers_begin),
		cmocka_unit_test_setup(by_number, workers_begin),
		cmocka_unit_test_setup(a_lock_of_its_own, workers_begin),
		cmocka_unit_test_setup(without_a_section, workers_begin),
	};

	return cmocka_run_group_tests_name("streak", tests, NULL, NULL);
}
