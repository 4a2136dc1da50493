/* SPDX-License-Identifier: MIT */
/* Tests traces of several locks (workload=kbuild): nested holds, their waiters, and lost events.
 * test_trace.c has traces of one lock. */
#include "tests/host/test.h"

#include "tests/host/trace_set.h"
#include "tools/report/timeline/trace.h"

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

static void assert_cpu(const char *states, const char *lock)
{
	assert_int_equal(trace.run_count, 1);
	assert_string_equal(trace_set_words(&trace.runs[0].cpus[0].states), states);
	assert_string_equal(trace_set_words(&trace.runs[0].cpus[0].lock), lock);
}

/* A vCPU holds nested locks, and waits for a lock while it holds another. */
static void locks_nest(void **state)
{
	(void)state;
	trace_set_add(&made, 0,
		      "release 5 @9, acquire 10 @1, acquire 20 @2, release 30 @2, wait 40 @3, "
		      "preempted 45, resumed 50, acquire 60 @3, preempted 65, resumed 70, "
		      "release 80 @3, release 90 @1, idle 100, preempted 110, resumed 120, "
		      "busy 121, idle 125, busy 128, wait 130 @4");
	trace_read(&made.set, &trace);
	assert_cpu("running 5-45, preempted!?@3&1 45-50, running 50-65, preempted!&1&3 65-70, "
		   "running 70-100, idle 100-110, preempted 110-120, running 120-125, "
		   "idle 125-128, running 128-130",
		   "held@1 10-20, held@2 20-30, held@1 30-40, waited@3 40-60, held@3 60-80, "
		   "held@1 80-90, waited+@4 130-130");
	assert_int_equal(trace.unpaired, 0);
	assert_true(trace.runs[0].many_locks && trace.runs[0].cpus[0].wake_count == 0);
}

/* Only vCPUs that wait for a lock of the holder are its waiters. */
static void a_preempted_holder_is_judged_by_its_own_lock(void **state)
{
	struct trace_find find;

	(void)state;
	trace_set_add(&made, 0,
		      "acquire 10 @1, acquire 15 @2, preempted 20, resumed 50, release 55 @2, "
		      "release 60 @1");
	trace_set_add(&made, 1, "acquire 5 @7, preempted 10, resumed 90, release 95 @7");
	trace_set_add(&made, 2, "wait 30 @1, acquire 61 @1, release 62 @1, wait 70 @8");
	trace_set_add(&made, 3, "wait 12 @6, acquire 99 @6");
	trace_read(&made.set, &trace);
	assert_true(trace_find(&trace, "tas", &find));
	/* vCPU 1 was off its CPU longer, but nobody waited for its lock */
	assert_true(find.about == ABOUT_HOLDER && find.cpu->cpu == 0 && find.span->start == 20);
	assert_int_equal(trace_waited(&trace.runs[0].cpus[2], find.span), 20);
	assert_int_equal(trace_waited(&trace.runs[0].cpus[3], find.span), 0);
	assert_true(trace_concerns(find.span, 1) && trace_concerns(find.span, 2));
	assert_false(trace_concerns(find.span, 7) || trace_concerns(find.span, 0));
}

static void damage_to_nested_locks_is_counted(void **state)
{
	(void)state;
	trace_set_add(&made, 0,
		      "acquire 10 @1, acquire 20 @2, release 30 @1, acquire 40 @1, acquire 50 @1, "
		      "release 60 @5, wait 61 @1, wait 62 @6, wait 63 @7, acquire 70 @8, "
		      "release 75 @8, release 80 @1");
	trace_read(&made.set, &trace);
	assert_string_equal(trace_set_words(&trace.runs[0].cpus[0].lock),
			    "held@1 10-20, held@1 20-30, held@1 50-62, held@1 62-70, "
			    "held@8 70-75, held@1 75-80");
	/* 2's release; 1's; 5 is not held; 1 is; 6's and 7's grants */
	assert_int_equal(trace.unpaired, 6);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(locks_nest),
		CASE(a_preempted_holder_is_judged_by_its_own_lock),
		CASE(damage_to_nested_locks_is_counted),
	};

	return cmocka_run_group_tests_name("trace_locks", tests, NULL, NULL);
}
