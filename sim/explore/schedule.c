/* SPDX-License-Identifier: MIT */
/*
 * Which vCPU takes the next step. The seed chooses one of two kinds of schedule:
 *
 * A random walk: the running vCPU goes on. At one step in `stay`, every vCPU that can go on is
 * equally likely; at one step in `drain`, a store leaves some vCPU's buffer.
 *
 * PCT (S. Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding
 * Bugs", ASPLOS 2010) with d = 3: the vCPU with the highest priority runs; at d - 1 random steps,
 * the running one is put behind all others. A store buffer has a priority of its own, as if a
 * thread emptied it. A case is longer than what PCT is meant for, so priorities and steps are drawn
 * anew for each `window` of steps. A vCPU that polls gets a new priority at each PAUSE, because no
 * lock makes progress while a poller runs alone.
 *
 * In both kinds, a vCPU whose next poll would see the same again waits while others have something
 * to do. When all wait, the clock may move on for them; if that changes nothing, it is a deadlock.
 */
#include "sim/explore/explore.h"

#include <stdio.h>

#define DRAIN_STEPS 256    /* no store stays longer in a buffer */
#define QUIET_STEPS 200000 /* so many steps of nothing but polls: no change will come */
#define WAITERS_IN  16     /* at one choice in so many, a vCPU that waits polls all the same */
#define TIME_SHIFTS 10     /* the clock moves on by 2^10 steps' time at once, at most */

/* xorshift64* (S. Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016) */
uint64_t explore_random(uint64_t bound)
{
	uint64_t x = explore->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	explore->random = x;
	x *= UINT64_C(0x2545f4914f6cdd1d);
	return (uint64_t)((unsigned __int128)x * bound >> 64);
}

/* ---- PCT ---- */

#define LOWEST (UINT64_C(1) << 32) /* of drawn priorities; those of vCPUs put last are lower */

void schedule_shuffle(struct vcpu *vcpu)
{
	vcpu->priority = LOWEST + explore_random(LOWEST);
}

static void begin_window(void)
{
	struct schedule *schedule = &explore->schedule;

	schedule->window_end = explore->step + schedule->window;
	for (int i = 0; i < 2; i++)
		schedule->lower_at[i] = explore->step + explore_random(schedule->window);
	for (uint32_t i = 0; i < explore->count; i++) {
		struct vcpu *vcpu = &explore->vcpu[i];

		schedule_shuffle(vcpu);
		vcpu->store_priority = schedule->lazy ? 0 : LOWEST + explore_random(LOWEST);
	}
}

/* Puts the running vCPU last if this is one of the window's d - 1 steps. */
static void lower_if_due(void)
{
	struct schedule *schedule = &explore->schedule;

	for (uint64_t i = 0; i < 2; i++)
		if (explore->step == schedule->lower_at[i]) {
			explore->running->priority = 2 - i;
			if (schedule->deschedule)
				vcpu_deschedule(explore->running);
		}
}

/* ---- all of them wait ---- */

/* Whether the vCPU will do something else after some number of polls. */
static bool may_end(const struct vcpu *vcpu)
{
	return vcpu->polls < EXPLORE_FOREVER;
}

static struct vcpu *first_to_wake(void)
{
	struct vcpu *found = NULL;

	for (uint32_t i = 0; i < explore->count; i++) {
		struct vcpu *vcpu = &explore->vcpu[i];

		if (vcpu->working && vcpu->sleeps_until > explore->now &&
		    (!found || vcpu->sleeps_until < found->sleeps_until))
			found = vcpu;
	}
	return found;
}

/* The vCPU without a CPU whose CPU comes back first; NULL: none. */
static struct vcpu *first_back(void)
{
	struct vcpu *found = NULL;

	for (uint32_t i = 0; i < explore->count; i++) {
		struct vcpu *vcpu = &explore->vcpu[i];

		if (vcpu->working && vcpu->off && explore->step < vcpu->off_until &&
		    (!found || vcpu->off_until < found->off_until))
			found = vcpu;
	}
	return found;
}

static bool drain_any(void)
{
	uint32_t start = (uint32_t)explore_random(explore->count);

	for (uint32_t i = 0; i < explore->count; i++) {
		struct vcpu *vcpu = &explore->vcpu[(start + i) % explore->count];

		if (vcpu->stores.count) {
			memory_drain_one(vcpu);
			return true;
		}
	}
	return false;
}

/* A random one of the polling vCPUs that will do something else: after some time, or after no more
 * than `left` polls (by then a sleeper wakes). NULL: none. Sets *all_timed to whether all of them
 * wait for a time. */
static struct vcpu *counting(uint64_t left, bool *all_timed)
{
	struct vcpu *found = NULL;
	uint32_t seen = 0;

	*all_timed = true;

	for (uint32_t i = 0; i < explore->count; i++) {
		struct vcpu *vcpu = &explore->vcpu[i];

		if (!vcpu_can_go_on(vcpu) || !vcpu->waits)
			continue;
		if (!vcpu->poll.timed && (!may_end(vcpu) || vcpu->polls > left))
			continue;
		*all_timed = *all_timed && vcpu->poll.timed;
		if (explore_random(++seen) == 0)
			found = vcpu;
	}
	return found;
}

/* Moves the clock on for a vCPU that reads it in its polls, further each time. */
static void let_time_pass(const struct vcpu *vcpu, const struct vcpu *sleeper)
{
	uint64_t shift = vcpu->poll.alike < TIME_SHIFTS ? vcpu->poll.alike : TIME_SHIFTS;

	explore->now += (uint64_t)EXPLORE_STEP_NS << shift;
	if (sleeper && explore->now > sleeper->sleeps_until)
		explore->now = sleeper->sleeps_until;
}

/* All vCPUs wait: chooses one that may go on. NULL: something has changed, choose again. Ends the
 * run if nothing ever will change: a deadlock. */
static struct vcpu *wait_for_something(void)
{
	struct vcpu *sleeper = first_to_wake(), *back = first_back(), *waiter;
	uint64_t left = EXPLORE_FOREVER;
	bool all_timed;

	if (drain_any())
		return NULL;
	if (sleeper)
		left = (sleeper->sleeps_until - explore->now) / EXPLORE_STEP_NS;
	waiter = counting(left, &all_timed);
	if (back && (!waiter || explore_random(2))) {
		back->off_until = explore->step;
		return NULL;
	}
	if (waiter) {
		if (explore->quiet++ > QUIET_STEPS)
			explore_finish(EXPLORE_DEADLOCK);
		if (all_timed)
			let_time_pass(waiter, sleeper);
		waiter->skips = waiter->polls - 1;
		/* no more than there are steps until the other vCPU has its CPU back */
		if (back && waiter->skips > back->off_until - explore->step)
			waiter->skips = back->off_until - explore->step;
		return waiter;
	}
	if (!sleeper)
		explore_finish(EXPLORE_DEADLOCK);
	explore->now = sleeper->sleeps_until;
	return NULL;
}

/* ---- the next step ---- */

static void drain_overdue(void)
{
	for (uint32_t i = 0; i < explore->count; i++) {
		struct vcpu *vcpu = &explore->vcpu[i];

		while (vcpu->stores.count &&
		       store_at(&vcpu->stores, 0)->step + DRAIN_STEPS < explore->step)
			memory_drain_one(vcpu);
	}
}

static bool has_something_to_do(const struct vcpu *vcpu)
{
	return vcpu_can_go_on(vcpu) &&
	       (!vcpu->waits || (vcpu->pending && vcpu->open && !vcpu->handling));
}

static struct vcpu *any(bool (*suits)(const struct vcpu *vcpu))
{
	struct vcpu *found = NULL;
	uint32_t seen = 0;

	for (uint32_t i = 0; i < explore->count; i++) {
		struct vcpu *vcpu = &explore->vcpu[i];

		if (suits(vcpu) && explore_random(++seen) == 0)
			found = vcpu;
	}
	return found;
}

static struct vcpu *highest(void)
{
	struct vcpu *found = NULL, *store = NULL;

	for (uint32_t i = 0; i < explore->count; i++) {
		struct vcpu *vcpu = &explore->vcpu[i];

		if (vcpu->stores.count && (!store || vcpu->store_priority > store->store_priority))
			store = vcpu;
		if (has_something_to_do(vcpu) && (!found || vcpu->priority > found->priority))
			found = vcpu;
	}
	if (store && found && store->store_priority > found->priority) {
		memory_drain_one(store);
		return highest(); /* the store may have woken a higher one */
	}
	return found;
}

static struct vcpu *walk(void)
{
	const struct schedule *schedule = &explore->schedule;

	if (!schedule->lazy && explore_random(schedule->drain) == 0)
		drain_any();
	if (has_something_to_do(explore->running) && explore_random(schedule->stay) != 0)
		return explore->running;
	return any(explore_random(WAITERS_IN) ? has_something_to_do : vcpu_can_go_on);
}

struct vcpu *schedule_choose(void)
{
	const struct schedule *schedule = &explore->schedule;
	struct vcpu *next;

	if (explore->search.on)
		return search_choose();
	if (explore->step % 32 == 0)
		drain_overdue();
	if (schedule->pct && explore->step >= schedule->window_end)
		begin_window();
	if (schedule->pct)
		lower_if_due();
	else if (schedule->deschedule && explore->running->working && !explore->running->off &&
		 explore_random(schedule->deschedule) == 0)
		vcpu_deschedule(explore->running);
	do {
		next = schedule->pct ? highest() : walk();
		if (!next)
			next = wait_for_something();
	} while (!next);
	return next;
}

/* ---- the seed ---- */

static uint64_t one_of(const uint32_t *list, uint64_t count)
{
	return list[explore_random(count)];
}

#define ONE_OF(...)                                        \
	((uint32_t)one_of((const uint32_t[]){__VA_ARGS__}, \
			  sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)))

void schedule_begin(uint64_t seed)
{
	struct schedule *schedule = &explore->schedule;

	/* as splitmix64 ends, so that neighbouring seeds give unlike states; never 0 */
	seed = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
	seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	explore->random = seed ^ seed >> 27 ? seed ^ seed >> 27 : 1;
	*schedule = (struct schedule){
		.pct = explore_random(2),
		.lazy = explore_random(2),
		.flags_halts = explore_random(2),
		.stay = ONE_OF(1, 2, 4, 16, 64),
		.drain = ONE_OF(2, 8, 32),
		.deschedule = ONE_OF(0, 50, 200, 1000),
		.window = ONE_OF(32, 128, 512, 2048),
	};
	explore->search.depth = explore->search.spent = explore->search.pauses = 0;
	if (explore->search.on)
		*schedule = (struct schedule){.flags_halts = explore->search.flags};
}

const char *explore_describe(char *text, size_t size)
{
	const struct schedule *schedule = &explore->schedule;

	if (explore->search.on)
		snprintf(text, size, "%u deviations%s", explore->search.spent,
			 explore->search.flags ? ", preemption shows in the steal-time page" : "");
	else if (schedule->pct)
		snprintf(text, size, "PCT, d = 3, of %u steps%s", schedule->window,
			 schedule->lazy ? ", stores late" : "");
	else
		snprintf(text, size, "random walk, another vCPU in 1 of %u steps%s", schedule->stay,
			 schedule->lazy ? ", stores late" : "");
	return text;
}
