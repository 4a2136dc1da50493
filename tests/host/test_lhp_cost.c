/* SPDX-License-Identifier: MIT */
/* Tests the cost of a preempted holder (bench/worker.h): its time off its CPU, and how much of it
 * the waiters for the same lock lost. Four vCPUs; the test plays the host. */
#include "tests/host/fake_vcpus.h"
#include "tests/host/test.h"

#include "bench/worker.h"
#include "locks/core/stats.h"
#include "port/port.h"
#include <string.h>

#define TO_TICK 3 /* cycles a nanosecond */

static struct steal_area area;
static struct section section, another;
static struct worker worker;

uint64_t port_ns_to_cycles(uint64_t ns)
{
	return ns * TO_TICK;
}

static int set_up(void **state)
{
	(void)state;
	memset(fake_stats, 0, sizeof(fake_stats));
	memset(&area, 0, sizeof(area));
	worker = (struct worker){.section = &section, .stats = &fake_stats[0]};
	for (int i = 0; i < FAKE_VCPUS; i++) {
		fake_stats[i].steal = &area;
		fake_stats[i].holder = &section.holder;
	}
	return 0;
}

/* The vCPU has waited for so many cycles. */
static void waits(uint32_t cpu, uint64_t cycles)
{
	fake_stats[cpu].waits_since = port_cycles() - cycles;
}

static void assert_counts(uint64_t events, uint64_t absent, uint64_t longest)
{
	assert_int_equal(fake_stats[0].count[EV_LHP_EVENTS], events);
	assert_int_equal(fake_stats[0].count[EV_LHP_CYCLES], absent);
	assert_int_equal(fake_stats[0].lhp_max_cycles, longest);
}

static void the_longest_absence_is_kept(void **state)
{
	(void)state;
	area.steal = 1500;
	worker_holder_preempted(&worker, 1000);
	area.steal = 1700;
	worker_holder_preempted(&worker, 1600);
	assert_counts(2, 600 * TO_TICK, 500 * TO_TICK);
	assert_int_equal(fake_stats[0].count[EV_LHP_WAITS], 0);
}

/* Each phase has its own longest absence. */
static void the_longest_absence_is_reset_for_the_measured_phase(void **state)
{
	(void)state;
	area.steal = 900;
	worker_holder_preempted(&worker, 0);
	worker_begin(&worker, PHASE_MEASURE);
	area.steal = 950;
	worker_holder_preempted(&worker, 900);
	worker_next_phase(&worker, PHASE_STOP);
	assert_int_equal(worker.delta.lhp_max_cycles, 50 * TO_TICK);
	assert_int_equal(worker.delta.count[EV_LHP_CYCLES], 50 * TO_TICK);
}

/* A waiter from before the preemption lost all of that time; a later one lost the rest of it. */
static void waiters_pay_for_what_they_waited(void **state)
{
	const uint64_t away = 1000000000, late = 400000000;
	uint64_t paid, before = port_cycles();

	(void)state;
	fake_stats[3].waits_since = before - late;
	waits(1, 5 * away);
	area.steal = away / TO_TICK;
	worker_holder_preempted(&worker, 0);
	assert_int_equal(fake_stats[0].count[EV_LHP_WAITS], 2);
	paid = fake_stats[0].count[EV_LHP_WAIT_CYCLES];
	assert_in_range(paid, area.steal * TO_TICK + late,
			area.steal * TO_TICK + late + (port_cycles() - before));
	/* a wait that seems to begin in the future, because its vCPU's TSC is ahead */
	fake_stats[2].waits_since = UINT64_MAX;
	fake_stats[1].waits_since = fake_stats[3].waits_since = 0;
	worker_holder_preempted(&worker, 0);
	assert_int_equal(fake_stats[0].count[EV_LHP_WAITS], 3);
	assert_int_equal(fake_stats[0].count[EV_LHP_WAIT_CYCLES], paid);
}

static void waiters_for_another_lock_pay_nothing(void **state)
{
	(void)state;
	for (uint32_t cpu = 1; cpu < FAKE_VCPUS; cpu++)
		waits(cpu, 1000000);
	fake_stats[1].holder = &another.holder;
	fake_stats[2].holder = NULL;
	area.steal = 100;
	worker_holder_preempted(&worker, 0);
	assert_int_equal(fake_stats[0].count[EV_LHP_WAITS], 1);
	assert_int_equal(fake_stats[0].count[EV_LHP_WAIT_CYCLES], 100 * TO_TICK);
	/* KVM may increase the version without any stolen time */
	worker_holder_preempted(&worker, 100);
	assert_int_equal(fake_stats[0].count[EV_LHP_WAITS], 1);
	assert_int_equal(fake_stats[0].count[EV_LHP_EVENTS], 2);
}

#define CASE(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_longest_absence_is_kept),
		CASE(the_longest_absence_is_reset_for_the_measured_phase),
		CASE(waiters_pay_for_what_they_waited),
		CASE(waiters_for_another_lock_pay_nothing),
	};

	return cmocka_run_group_tests_name("lhp_cost", tests, NULL, NULL);
}
