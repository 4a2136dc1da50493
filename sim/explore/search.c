/* SPDX-License-Identifier: MIT */
/*
 * All schedules of a short run with at most `bound` deviations from the plain one, by running it
 * again and again (M. Musuvathi and S. Qadeer, "Iterative Context Bounding for Systematic Testing
 * of Multithreaded Programs", PLDI 2007). In the plain schedule a vCPU runs until it waits, halts,
 * yields or ends, or has polled a few times without a result; then its stores are in memory. A
 * deviation is one of these:
 *
 *	a vCPU loses its CPU although it could go on;
 *	some of its last stores stay in its buffer as another vCPU takes over;
 *	its oldest store leaves the buffer at a certain step of another vCPU;
 *	a vCPU that waits gives up polling although others could go on.
 *
 * Who goes on after a vCPU that cannot is free: all of them are tried. After a vCPU that yields it
 * is the one that has not run for the longest time. While a vCPU runs alone,
 * nobody can see when its stores leave its buffer, so nothing is chosen there.
 *
 * The choices of a run are a stack. The next run repeats them up to the last one that has another
 * option, and takes that. A run is a function of its choices, so none is left out or made twice;
 * different choices may lead to the same states.
 */
#include "sim/explore/explore.h"

#include <stdio.h>
#include <stdlib.h>

#define PAUSES_MOST 3  /* of one vCPU in a row, before another one has a turn */
#define TIME_SHIFTS 10 /* the clock moves on by 2^10 steps' time at once, at most */

/* ---- the choices ---- */

void search_begin(uint32_t bound, bool flags)
{
	explore->search = (struct search){.on = true, .bound = bound, .flags = flags};
}

bool search_next(void)
{
	struct search *search = &explore->search;

	while (search->known && search->choice[search->known - 1].chosen + 1 ==
					search->choice[search->known - 1].count)
		search->known--;
	if (search->known)
		search->choice[search->known - 1].chosen++;
	return search->known != 0;
}

void search_end(void)
{
	explore->search.on = false;
}

/* Chooses one of `count` options; each but the first costs `cost` deviations. */
static uint32_t choose(uint32_t count, uint32_t cost)
{
	struct search *search = &explore->search;
	uint32_t i = search->depth;

	if (count < 2 || (cost && search->spent == search->bound))
		return 0;
	if (i == SEARCH_CHOICES)
		explore_finish(EXPLORE_ENDLESS);
	search->depth++;
	if (i == search->known) {
		search->choice[i].chosen = 0;
		search->choice[i].count = (uint8_t)count;
		search->known++;
	} else if (search->choice[i].count != count) {
		fprintf(stderr, "check-locks: a schedule cannot be repeated\n");
		exit(4);
	}
	if (search->choice[i].chosen)
		search->spent += cost;
	return search->choice[i].chosen;
}

/* ---- the vCPUs that an option is about ---- */

static bool is_ready(const struct vcpu *vcpu)
{
	return vcpu_can_go_on(vcpu) && !vcpu->waits;
}

static bool is_ready_elsewhere(const struct vcpu *vcpu)
{
	return vcpu != explore->running && is_ready(vcpu);
}

static bool has_stores(const struct vcpu *vcpu)
{
	return vcpu->stores.count != 0;
}

static bool has_stores_elsewhere(const struct vcpu *vcpu)
{
	return vcpu != explore->running && has_stores(vcpu);
}

static bool may_give_up(const struct vcpu *vcpu)
{
	return vcpu_can_go_on(vcpu) && vcpu->waits && vcpu->polls < EXPLORE_FOREVER;
}

static bool polls_clock(const struct vcpu *vcpu)
{
	return vcpu_can_go_on(vcpu) && vcpu->waits && vcpu->poll.timed;
}

static uint32_t count(bool (*suits)(const struct vcpu *vcpu))
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < explore->count; i++)
		n += suits(&explore->vcpu[i]);
	return n;
}

/* The n-th one that suits; there is one. */
static struct vcpu *nth(bool (*suits)(const struct vcpu *vcpu), uint32_t n)
{
	uint32_t i = 0;

	while (!suits(&explore->vcpu[i]) || n-- > 0)
		i++;
	return &explore->vcpu[i];
}

/* ---- the next step ---- */

static struct vcpu *give_up(struct vcpu *vcpu)
{
	vcpu->skips = vcpu->polls - 1;
	return vcpu;
}

/* The running vCPU stops running here. */
static void leave(struct vcpu *me, bool preempted)
{
	uint32_t kept = 0;

	explore->search.pauses = 0;
	me->left_at = explore->step;
	if (preempted && explore->search.flags) {
		vcpu_deschedule(me);
		me->off_until = explore->step;
		return;
	}
	if (me->working)
		kept = choose(1 + me->stores.count, 1);
	while (me->stores.count > kept)
		memory_drain_one(me);
}

/* Lets time pass for the vCPU that reads the clock in its polls and has done so the least often. */
static struct vcpu *let_time_pass(void)
{
	struct vcpu *found = nth(polls_clock, 0);

	for (uint32_t n = count(polls_clock); n-- > 1;)
		if (nth(polls_clock, n)->poll.alike < found->poll.alike)
			found = nth(polls_clock, n);
	explore->now += (uint64_t)EXPLORE_STEP_NS
			<< (found->poll.alike < TIME_SHIFTS ? found->poll.alike : TIME_SHIFTS);
	return found;
}

/* No vCPU can go on by itself. NULL: something has changed. Ends the run if nothing ever will. */
static struct vcpu *wait_for_something(void)
{
	uint32_t buffers = count(has_stores), pollers = count(may_give_up);

	if (buffers) {
		memory_drain_one(nth(has_stores, choose(buffers, 0)));
		return NULL;
	}
	if (explore->quiet++ > SEARCH_QUIET)
		explore_finish(EXPLORE_DEADLOCK);
	if (count(polls_clock))
		return let_time_pass();
	if (!pollers)
		explore_finish(EXPLORE_DEADLOCK);
	return give_up(nth(may_give_up, choose(pollers, 0)));
}

/* Whether the running vCPU is to go on in the plain schedule. */
static bool goes_on(struct vcpu *me)
{
	if (!is_ready(me))
		return false;
	if (count(is_ready_elsewhere) && (me->yields || explore->search.pauses > PAUSES_MOST))
		return false;
	return true;
}

static struct vcpu *longest_off(bool (*suits)(const struct vcpu *vcpu))
{
	struct vcpu *found = nth(suits, 0);

	for (uint32_t n = count(suits); n-- > 1;)
		if (nth(suits, n)->left_at < found->left_at)
			found = nth(suits, n);
	return found;
}

/* Whoever goes on after the running vCPU, which has left. `fair`: it yields, and vCPUs that do
 * nothing else take turns; if they chose freely, a schedule could leave one out for ever. */
static struct vcpu *successor(bool fair)
{
	for (;;) {
		bool (*suits)(const struct vcpu *vcpu) =
			count(is_ready_elsewhere) ? is_ready_elsewhere : is_ready;
		uint32_t ready = count(suits), option = 0;
		struct vcpu *next;

		if (ready || count(has_stores))
			option = choose(1 + count(may_give_up), 1);
		if (option)
			return give_up(nth(may_give_up, option - 1));
		if (fair && ready)
			return longest_off(suits);
		next = ready ? nth(suits, choose(ready, 0)) : wait_for_something();
		if (next)
			return next;
	}
}

/* The running vCPU could go on: chooses whether it does. */
static struct vcpu *go_on(struct vcpu *me)
{
	for (;;) {
		uint32_t buffers = count(has_stores_elsewhere), pollers = count(may_give_up);
		uint32_t option =
			choose(1 + buffers + pollers + (count(is_ready_elsewhere) != 0), 1);
		struct vcpu *poller;

		if (option == 0)
			return me;
		if (option <= buffers) {
			memory_drain_one(nth(has_stores_elsewhere, option - 1));
			continue;
		}
		poller =
			option <= buffers + pollers ? nth(may_give_up, option - buffers - 1) : NULL;
		leave(me, true);
		return poller ? give_up(poller) : successor(false);
	}
}

struct vcpu *search_choose(void)
{
	struct vcpu *me = explore->running;
	bool could = is_ready(me), plain = goes_on(me);

	me->yields = false;
	if (plain)
		return go_on(me);
	leave(me, false);
	return successor(could);
}
