/* SPDX-License-Identifier: MIT */
/* Tests the round trip from plan_print() to plan_parse(), and random command lines: an accepted one
 * makes the round trip, any other one gives an error of one printable line. The locks are those of
 * stub_locks.c. */
#include "tests/host/plan_machine.h"

#define FUZZ_ROUNDS 30000

static void assert_same_plan(const struct plan *a, const struct plan *b)
{
	assert_int_equal(a->lock_count, b->lock_count);
	assert_memory_equal(a->locks, b->locks, a->lock_count * sizeof(a->locks[0]));
	assert_int_equal(a->thread_counts, b->thread_counts);
	assert_memory_equal(a->threads, b->threads, a->thread_counts * sizeof(a->threads[0]));
	assert_true(a->workload == b->workload && a->hold == b->hold && a->think == b->think);
	assert_true(a->nodes == b->nodes && a->tasks == b->tasks && a->jobs == b->jobs);
	assert_true(a->tick_hz == b->tick_hz);
	assert_true(a->ms == b->ms && a->ops == b->ops && a->reps == b->reps);
	assert_true(a->warmup_ms == b->warmup_ms && a->latency == b->latency);
	assert_true(a->trace == b->trace && a->trace_until_lhp == b->trace_until_lhp);
	assert_true(a->dispatch == b->dispatch && a->start == b->start && a->seed == b->seed);
	assert_true(a->nopvspin == b->nopvspin && a->hyperv == b->hyperv && a->stay == b->stay);
	assert_string_equal(a->tests, b->tests);
	assert_string_equal(a->accel, b->accel);
}

/* A printed plan parses to the same plan with the same tunables, and prints the same again. */
static void assert_round_trip(const struct plan *first)
{
	struct lock_tunables tuned = lock_tunables;
	char line[2048], again[2048];
	struct plan second;
	size_t length = plan_print(first, line, sizeof(line));

	assert_int_equal(length, strlen(line));
	if (!plan_parse(line, &machine, &second, error))
		fail_msg("\"%s\": %s", line, error);
	assert_same_plan(first, &second);
	assert_memory_equal(&tuned, &lock_tunables, sizeof(tuned));
	assert_int_equal(plan_print(&second, again, sizeof(again)), length);
	assert_string_equal(line, again);
}

static void a_printed_plan_parses_to_itself(void **state)
{
	static const char *const lines[] = {
		"",
		"locks=tas,linux,pv-qspinlock dispatch=patched",
		"locks=all threads=1,2,28 nopvspin",
		"workload=kbuild locks=tas,linux threads=2",
		"tasks=36 workload=kbuild jobs=7 tick_hz=1000",
		"workload=kbuild latency=on trace=60 trace_until=lhp",
		"tasks=28",
		"ops=5 latency=on trace=9362 trace_until=lhp tests=abi,locks test_ms=9 seed=0",
		"dispatch=indirect nodes=28 start=serial end=wait "
		"accel=tcg extra=some spin_threshold=7"};
	char line[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_ok(lines[i]);
		assert_round_trip(&plan);
	}
	assert_ok("workload=kbuild locks=mcs tasks=80");
	plan_print(&plan, line, sizeof(line));
	assert_string_equal(
		line,
		"locks=mcs workload=kbuild threads=28 tasks=80 jobs=400 tick_hz=250 "
		"reps=3 latency=off trace=0 order=listed seed=1 trace_until=end "
		"test_ms=40 start=now "
		"hang_ms=0 accel=unknown vmm_features=0 vmm_enforce=off "
		"vmm_hlt=exits vmm_irqchip=unknown vmm_kernel=0 log=serial end=exit extra=none "
		"spin_threshold=32768 prev_check_mask=255");
	assert_ok("ms=7 locks=mcs");
	plan_print(&plan, line, sizeof(line));
	assert_string_equal(
		line, "locks=mcs workload=contended threads=28 ms=7 hold=100 think=200 "
		      "reps=3 warmup_ms=50 latency=off trace=0 dispatch=inline order=listed seed=1 "
		      "trace_until=end test_ms=40 "
		      "start=now "
		      "hang_ms=0 accel=unknown vmm_features=0 vmm_enforce=off vmm_hlt=exits "
		      "vmm_irqchip=unknown vmm_kernel=0 log=serial end=exit extra=none "
		      "spin_threshold=32768 "
		      "prev_check_mask=255");
}

static void output_is_cut_like_that_of_snprintf(void **state)
{
	char whole[2048];
	size_t length;

	(void)state;
	assert_ok("nopvspin");
	length = plan_print(&plan, whole, sizeof(whole));
	assert_int_equal(plan_print(&plan, NULL, 0), length);
	for (size_t size = 1; size < length + 2; size++) {
		size_t stored = size - 1 < length ? size - 1 : length;
		char *line = malloc(size);

		assert_int_equal(plan_print(&plan, line, size), length);
		assert_memory_equal(line, whole, stored);
		assert_int_equal(line[stored], '\0');
		free(line);
	}
}

static const char *const pieces[] = {"locks=",
				     "tas",
				     "mcs",
				     "all",
				     "null",
				     "linux",
				     ",",
				     ",",
				     " ",
				     " ",
				     " ",
				     "=",
				     "threads=",
				     "1",
				     "28",
				     "29",
				     "0x2",
				     "workload=kbuild",
				     "tasks=",
				     "jobs=",
				     "hold=",
				     "think=",
				     "ms=",
				     "ops=",
				     "reps=",
				     "nodes=",
				     "tests=",
				     "abi",
				     "nopvspin",
				     "hyperv",
				     "seed=",
				     "99999999999999999999",
				     "start=serial",
				     "latency=on",
				     "trace=77",
				     "spin_threshold=",
				     "accel=kvm",
				     "\x80",
				     "\n",
				     "%s%n"};

/* Valid and invalid pieces in any order, in a buffer that ends where the text does. A line is
 * parsed and makes the round trip, or is rejected in one printable line. */
static void random_lines_are_plans_or_errors(void **state)
{
	uint64_t seed = 4;
	int accepted = 0;

	(void)state;
	for (int round = 0; round < FUZZ_ROUNDS; round++) {
		char text[512] = "", *line;
		size_t count = next_random(&seed) % 12;

		while (count--) {
			if (next_random(&seed) % 8 == 0) {
				char byte[2] = {(char)(next_random(&seed) % 255 + 1)};

				strcat(text, byte);
			}
			strcat(text, pieces[next_random(&seed) % COUNT(pieces)]);
		}
		line = strdup(text);
		if (plan_parse(line, &machine, &plan, error)) {
			assert_string_equal(error, "");
			assert_round_trip(&plan);
			accepted++;
		} else {
			assert_non_null(strstr(error, "accepted: "));
			for (const char *at = error; *at != '\0'; at++)
				assert_true(*at >= 0x20 && *at < 0x7f);
		}
		free(line);
	}
	/* both happened */
	assert_true(accepted > FUZZ_ROUNDS / 100 && accepted < FUZZ_ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_printed_plan_parses_to_itself),
		cmocka_unit_test(output_is_cut_like_that_of_snprintf),
		cmocka_unit_test(random_lines_are_plans_or_errors),
	};

	return cmocka_run_group_tests_name("plan print", tests, NULL, NULL);
}
