/* SPDX-License-Identifier: MIT */
/*
 * Kicks that race with the target's HLT: no wake-up is lost, and stores before the kick are visible
 * after the HLT. CPU 1 halts in a loop, CPU 0 kicks at varied moments. Bounded by time: BUDGETS
 * times test_ms. Linux arch/x86/kvm/x86.c (KVM_REQ_EVENT, kvm_vcpu_kick).
 */
#include "kernel/cpu.h"
#include "kernel/tsc.h"
#include "tests/suites/abi/kick.h"

#define BUDGETS    25 /* test_ms each */
#define MAX_PAUSES 512
#define LAST_ROUND UINT32_MAX

static struct {
	_Alignas(64) uint64_t data; /* not atomic: the kick orders it */
	_Alignas(64) uint64_t stale;
	uint64_t rounds;
} race;

static uint32_t random_of(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223; /* Numerical Recipes' ranqd1 */
	return *state >> 16;
}

static void dawdle(uint32_t *state)
{
	for (uint32_t i = random_of(state) % MAX_PAUSES; i > 0; i--)
		cpu_relax();
}

static void target_races(struct scene *scene)
{
	uint32_t random = (uint32_t)abi_plan->seed * 7919 + 1;

	for (uint64_t round = 1; scene_get(&scene->go) == 0; round++) {
		if (random_of(&random) % 2)
			dawdle(&random);
		scene_halt_once(scene);
		if (scene_get(&scene->go) == 0 && *(volatile uint64_t *)&race.data < round)
			race.stale++;
	}
}

static void controller_races(struct scene *scene)
{
	uint64_t start = rdtsc();
	uint64_t budget = tsc_from_ns(abi_plan->test_ms * 1000000ull * BUDGETS);
	uint32_t random = (uint32_t)abi_plan->seed, round = 0;

	while (scene->result->verdict == VERDICT_OK && rdtsc() - start < budget) {
		round++;
		if (!scene_reaches(&scene->halts, round, WAKE_BOUND_MS)) {
			test_error(scene->result, "the target did not reach its HLT %u", round);
			break;
		}
		if (random_of(&random) % 2)
			dawdle(&random);
		*(volatile uint64_t *)&race.data = round;
		scene_kick_target(scene);
		scene_wakes(scene, round, "a kick that raced with it");
	}
	race.rounds = round;
	scene_put(&scene->go, LAST_ROUND);
	scene_kick_target(scene);
}

static void run_race(struct test_result *result)
{
	race.data = race.stale = 0;
	scene_play(result, target_races, controller_races, NULL);
	test_info(result, "%lu rounds", race.rounds);
	kick_drain_all();
}

/* ABI-KICK-33: a kick that comes while the target is about to halt is not lost. */
static void no_wakeup_is_lost(struct test_result *result)
{
	run_race(result);
}
ABI_CLAUSE(no_wakeup_is_lost, "ABI-KICK-33", "abi.kick.no_wakeup_is_lost", ABI_MUST, KICK_NEEDS);

/* ABI-KICK-34: a store before the kick is visible to the target after its HLT. */
static void stores_are_seen(struct test_result *result)
{
	run_race(result);
	if (race.stale != 0)
		test_fail(result,
			  "%lu of %lu loads behind the HLT did not see a store before the "
			  "kick",
			  race.stale, race.rounds);
}
ABI_CLAUSE(stores_are_seen, "ABI-KICK-34", "abi.kick.stores_before_it_are_seen", ABI_MUST,
	   KICK_NEEDS);
