/* SPDX-License-Identifier: MIT */
/* What the cases share: failures, looks at a lock's state, and the actors. See client.h. */
#define _GNU_SOURCE
#include "client.h"
#include "locks/pv_hash.h"
#include "locks/tunables.h"
#include "port/hosted.h"
#include "port/port.h"
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define AWAIT_S  40 /* a sanitized build on a busy machine is slow; a hang is a hang */
#define FAILED_S 10 /* a case that has failed is given to end */
#define SOON_NS  UINT64_C(5000000000)
#define AWAIT_NS (AWAIT_S * UINT64_C(1000000000))

void fail(struct test *test, const char *format, ...)
{
	va_list arguments;

	if (atomic_exchange_explicit(&test->failed, true, memory_order_relaxed))
		return;
	va_start(arguments, format);
	vsnprintf(test->why, sizeof(test->why), format, arguments);
	va_end(arguments);
	alarm(FAILED_S); /* what is broken may not come to an end */
}

void *node_of(const struct test *test, uint32_t cpu)
{
	return test->nodes + cpu * test->stride;
}

void lock_acquire(struct test *test)
{
	test->ops->acquire(test->lock, node_of(test, port_cpu()));
}

bool lock_try(struct test *test)
{
	return test->ops->try_acquire(test->lock, node_of(test, port_cpu()));
}

void lock_release(struct test *test)
{
	test->ops->release(test->lock, node_of(test, port_cpu()));
}

const union qspinlock_word *word_of(const struct test *test)
{
	return test->lock;
}

const char *lock_text(const struct test *test)
{
	static _Thread_local char text[160];

	test->ops->describe(test->lock, text, sizeof(text));
	return text;
}

void set_tunable(struct test *test, const char *name, uint32_t value)
{
	const struct tunable *tunable = tunable_find(name, strlen(name));

	if (!tunable || value < tunable->min || value > tunable->max)
		fail(test, "%s=%u: no such tunable, or out of its range", name, value);
	else
		*tunable->value = value;
}

void client_nodes(struct test *test, uint32_t nodes)
{
	(void)test;
	hosted_pretend_nodes(nodes);
}

void state_copy(const struct test *test, struct state *state)
{
	const _Atomic uint8_t *bytes = test->lock;

	for (size_t i = 0; i < test->ops->state_size && i < STATE_MAX; i++)
		state->byte[i] = atomic_load_explicit(&bytes[i], memory_order_relaxed);
}

bool state_equal(const struct test *test, const struct state *a, const struct state *b)
{
	for (size_t i = 0; i < test->ops->state_size && i < STATE_MAX; i++)
		if (a->byte[i] != b->byte[i])
			return false;
	return true;
}

void check_free(struct test *test, const struct state *initial)
{
	struct state now;

	state_copy(test, &now);
	if ((test->ops->flags & LOCK_RESTORES) && !state_equal(test, &now, initial))
		fail(test, "nobody is left, but the lock is not as it was at first: %s",
		     lock_text(test));
	if (pv_hash_used() != 0)
		fail(test, "nobody waits, but %zu hash entries are in use", pv_hash_used());
	if (!lock_try(test))
		fail(test, "nobody is left, but try_acquire fails: %s", lock_text(test));
	else
		lock_release(test);
}

uint64_t event_sum(const struct test *test, enum lock_event event)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < test->threads; i++)
		sum += port_stats(i)->count[event];
	return sum;
}

/* The counters are plain, as only their CPU needs them to be right: a race, and meant to be one. */
__attribute__((no_sanitize_thread)) uint64_t event_peek(uint32_t cpu, enum lock_event event)
{
	const volatile uint64_t *count = &port_stats(cpu)->count[event];

	return *count;
}

static struct {
	_Atomic enum command command;
	_Atomic enum actor_state state;
} actor[CLIENT_CPUS];
static void (*the_conductor)(struct test *test);

static void act(struct test *test, uint32_t cpu, enum command command)
{
	enum actor_state done = ACTOR_IDLE;

	switch (command) {
	case COMMAND_ACQUIRE:
		atomic_store_explicit(&actor[cpu].state, ACTOR_ACQUIRING, memory_order_release);
		lock_acquire(test);
		done = ACTOR_OWNS;
		break;
	case COMMAND_TRY:
		done = lock_try(test) ? ACTOR_OWNS : ACTOR_REFUSED;
		break;
	case COMMAND_RELEASE:
		lock_release(test);
		break;
	case COMMAND_IDLE:
	case COMMAND_EXIT:
		return;
	}
	atomic_store_explicit(&actor[cpu].state, done, memory_order_release);
}

static void actor_main(void *arg)
{
	struct test *test = arg;
	uint32_t cpu = port_cpu();
	enum command command = COMMAND_IDLE;

	if (cpu == 0) {
		the_conductor(test);
		for (uint32_t i = 1; i < test->threads; i++)
			tell(i, COMMAND_EXIT);
		return;
	}
	while (command != COMMAND_EXIT) {
		command = atomic_exchange_explicit(&actor[cpu].command, COMMAND_IDLE,
						   memory_order_acq_rel);
		if (command == COMMAND_IDLE)
			sched_yield();
		act(test, cpu, command);
	}
}

void with_actors(struct test *test, void (*conductor)(struct test *test))
{
	the_conductor = conductor;
	for (uint32_t i = 0; i < CLIENT_CPUS; i++) {
		atomic_store_explicit(&actor[i].command, COMMAND_IDLE, memory_order_relaxed);
		atomic_store_explicit(&actor[i].state, ACTOR_IDLE, memory_order_relaxed);
	}
	port_run_on(test->threads, actor_main, test);
}

void tell(uint32_t cpu, enum command command)
{
	/* The conductor waits for each command's effect, but for EXIT: that one must not replace
	 * a command not yet taken. */
	while (atomic_load_explicit(&actor[cpu].command, memory_order_relaxed) != COMMAND_IDLE)
		sched_yield();
	atomic_store_explicit(&actor[cpu].command, command, memory_order_release);
}

enum actor_state actor_state(uint32_t cpu)
{
	return atomic_load_explicit(&actor[cpu].state, memory_order_acquire);
}

bool await_state(struct test *test, uint32_t cpu, enum actor_state wanted)
{
	uint64_t start = port_cycles();

	while (actor_state(cpu) != wanted) {
		if (port_cycles_to_ns(port_cycles() - start) > AWAIT_NS) {
			fail(test, "CPU %u is in state %d after %d s, not in %d: %s", cpu,
			     (int)actor_state(cpu), AWAIT_S, (int)wanted, lock_text(test));
			return false;
		}
		sched_yield();
	}
	return true;
}

bool await(struct test *test, bool (*condition)(struct test *test), const char *what)
{
	uint64_t start = port_cycles();

	while (!condition(test)) {
		if (port_cycles_to_ns(port_cycles() - start) > AWAIT_NS) {
			fail(test, "not seen within %d s: %s; %s", AWAIT_S, what, lock_text(test));
			return false;
		}
		sched_yield();
	}
	return true;
}

bool too_late(uint64_t start)
{
	return port_cycles_to_ns(port_cycles() - start) > SOON_NS;
}

void let_others_run(uint32_t milliseconds)
{
	struct timespec time = {.tv_nsec = milliseconds * 1000000L};

	nanosleep(&time, NULL);
}
