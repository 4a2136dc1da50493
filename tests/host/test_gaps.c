/* SPDX-License-Identifier: MIT */
/* Where a lock's time went (bench/gaps.h, bench/worker.c): schedules of three vCPUs whose parts can
 * be read off them, and in which nothing of the phase is lost or counted twice. */
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
static uint64_t steals; /* by the host, in the next section */
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

/* What measured_loop() does around a section. */
static void section_of(uint32_t cpu, uint64_t asked, uint64_t granted, uint64_t released)
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

/* A queue: who is next waits, on the CPU, off it, or in HLT. */
static void handed_on(void **state)
{
	(void)state;
	section_of(0, 700, 900, 1100); /* 100 of it in the phase */
	off(1, 1000, 1180, false);
	section_of(1, 950, 1200, 1300); /* 80 stolen, 20 running */
	off(2, 1010, 1340, true);       /* was kicked, and waited for a CPU */
	off(2, 1340, 1390, false);
	steals = 30;
	section_of(2, 960, 1400, 1450);  /* 40 halted, 50 stolen, 10 running */
	off(0, 1160, 1200, false);       /* while the lock was held: no gap */
	section_of(0, 1150, 1455, 1950); /* 5 running */
	section_of(1, 1350, 1960, 2100); /* 10 running; 40 of it in the phase */
	section_of(2, 1500, 2110, 0);
	section_of(0, 1990, 2120, 0);
	section_of(1, 2110, 2130, 0);
	assert_gaps((struct gaps){
		.held = 100 + 100 + 50 + 495 + 40,
		.held_stolen = 30,
		.stolen = 80 + 50,
		.halted = 40,
		.running = 20 + 10 + 5 + 10,
	});
	assert_int_equal(workers[1].gaps.held, 100 + 40);
}

/* Anybody may take it: who comes late finds nobody, or passes those who are off their CPUs. */
static void taken_past_others(void **state)
{
	(void)state;
	section_of(0, 1200, 1210, 1300); /* 200 nobody, 10 running */
	off(0, 1305, 1315, false);       /* before it asked */
	waits_since(1, 1320);
	section_of(0, 1350, 1360, 1400); /* 20 nobody, 30 passed, 10 running */
	section_of(0, 1450, 1455, 1500); /* 50 passed, 5 running: 1 waited at the release */
	off(1, 1330, 1600, false);
	section_of(1, 1320, 1610, 1700); /* 100 stolen, 10 running */
	waits_since(2, 1800);
	section_of(0, 1900, 1910, 1920); /* 100 nobody, 100 passed, 10 running */
	section_of(0, 2050, 2060, 0);    /* 80 passed, up to the end */
	section_of(2, 1800, 2070, 0);
	section_of(1, 2070, 2080, 0);
	assert_gaps((struct gaps){
		.held = 90 + 40 + 45 + 90 + 10,
		.nobody = 200 + 20 + 100,
		.passed = 30 + 50 + 100 + 80,
		.stolen = 100,
		.running = 10 + 10 + 5 + 10 + 10,
	});
}

/* One waiter through the whole phase, that sees the stop before it has seen the start. */
static void a_phase_without_a_grant(void **state)
{
	(void)state;
	section_of(0, 700, 800, 900);
	off(1, 950, 2500, false);
	section_of(1, 700, 2510, 0);
	section_of(0, 2000, 2600, 0);
	section_of(2, 2000, 2700, 0);
	assert_gaps((struct gaps){.stolen = 1000});
}

/* One hold through the whole phase. */
static void a_phase_of_one_hold(void **state)
{
	(void)state;
	steals = 1500; /* of 1700, and of the phase's 1000 */
	section_of(0, 700, 800, 2500);
	section_of(1, 900, 2510, 0);
	section_of(0, 2505, 2600, 0);
	section_of(2, 900, 2700, 0);
	assert_gaps((struct gaps){.held = 1000, .held_stolen = 1000});
}

static void who_waits_for_another_lock_is_nobody(void **state)
{
	static struct section another;

	(void)state;
	section_of(0, 700, 800, 1000);
	waits_since(1, 1100);
	fake_stats[1].holder = &another.holder;
	section_of(0, 1200, 1200, 2000);
	for (uint32_t i = 0; i < WORKERS; i++)
		section_of(i, 2000, 2000 + i, 0);
	assert_gaps((struct gaps){.held = 800, .nobody = 200});
}

#define CASE(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(handed_on),
		CASE(taken_past_others),
		CASE(a_phase_without_a_grant),
		CASE(a_phase_of_one_hold),
		CASE(who_waits_for_another_lock_is_nobody),
	};

	return cmocka_run_group_tests_name("gaps", tests, NULL, NULL);
}
