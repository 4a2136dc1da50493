/* SPDX-License-Identifier: MIT */
/* Tests the ring of lock events (locks/core/trace.h): it keeps the last events, oldest first, and
 * notices in the steal-time page that its vCPU was off its CPU. */
#include "tests/host/test.h"

#include "locks/core/trace.h"
#include <string.h>

#define SIZE 5

static struct steal_area area;
static struct trace_event events[SIZE];
static struct trace_ring ring;
static struct lock_stats stats;
static _Atomic bool closing;

static int set_up(void **state)
{
	(void)state;
	memset(&area, 0, sizeof(area));
	ring = (struct trace_ring){.events = events, .size = SIZE};
	stats = (struct lock_stats){.steal = &area};
	area.version = 6;
	area.steal = 1000;
	closing = false;
	trace_begin(&stats, &ring, NULL);
	return 0;
}

static void assert_event(uint32_t i, enum trace_what what, uint64_t arg)
{
	assert_int_equal(trace_at(&ring, i)->what, what);
	assert_int_equal(trace_at(&ring, i)->arg, arg);
}

static void off_records_nothing(void **state)
{
	(void)state;
	stats.trace = NULL;
	area.version += 2;
	trace_look(&stats);
	trace_add(&stats, TRACE_KICK, 3);
	assert_int_equal(ring.added, 0);
}

static void the_last_events_are_kept_in_order(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		trace_add(&stats, TRACE_KICK, i);
	assert_int_equal(trace_kept(&ring), 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_event(i, TRACE_KICK, i + 1);
	for (uint64_t i = 4; i <= 13; i++)
		trace_add(&stats, TRACE_YIELD, i);
	assert_int_equal(trace_kept(&ring), SIZE);
	for (uint32_t i = 0; i < SIZE; i++) {
		assert_event(i, TRACE_YIELD, 9 + i);
		assert_true(i == 0 || trace_at(&ring, i)->tsc >= trace_at(&ring, i - 1)->tsc);
	}
	trace_begin(&stats, &ring, NULL);
	assert_int_equal(trace_kept(&ring), 0);
}

static void an_absence_is_recorded_once(void **state)
{
	(void)state;
	trace_look(&stats);
	assert_int_equal(trace_kept(&ring), 0);
	area.version += 2;
	area.steal += 77;
	trace_look(&stats);
	trace_look(&stats);
	assert_int_equal(trace_kept(&ring), 1);
	assert_event(0, TRACE_RESUMED, 77);
	/* a halt increases the version without stolen time */
	area.version += 2;
	trace_look(&stats);
	assert_int_equal(trace_kept(&ring), 1);
	area.version += 4;
	area.steal += (UINT64_C(1) << 39);
	trace_look(&stats);
	assert_event(1, TRACE_RESUMED, UINT64_C(1) << 39);
	/* longer than an event can hold */
	area.version += 2;
	area.steal += (UINT64_C(1) << 41) + 5;
	trace_look(&stats);
	assert_event(2, TRACE_RESUMED, (UINT64_C(1) << 40) - 1);
}

static void lose_cpu(uint64_t ns)
{
	area.version += 2;
	area.steal += ns;
}

/* After a preempted holder, each vCPU records a quarter of its ring more, and then stops. */
static void a_preempted_holder_closes_the_ring(void **state)
{
	(void)state;
	trace_holder_looks(&stats);
	lose_cpu(TRACE_LHP_NS);
	trace_holder_looks(&stats);
	assert_false(closing); /* trace_until=end */
	trace_begin(&stats, &ring, &closing);
	lose_cpu(TRACE_LHP_NS);
	trace_look(&stats); /* not holding */
	lose_cpu(TRACE_LHP_NS - 1);
	trace_holder_looks(&stats);
	assert_false(closing);
	lose_cpu(TRACE_LHP_NS);
	trace_holder_looks(&stats);
	assert_true(closing);
	trace_add(&stats, TRACE_RELEASE, 0);
	trace_add(&stats, TRACE_WAIT, 0);
	lose_cpu(5);
	trace_look(&stats);
	assert_int_equal(trace_kept(&ring), 4);
	assert_event(2, TRACE_RESUMED, TRACE_LHP_NS);
	assert_event(3, TRACE_RELEASE, 0);
}

static void an_event_names_its_lock(void **state)
{
	(void)state;
	trace_add(&stats, TRACE_WAIT, 0);
	trace_about(&stats, (1 << TRACE_LOCK_BITS) - 1);
	trace_add(&stats, TRACE_KICK, 7);
	trace_about(&stats, 0);
	trace_add(&stats, TRACE_RELEASE, 0);
	assert_int_equal(trace_at(&ring, 0)->lock, 0);
	assert_int_equal(trace_at(&ring, 1)->lock, (1 << TRACE_LOCK_BITS) - 1);
	assert_event(1, TRACE_KICK, 7);
	assert_int_equal(trace_at(&ring, 2)->lock, 0);
	trace_about(&stats, 5);
	trace_begin(&stats, &ring, NULL);
	trace_add(&stats, TRACE_WAIT, 0);
	assert_int_equal(trace_at(&ring, 0)->lock, 0);
}

static void every_kind_has_a_name(void **state)
{
	(void)state;
	for (int what = 0; what < TRACE_COUNT; what++)
		assert_true(trace_names[what] && trace_names[what][0] != '\0');
}

#define CASE(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(off_records_nothing),         CASE(the_last_events_are_kept_in_order),
		CASE(an_absence_is_recorded_once), CASE(a_preempted_holder_closes_the_ring),
		CASE(an_event_names_its_lock),     CASE(every_kind_has_a_name),
	};

	return cmocka_run_group_tests_name("trace_ring", tests, NULL, NULL);
}
