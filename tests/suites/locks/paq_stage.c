/* SPDX-License-Identifier: MIT */
/* See paq_stage.h. */
#include "tests/suites/locks/paq_stage.h"
#include "locks/core/pv.h"
#include "port/port.h"

static struct {
	_Atomic bool halted, preempted;
	_Atomic uint32_t kicks, yields;
} seen[CLIENT_CPUS];
static _Atomic bool hold_kicks;
static struct pv_backend real; /* the wrapped one */
static struct test *the_test;
static uint32_t watched; /* the CPU that the conditions below are about */

void (*_Atomic paq_when_asked)(struct test *test, uint32_t about);

static void staged_wait(const _Atomic uint8_t *word, uint8_t value)
{
	atomic_store_explicit(&seen[port_cpu()].halted, true, memory_order_relaxed);
	real.wait(word, value);
	atomic_store_explicit(&seen[port_cpu()].halted, false, memory_order_relaxed);
}

static void staged_kick(uint32_t cpu)
{
	atomic_fetch_add_explicit(&seen[cpu].kicks, 1, memory_order_relaxed);
	if (!atomic_load_explicit(&hold_kicks, memory_order_relaxed))
		real.kick(cpu);
}

static void staged_yield_to(uint32_t cpu)
{
	atomic_fetch_add_explicit(&seen[cpu].yields, 1, memory_order_relaxed);
	real.yield_to(cpu);
}

static bool staged_preempted(uint32_t cpu)
{
	void (*asked)(struct test * test, uint32_t about);

	if (!atomic_load_explicit(&seen[cpu].preempted, memory_order_relaxed))
		return false;
	asked = atomic_load_explicit(&paq_when_asked, memory_order_relaxed);
	if (asked)
		asked(the_test, cpu);
	return true;
}

void paq_mark(uint32_t cpu, bool preempted)
{
	atomic_store_explicit(&seen[cpu].preempted, preempted, memory_order_relaxed);
}

void paq_hold_kicks(bool hold)
{
	atomic_store_explicit(&hold_kicks, hold, memory_order_relaxed);
}

void paq_real_kick(uint32_t cpu)
{
	real.kick(cpu);
}

uint32_t paq_kicks(uint32_t cpu)
{
	return atomic_load_explicit(&seen[cpu].kicks, memory_order_relaxed);
}

uint32_t paq_yields(uint32_t cpu)
{
	return atomic_load_explicit(&seen[cpu].yields, memory_order_relaxed);
}

bool paq_halted(uint32_t cpu)
{
	return atomic_load_explicit(&seen[cpu].halted, memory_order_relaxed);
}

void paq_play(struct test *test, void (*conductor)(struct test *test))
{
	const struct pv_backend *own = pv_backend;
	struct pv_backend staged = *own;
	struct state initial;

	real = *own;
	the_test = test;
	staged.wait = staged_wait;
	staged.kick = staged_kick;
	staged.yield_to = staged_yield_to;
	staged.preempted = staged_preempted;
	for (uint32_t i = 0; i < CLIENT_CPUS; i++) {
		paq_mark(i, false);
		atomic_store_explicit(&seen[i].kicks, 0, memory_order_relaxed);
		atomic_store_explicit(&seen[i].yields, 0, memory_order_relaxed);
	}
	paq_hold_kicks(false);
	atomic_store_explicit(&paq_when_asked, NULL, memory_order_relaxed);
	pv_backend = &staged;
	state_copy(test, &initial);
	with_actors(test, conductor);
	pv_backend = own;
	check_free(test, &initial);
}

union paq_word *paq_word_of(struct test *test)
{
	return &((struct paq_lock *)test->lock)->word;
}

struct paq_cpu *paq_cpu_of(struct test *test, uint32_t cpu)
{
	return node_of(test, cpu);
}

uint64_t paq_value(struct test *test)
{
	return paq_load(paq_word_of(test));
}

static bool watched_is_head(struct test *test)
{
	return paq_head(paq_value(test)) == paq_id(watched, 0);
}

/* Whether it is the tail and linked to its predecessor: a newcomer sets the link after the tail. */
static bool watched_is_tail(struct test *test)
{
	uint32_t id = paq_id(watched, 0);

	if (paq_tail(paq_value(test)) != id)
		return false;
	if (paq_head(paq_value(test)) == id)
		return true;
	for (uint32_t i = 0; i < test->threads; i++)
		if (atomic_load_explicit(&paq_cpu_of(test, i)->level[0].next,
					 memory_order_acquire) == id)
			return true;
	return false;
}

static bool watched_halts(struct test *test)
{
	(void)test;
	return paq_halted(watched);
}

bool paq_await_head(struct test *test, uint32_t cpu)
{
	watched = cpu;
	return await(test, watched_is_head, "the head of the queue");
}

bool paq_await_tail(struct test *test, uint32_t cpu)
{
	watched = cpu;
	return await(test, watched_is_tail, "a newcomer in the queue");
}

bool paq_await_halt(struct test *test, uint32_t cpu)
{
	watched = cpu;
	if (!await(test, watched_halts, "a halted waiter"))
		return false;
	let_others_run(20); /* it sleeps now, or is about to: both are fine for a case */
	return true;
}

bool paq_line_up(struct test *test, uint32_t waiters)
{
	lock_acquire(test);
	for (uint32_t i = 1; i <= waiters; i++) {
		tell(i, COMMAND_ACQUIRE);
		if (!paq_await_tail(test, i))
			return false;
	}
	return true;
}

void paq_expect_order(struct test *test, const char *order)
{
	for (; *order; order++) {
		uint32_t cpu = (uint32_t)(*order - '0');

		if (!await_state(test, cpu, ACTOR_OWNS))
			return;
		tell(cpu, COMMAND_RELEASE);
		if (!await_state(test, cpu, ACTOR_IDLE))
			return;
	}
}

void paq_expect(struct test *test, enum lock_event event, uint64_t wanted)
{
	uint64_t got = event_sum(test, event);

	if (got != wanted)
		fail(test, "%s is %llu, not %llu", lock_event_names[event], (unsigned long long)got,
		     (unsigned long long)wanted);
}
