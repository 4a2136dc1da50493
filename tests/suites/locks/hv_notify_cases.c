/* SPDX-License-Identifier: MIT */
/* When hv-notify tells the hypervisor of a long spin, and what. A backend that wraps the port's
 * writes the notices down, so that nothing depends on what the port offers. */
#include "locks/core/pv.h"
#include "port/port.h"
#include "tests/suites/locks/client.h"

#define HV_NOTIFY .only = "hv-notify"

static struct pv_backend real; /* the wrapped one */
static struct {
	_Atomic uint32_t notices, last; /* last: the number of polls in the latest notice */
	_Atomic uint32_t uneven;        /* whose number is not `every` above the one before */
} told[CLIENT_CPUS];
static uint32_t every; /* polls between two notices that the case expects */

static void note_long_spin(uint32_t polls)
{
	uint32_t cpu = port_cpu();
	uint32_t last = atomic_load_explicit(&told[cpu].last, memory_order_relaxed);

	told[cpu].uneven += polls != last + every;
	atomic_store_explicit(&told[cpu].last, polls, memory_order_relaxed);
	atomic_fetch_add_explicit(&told[cpu].notices, 1, memory_order_release);
	if (real.long_spin_polls != 0)
		real.long_spin(polls);
}

static uint32_t notices(uint32_t cpu)
{
	return atomic_load_explicit(&told[cpu].notices, memory_order_acquire);
}

/* Runs `run` over a backend that recommends a notice after so many polls. */
static void play(struct test *test, uint32_t recommended, void (*run)(struct test *test))
{
	const struct pv_backend *own = pv_backend;
	struct pv_backend staged = *own;
	struct state initial;

	real = *own;
	staged.long_spin_polls = recommended;
	staged.long_spin = note_long_spin;
	for (uint32_t i = 0; i < CLIENT_CPUS; i++) {
		atomic_store_explicit(&told[i].notices, 0, memory_order_relaxed);
		atomic_store_explicit(&told[i].last, 0, memory_order_relaxed);
		told[i].uneven = 0;
	}
	pv_backend = &staged;
	state_copy(test, &initial);
	run(test);
	pv_backend = own;
	check_free(test, &initial);
}

static bool three_notices(struct test *test)
{
	(void)test;
	return notices(1) >= 3;
}

/* CPU 0 owns the lock and CPU 1 waits. */
static void conduct_notices(struct test *test)
{
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (await(test, three_notices, "three notices")) {
		if (told[1].uneven)
			fail(test,
			     "%u of %u notices do not come every %u polls: the latest after %u",
			     told[1].uneven, notices(1), every,
			     atomic_load_explicit(&told[1].last, memory_order_relaxed));
	}
	if (notices(0))
		fail(test, "the owner gave %u notices", notices(0));
	lock_release(test);
	if (await_state(test, 1, ACTOR_OWNS)) {
		tell(1, COMMAND_RELEASE);
		await_state(test, 1, ACTOR_IDLE);
	}
}

static void conduct_silence(struct test *test)
{
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	await_state(test, 1, ACTOR_ACQUIRING);
	let_others_run(20);
	lock_release(test);
	if (await_state(test, 1, ACTOR_OWNS)) {
		tell(1, COMMAND_RELEASE);
		await_state(test, 1, ACTOR_IDLE);
	}
	if (notices(1))
		fail(test, "%u notices, though the hypervisor wants none", notices(1));
}

static void actors_notices(struct test *test)
{
	with_actors(test, conduct_notices);
}

static void actors_silence(struct test *test)
{
	with_actors(test, conduct_silence);
}

static void test_recommended(struct test *test)
{
	every = test->argument;
	play(test, every, actors_notices);
}

static void test_tunable(struct test *test)
{
	every = test->argument;
	set_tunable(test, "hv_notify_spins", every);
	play(test, 3 * every, actors_notices);
}

static void test_silence(struct test *test)
{
	set_tunable(test, "hv_notify_spins", test->argument == 0); /* 1: at each poll */
	play(test, test->argument, actors_silence);
}

static void test_race(struct test *test)
{
	every = 0; /* waits begin anew: the numbers are not checked */
	set_tunable(test, "hv_notify_spins", 1);
	play(test, PV_USUAL_LONG_SPIN, test_exclusion);
}

CASE_REGISTER(hv_recommended, "tells after as many polls as recommended", test_recommended, 2,
	      .argument = 100, HV_NOTIFY);
CASE_REGISTER(hv_tunable, "tells after as many polls as the tunable says", test_tunable, 2,
	      .argument = 7, HV_NOTIFY);
CASE_REGISTER(hv_never, "tells nothing where it is not wanted", test_silence, 2,
	      .argument = PV_NEVER, HV_NOTIFY);
CASE_REGISTER(hv_nobody, "tells nothing where nobody hears it", test_silence, 2, .argument = 0,
	      HV_NOTIFY);
CASE_REGISTER(hv_race, "excludes while all tell at each poll", test_race, 8, HV_NOTIFY);
