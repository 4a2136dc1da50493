/* SPDX-License-Identifier: MIT */
/* Tests where a lock's time went (bench/gaps.h, bench/worker.c) with schedules of three vCPUs whose
 * parts are known. No time of the phase may be lost or counted twice. */
#include "bench/loop.h"

#include "bench/worker.h"
#include "tests/host/fake_vcpus.h"
#include "tests/host/test.h"
#include <string.h>

#define WORKERS 3
#define BEGIN   1000
#define END     2000

uint64_t port_ns_to_cycles(uint64_t ns)
{
	return ns;
}

static struct steal_area area;
static uint64_t steals; /* cycles that the host takes in the next section */
static struct phase_times times;
static struct section section;
static struct worker workers[WORKERS];

static int set_up(void **state)
{
	(void)state;
	memset(fake_stats, 0, sizeof(fake_stats));
	section = (struct section){0};
	times = (struct phase_times){.begin = BEGIN, .end = END};
	for (int i = 0; i < WORKERS; i++) {
		fake_stats[i].steal = &area;
		fake_stats[i].holder = &section.holder;
		workers[i] = (struct worker){.section = &section,
					     .stats = &fake_stats[i],
					     .sharers = WORKERS,
					     .ops_wanted = UINT64_MAX,
					     .times = &times};
		worker_begin(&workers[i], PHASE_WARMUP);
	}
	return 0;
}

static void off(uint32_t cpu, uint64_t from, uint64_t to, bool halted)
{
	absence_note(&fake_stats[cpu].absences, from, to, halted);
}

static void waits_since(uint32_t cpu, uint64_t since)
{
	fake_stats[cpu].waits_since = since;
}

/* Does what measured_loop() does around a section. */
static void run_section(uint32_t cpu, uint64_t asked, uint64_t granted, uint64_t released)
{
	struct worker *worker = &workers[cpu];
	uint32_t phase = granted < BEGIN ? PHASE_WARMUP
			 : granted < END ? PHASE_MEASURE
					 : PHASE_STOP;

	waits_since(cpu, 0);
	loop_granted(worker, asked, granted);
	if (phase != worker->seen_phase && !worker_next_phase(worker, phase))
		return;
	if (steals != 0) {
		uint64_t before = area.steal;

		area.steal += steals;
		worker_holder_preempted(worker, before);
		steals = 0;
	}
	section.freed = released;
	worker_add_turn(worker, released);
}

static void assert_gaps(struct gaps wanted)
{
	struct gaps sum = {0};

	for (int i = 0; i < WORKERS; i++)
		gaps_add(&sum, &workers[i].gaps);
	assert_int_equal(sum.held, wanted.held);
	assert_int_equal(sum.held_stolen, wanted.held_stolen);
	assert_int_equal(sum.nobody, wanted.nobody);
	assert_int_equal(sum.passed, wanted.passed);
	assert_int_equal(sum.stolen, wanted.stolen);
	assert_int_equal(sum.halted, wanted.halted);
	assert_int_equal(sum.running, wanted.running);
	assert_int_equal(sum.held + sum.nobody + sum.passed + sum.stolen + sum.halted + sum.running,
			 END - BEGIN);
}

/* The next owner waits in a queue: running, off its CPU, or in HLT. */
static void a_queue_hands_over(void **state)
{
	(void)state;
	run_section(0, 700, 900, 1100); /* 100 of it in the phase */
	off(1, 1000, 1180, false);
	run_section(1, 950, 1200, 1300); /* 80 stolen, 20 running */
	off(2, 1010, 1340, true);        /* then it was kicked, and waited for a CPU */
	off(2, 1340, 1390, false);
	steals = 30;
	run_section(2, 960, 1400, 1450);  /* 40 halted, 50 stolen, 10 running */
	off(0, 1160, 1200, false);        /* while the lock was held: no gap */
	run_section(0, 1150, 1455, 1950); /* 5 running */
	run_section(1, 1350, 1960, 2100); /* 10 running; 40 of it in the phase */
	run_section(2, 1500, 2110, 0);
	run_section(0, 1990, 2120, 0);
	run_section(1, 2110, 2130, 0);
	assert_gaps((struct gaps){
		.held = 100 + 100 + 50 + 495 + 40,
		.held_stolen = 30,
		.stolen = 80 + 50,
		.halted = 40,
		.running = 20 + 10 + 5 + 10,
	});
	assert_int_equal(workers[1].gaps.held, 100 + 40);
}

/* Without a queue, a late vCPU finds no waiter, or passes waiters that are off their CPUs. */
static void late_vcpus_pass_waiters(void **state)
{
	(void)state;
	run_section(0, 1200, 1210, 1300); /* 200 nobody, 10 running */
	off(0, 1305, 1315, false);        /* before it asked for the lock */
	waits_since(1, 1320);
	run_section(0, 1350, 1360, 1400); /* 20 nobody, 30 passed, 10 running */
	run_section(0, 1450, 1455, 1500); /* 50 passed, 5 running: 1 waited at the release */
	off(1, 1330, 1600, false);
	run_section(1, 1320, 1610, 1700); /* 100 stolen, 10 running */
	waits_since(2, 1800);
	run_section(0, 1900, 1910, 1920); /* 100 nobody, 100 passed, 10 running */
	run_section(0, 2050, 2060, 0);    /* 80 passed, up to the end */
	run_section(2, 1800, 2070, 0);
	run_section(1, 2070, 2080, 0);
	assert_gaps((struct gaps){
		.held = 90 + 40 + 45 + 90 + 10,
		.nobody = 200 + 20 + 100,
		.passed = 30 + 50 + 100 + 80,
		.stolen = 100,
		.running = 10 + 10 + 5 + 10 + 10,
	});
}

/* One vCPU waits through the whole phase, and sees the stop before it has seen the start. */
static void a_phase_without_a_grant(void **state)
{
	(void)state;
	run_section(0, 700, 800, 900);
	off(1, 950, 2500, false);
	run_section(1, 700, 2510, 0);
	run_section(0, 2000, 2600, 0);
	run_section(2, 2000, 2700, 0);
	assert_gaps((struct gaps){.stolen = 1000});
}

/* One vCPU holds the lock through the whole phase. */
static void a_phase_of_one_hold(void **state)
{
	(void)state;
	steals = 1500; /* of 1700, and of the phase's 1000 */
	run_section(0, 700, 800, 2500);
	run_section(1, 900, 2510, 0);
	run_section(0, 2505, 2600, 0);
	run_section(2, 900, 2700, 0);
	assert_gaps((struct gaps){.held = 1000, .held_stolen = 1000});
}

static void waiters_for_another_lock_do_not_count(void **state)
{
	static struct section another;

	(void)state;
	run_section(0, 700, 800, 1000);
	waits_since(1, 1100);
	fake_stats[1].holder = &another.holder;
	run_section(0, 1200, 1200, 2000);
	for (uint32_t i = 0; i < WORKERS; i++)
		run_section(i, 2000, 2000 + i, 0);
	assert_gaps((struct gaps){.held = 800, .nobody = 200});
}

#define CASE(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_queue_hands_over),
		CASE(late_vcpus_pass_waiters),
		CASE(a_phase_without_a_grant),
		CASE(a_phase_of_one_hold),
		CASE(waiters_for_another_lock_do_not_count),
	};

	return cmocka_run_group_tests_name("gaps", tests, NULL, NULL);
}
