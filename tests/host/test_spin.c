/* SPDX-License-Identifier: MIT */
/* Tests which absences of the vCPU a wait records (locks/core/spin.h) for bench/gaps.h. The test
 * plays the host: it writes the steal-time page and determines the length of halts. */
#include "locks/core/spin.h"

#include "locks/core/pv.h"
#include "tests/host/fake_vcpus.h"
#include "tests/host/test.h"
#include <string.h>

#define STOLEN 1000000 /* ns, and cycles */
#define HALTED 3000000 /* cycles, including the stolen ones */

static struct steal_area area;

uint64_t port_ns_to_cycles(uint64_t ns)
{
	return ns;
}

struct lock_stats *port_my_stats(void)
{
	return &fake_stats[0];
}

static void lose_cpu(uint64_t ns)
{
	area.steal += ns;
	area.version += 2;
}

static void halt(const _Atomic uint8_t *word, uint8_t seen)
{
	uint64_t start = port_cycles();

	(void)word;
	(void)seen;
	while (port_cycles() - start < HALTED)
		;
	lose_cpu(STOLEN);
}

static const struct pv_backend backend = {.wait = halt};
const struct pv_backend *pv_backend = &backend;

static int set_up(void **state)
{
	(void)state;
	memset(fake_stats, 0, sizeof(fake_stats));
	fake_stats[0].steal = &area;
	return 0;
}

static struct away away_since(uint64_t from)
{
	return absence_between(&fake_stats[0].absences, from, UINT64_MAX);
}

/* An absence ends when the vCPU notices it, and is as long as the page says. */
static void a_preemption(void **state)
{
	struct spin spin = spin_begin();
	uint64_t before = port_cycles();

	(void)state;
	spin_poll(&spin);
	lose_cpu(STOLEN);
	spin_poll(&spin);
	assert_int_equal(away_since(0).stolen, STOLEN);
	assert_int_equal(away_since(0).halted, 0);
	assert_in_range(fake_stats[0].absences.latest, before, port_cycles());
	spin_end(&spin, SPIN_WON);
	assert_int_equal(away_since(0).stolen, STOLEN);
}

/* After a halt the vCPU may wait for a CPU, so stolen time counts as the end of the halt. */
static void a_halt(void **state)
{
	static const _Atomic uint8_t word;
	struct spin spin = spin_begin();
	uint64_t before = port_cycles(), halted, end;

	(void)state;
	spin_halt(&spin, &word, 0);
	halted = away_since(0).halted;
	end = fake_stats[0].absences.latest;
	assert_int_equal(away_since(0).stolen, STOLEN);
	assert_in_range(halted, HALTED - STOLEN, port_cycles() - before - STOLEN);
	assert_int_equal(away_since(end - STOLEN).halted, 0);
	assert_int_equal(away_since(end - STOLEN).stolen, STOLEN);
}

/* KVM increases the version even if nothing else ran. */
static void a_preemption_of_no_time(void **state)
{
	struct spin spin = spin_begin();

	(void)state;
	spin_poll(&spin);
	lose_cpu(0);
	spin_end(&spin, SPIN_HANDED);
	assert_int_equal(fake_stats[0].count[EV_LWP_EVENTS], 1);
	assert_int_equal(fake_stats[0].absences.next, 0);
}

/* The page's state at the grant is kept, whatever the host takes later. */
static void the_page_at_the_grant(void **state)
{
	struct spin spin = spin_begin();

	(void)state;
	spin_poll(&spin);
	assert_false(fake_stats[0].waited);
	lose_cpu(STOLEN);
	spin_end(&spin, SPIN_HANDED);
	assert_true(fake_stats[0].waited);
	assert_int_equal(fake_stats[0].grant_version, area.version);
	assert_int_equal(fake_stats[0].grant_steal_ns, area.steal);
	lose_cpu(STOLEN);
	assert_int_equal(fake_stats[0].grant_steal_ns, area.steal - STOLEN);
}

/* Without a wait nothing is recorded. */
static void no_wait(void **state)
{
	struct spin spin = spin_begin();

	(void)state;
	spin_end(&spin, SPIN_WON);
	assert_false(fake_stats[0].waited);
}

/* Only the latest absences are kept. */
static void many_absences(void **state)
{
	struct absences absences = {0};

	(void)state;
	for (uint64_t i = 0; i < ABSENCES_KEPT + 2; i++)
		absence_note(&absences, 100 * i, 100 * i + 10, i % 2);
	assert_int_equal(absence_between(&absences, 0, UINT64_MAX).stolen, 10 * ABSENCES_KEPT / 2);
	assert_int_equal(absence_between(&absences, 0, UINT64_MAX).halted, 10 * ABSENCES_KEPT / 2);
	assert_int_equal(absence_between(&absences, 0, 210).stolen, 10);
	assert_int_equal(absence_between(&absences, 205, 305).stolen, 5);
	assert_int_equal(absence_between(&absences, 205, 305).halted, 5);
	assert_int_equal(absence_between(&absences, 0, 200).stolen, 0);
}

#define CASE(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_preemption),          CASE(a_halt),  CASE(a_preemption_of_no_time),
		CASE(the_page_at_the_grant), CASE(no_wait), CASE(many_absences),
	};

	return cmocka_run_group_tests_name("spin", tests, NULL, NULL);
}
