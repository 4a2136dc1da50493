/* SPDX-License-Identifier: MIT */
/* Tests tools/report/timeline/trace.h, which makes spans and kicks of event records and finds the
 * moment worth a picture; with whole and with damaged traces. */
#include "tests/host/test.h"

#include "tests/host/trace_set.h"
#include "tools/report/base/system.h"
#include "tools/report/timeline/trace.h"
#include <stdio.h>
#include <string.h>

#define FUZZ_ROUNDS 3000

static struct trace_set made;
static struct trace trace;

static int set_up(void **state)
{
	(void)state;
	trace_set_begin(&made);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	trace_free(&trace);
	trace_set_end(&made);
	return 0;
}

static void assert_cpu(size_t cpu, const char *states, const char *lock)
{
	assert_true(trace.run_count == 1 && trace.runs[0].cpu_count > cpu);
	assert_string_equal(trace_set_words(&trace.runs[0].cpus[cpu].states), states);
	assert_string_equal(trace_set_words(&trace.runs[0].cpus[cpu].lock), lock);
}

static void without_events_the_trace_is_empty(void **state)
{
	struct trace_find find;

	(void)state;
	trace_read(&made.set, &trace);
	assert_int_equal(trace.run_count, 0);
	assert_false(trace_find(&trace, "tas", &find));
}

static void a_wait_and_a_hold_are_spans(void **state)
{
	(void)state;
	trace_set_add(&made, 3,
		      "acquire 5, release 10, wait 20, acquire 50, release 60, acquire 70");
	trace_read(&made.set, &trace);
	assert_cpu(0, "running 5-70", "held 5-10, waited 20-50, held 50-60, held+ 70-70");
	assert_int_equal(trace.runs[0].cpus[0].cpu, 3);
	assert_int_equal(trace.unpaired + trace.unknown + trace.unsorted, 0);
}

static void a_ring_may_begin_anywhere(void **state)
{
	(void)state;
	trace_set_add(&made, 0, "release 5, wait 9, acquire 10, release 11");
	trace_set_add(&made, 1, "wake 5, acquire 9");
	trace_read(&made.set, &trace);
	assert_cpu(0, "running 5-11", "waited 9-10, held 10-11");
	assert_cpu(1, "running 5-9", "held+ 9-9");
	assert_int_equal(trace.unpaired, 0);
}

static void a_preemption_knows_its_locks(void **state)
{
	(void)state;
	trace_set_add(&made, 0,
		      "acquire 10, preempted 12, resumed 90, release 91, "
		      "preempted 92, resumed 95, wait 100, preempted 101, resumed 120, "
		      "preempted 130, resumed 150, handed 150, acquire 151");
	trace_read(&made.set, &trace);
	assert_cpu(0,
		   "running 10-12, preempted! 12-90, running 90-92, preempted 92-95, running "
		   "95-101, preempted? 101-120, running 120-130, preempted?^ 130-150, running "
		   "150-151",
		   "held 10-91, waited 100-151, held+ 151-151");
	assert_int_equal(trace.unpaired, 0);
	assert_int_equal(trace.runs[0].mark_count, 1);
}

/* The guest logs the time that a kicked vCPU waited for a CPU before it logs the wake-up. */
static void a_halt_ends_where_the_wait_for_a_cpu_begins(void **state)
{
	(void)state;
	trace_set_add(&made, 0, "wait 5, halt 10, preempted 40, resumed 60, wake 61, acquire 62");
	trace_set_add(&made, 1, "halt 10, wake 20, halt 30");
	trace_read(&made.set, &trace);
	assert_cpu(0, "running 5-10, halted 10-40, preempted? 40-60, running 60-62",
		   "waited 5-62, held+ 62-62");
	assert_cpu(1, "halted 10-20, running 20-30, halted+ 30-30", "");
	assert_int_equal(trace.unpaired, 0);
}

static void a_kick_finds_its_wake_up(void **state)
{
	const struct kick *kicks;

	(void)state;
	trace_set_add(&made, 0,
		      "kick 20 1, kick 25 1, kick 45 1, kick 70 1, kick 71 9, release 80");
	trace_set_add(&made, 1, "halt 10, wake 30, halt 40, wake 50, acquire 60");
	trace_read(&made.set, &trace);
	kicks = trace.runs[0].kicks;
	assert_int_equal(trace.runs[0].kick_count, 5);
	assert_true(kicks[0].woken && kicks[0].woke == 30 && kicks[0].from == 0 &&
		    kicks[0].to == 1);
	/* the second kick before that wake-up stays in the latch for the next one */
	assert_true(kicks[1].woken && kicks[1].woke == 50);
	assert_false(kicks[2].woken || kicks[3].woken || kicks[4].woken);
}

static void runs_and_clocks_are_kept_apart(void **state)
{
	(void)state;
	trace_set_add(&made, 0, "acquire 1000, release 3000");
	made.run = 2;
	made.lock = "mcs";
	trace_set_add(&made, 0, "acquire 9000, release 9500");
	trace_read(&made.set, &trace);
	assert_int_equal(trace.run_count, 2);
	assert_string_equal(trace.runs[1].lock, "mcs");
	assert_true(trace.runs[1].start == 1000 && trace.runs[1].first == 9000);
	assert_true(trace_us(&trace.runs[1], 1000, 9000) == 8.0);
	assert_false(trace.no_clock);
	json_object_clear(made.boot.json);
	trace_free(&trace);
	trace_read(&made.set, &trace);
	assert_true(trace.no_clock && trace.runs[0].tsc_khz == 1000000);
	made.log.usable = false;
	trace_free(&trace);
	trace_read(&made.set, &trace);
	assert_int_equal(trace.run_count, 0);
}

static void add_clock(struct log *log, json_int_t tsc, json_int_t wall_ns)
{
	struct record record = {.type = RECORD_RUN};

	record.json = json_pack("{s:s, s:I, s:I}", "clock", "kvmclock", "start_tsc", tsc,
				"start_wall_ns", wall_ns);
	log->records = memory_grow(log->records, log->count, sizeof(record));
	log->records[log->count++] = record;
}

/* Events at 1000 and 9000 on the TSCs of two VMs are 20 us apart on their shared clock. */
static void logs_of_one_call_share_a_clock(void **state)
{
	const json_int_t then = 1700000000000000000;
	struct trace_set second;
	struct log logs[2];

	(void)state;
	trace_set_begin(&second);
	trace_set_add(&made, 0, "acquire 1000, release 2000");
	trace_set_add(&second, 0, "acquire 9000, release 10000");
	add_clock(&made.log, 3000, then);
	add_clock(&second.log, 8000, then + 17000);
	logs[0] = made.log;
	logs[1] = second.log;
	made.set = (struct set){.logs = logs, .log_count = 2};
	trace_read(&made.set, &trace);
	assert_int_equal(trace.run_count, 2);
	assert_int_equal(trace.runs[0].wall_ns, then - 2000);
	assert_true(trace.runs[0].ahead_us == 0 && trace.runs[1].ahead_us == 20);
	trace_free(&trace);
	logs[1].call = 1; /* another call: not compared */
	trace_read(&made.set, &trace);
	assert_true(trace.runs[0].ahead_us == 0 && trace.runs[1].ahead_us == 0);
	trace_free(&trace);
	logs[1].call = 0;
	json_object_set_new(logs[1].records[2].json, "clock", json_string("none"));
	trace_read(&made.set, &trace);
	assert_true(trace.runs[0].ahead_us == 0 && trace.runs[1].ahead_us == 0);
	trace_set_end(&second);
}

static void the_costliest_preemption_of_a_holder_is_found(void **state)
{
	struct trace_find find;

	(void)state;
	trace_set_add(&made, 0, "acquire 10, preempted 20, resumed 50, release 60");
	trace_set_add(&made, 1,
		      "acquire 100, preempted 120, resumed 140, release 150, wait 200, "
		      "preempted 300, resumed 900, handed 900, acquire 901");
	trace_set_add(&made, 2, "wait 90, acquire 160, release 161");
	trace_read(&made.set, &trace);
	/* one of 30 without a waiter, or one of 20 with a waiter */
	assert_true(trace_find(&trace, "tas", &find));
	assert_true(find.about == ABOUT_HOLDER && find.span->start == 120);
	assert_int_equal(find.cpu->cpu, 1);
	assert_false(trace_find(&trace, "mcs", &find));
}

static void otherwise_it_is_the_hand_over_or_the_longest_wait(void **state)
{
	struct trace_find find;

	(void)state;
	trace_set_add(&made, 0, "wait 200, preempted 300, resumed 900, handed 900, acquire 901");
	trace_set_add(&made, 1, "wait 100, acquire 5000, release 5001");
	made.run = 2;
	made.lock = "mcs";
	trace_set_add(&made, 7, "wait 100, acquire 5000, release 5001");
	trace_read(&made.set, &trace);
	assert_true(trace_find(&trace, "tas", &find));
	assert_true(find.about == ABOUT_HANDED && find.span->start == 300);
	assert_true(trace_find(&trace, "mcs", &find));
	assert_true(find.about == ABOUT_WAIT && find.span->end == 5000 && find.cpu->cpu == 7);
}

static void damage_is_counted(void **state)
{
	(void)state;
	trace_set_add(&made, 0,
		      "release 50, acquire 10, acquire 20, release 30, release 40, nap 60");
	trace_set_add(&made, 1,
		      "resumed 5, halt 10, acquire 20, preempted 30, release 40, wake 50");
	trace_read(&made.set, &trace);
	assert_cpu(0, "running 10-50", "held 20-30");
	assert_cpu(1,
		   "running 5-10, halted+ 10-20, running 20-30, preempted!+ 30-40, running 40-50",
		   "held 20-40");
	assert_int_equal(trace.unsorted, 1);
	assert_int_equal(trace.unknown, 1);
	/* acquire 10; release 40, 50; resumed 5; halt, preempted cut short; wake 50 */
	assert_int_equal(trace.unpaired, 7);
}

static void assert_orderly(const struct spans *spans, const struct trace_cpu *cpu)
{
	for (size_t i = 0; i < spans->count; i++) {
		assert_true(spans->list[i].start <= spans->list[i].end);
		assert_true(spans->list[i].start >= cpu->first && spans->list[i].end <= cpu->last);
		assert_true(i == 0 || spans->list[i].start >= spans->list[i - 1].end);
	}
}

/* With any events, spans are in order, within the trace and disjoint, states have no gap, and a
 * kick precedes its wake-up. */
static void any_events_make_an_orderly_trace(void **state)
{
	static const char *const whats[] = {"wait", "acquire", "release", "handed",    "halt",
					    "wake", "kick",    "yield",   "preempted", "resumed",
					    "idle", "busy",    "what"};
	static const json_int_t times[] = {0, -1, INT64_MAX, INT64_MAX - 1, 1};
	uint64_t seed = 7;
	struct trace_find find;

	(void)state;
	for (int round = 0; round < FUZZ_ROUNDS; round++) {
		for (uint64_t count = next_random(&seed) % 40; count > 0; count--) {
			uint64_t pick = next_random(&seed);
			json_int_t tsc = pick % 8 ? (json_int_t)(pick % 97) : times[pick / 8 % 5];

			made.lock_id = round % 2 ? pick / 8192 % 7 : 0;
			trace_set_event(&made, pick % 11 ? pick / 16 % 3 : INT64_MAX,
					whats[pick / 64 % 13], tsc, (json_int_t)(pick / 1024 % 4));
			made.run = 1 + pick / 4096 % 2;
		}
		trace_read(&made.set, &trace);
		trace_find(&trace, "tas", &find);
		for (size_t i = 0; i < trace.run_count; i++) {
			const struct trace_run *run = &trace.runs[i];

			for (size_t j = 0; j < run->cpu_count; j++) {
				const struct trace_cpu *cpu = &run->cpus[j];
				const struct spans *states = &cpu->states;

				assert_orderly(states, cpu);
				assert_orderly(&cpu->lock, cpu);
				assert_true(states->list[0].start == cpu->first);
				assert_true(states->list[states->count - 1].end == cpu->last);
				for (size_t k = 1; k < states->count; k++)
					assert_true(states->list[k].start ==
						    states->list[k - 1].end);
			}
			for (size_t j = 0; j < run->kick_count; j++)
				assert_true(!run->kicks[j].woken ||
					    run->kicks[j].woke >= run->kicks[j].tsc);
		}
		trace_free(&trace);
		trace_set_end(&made);
		trace_set_begin(&made);
	}
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(without_events_the_trace_is_empty),
		CASE(a_wait_and_a_hold_are_spans),
		CASE(a_ring_may_begin_anywhere),
		CASE(a_preemption_knows_its_locks),
		CASE(a_halt_ends_where_the_wait_for_a_cpu_begins),
		CASE(a_kick_finds_its_wake_up),
		CASE(runs_and_clocks_are_kept_apart),
		CASE(logs_of_one_call_share_a_clock),
		CASE(the_costliest_preemption_of_a_holder_is_found),
		CASE(otherwise_it_is_the_hand_over_or_the_longest_wait),
		CASE(damage_is_counted),
		CASE(any_events_make_an_orderly_trace),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
