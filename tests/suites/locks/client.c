/* SPDX-License-Identifier: MIT */
/* What the cases share: failures, looks at a lock's state, and the actors. See client.h. */
#include "tests/suites/locks/client.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "locks/core/tunables.h"
#include "locks/pv_hash.h"
#include "port/port.h"
#include "tests/suites/locks/client_port.h"
#include <stdarg.h>

/* Descriptions in use at once: more than a case that compares them has threads. */
#define TEXTS 32

void fail(struct test *test, const char *format, ...)
{
	va_list arguments;

	if (atomic_exchange_explicit(&test->failed, true, memory_order_relaxed))
		return;
	va_start(arguments, format);
	kvsnprintf(test->why, sizeof(test->why), format, arguments);
	va_end(arguments);
	client_has_failed();
}

void *node_of(const struct test *test, uint32_t cpu)
{
	return test->nodes + cpu * test->stride;
}

static void set_place(struct test *test, uint32_t cpu, enum place place)
{
	atomic_store_explicit(&test->cpus[cpu].place, place, memory_order_relaxed);
}

void lock_acquire(struct test *test)
{
	uint32_t cpu = port_cpu();

	set_place(test, cpu, PLACE_WAITS);
	test->ops->acquire(test->lock, node_of(test, cpu));
	set_place(test, cpu, PLACE_OWNS);
}

bool lock_try(struct test *test)
{
	uint32_t cpu = port_cpu();
	bool owns = test->ops->try_acquire(test->lock, node_of(test, cpu));

	if (owns)
		set_place(test, cpu, PLACE_OWNS);
	return owns;
}

void lock_release(struct test *test)
{
	uint32_t cpu = port_cpu();

	set_place(test, cpu, PLACE_RELEASES);
	test->ops->release(test->lock, node_of(test, cpu));
	set_place(test, cpu, PLACE_OUTSIDE);
}

const char *client_state(const struct test *test, uint32_t cpu)
{
	static const char *const words[] = {
		[PLACE_OUTSIDE] = "outside",
		[PLACE_WAITS] = "waits",
		[PLACE_OWNS] = "owns",
		[PLACE_RELEASES] = "releases",
	};
	static const char *const handler_words[] = {
		[PLACE_OUTSIDE] = "in a handler",
		[PLACE_WAITS] = "waits in a handler",
		[PLACE_OWNS] = "owns in a handler",
		[PLACE_RELEASES] = "releases in a handler",
	};
	const struct client_cpu *it = &test->cpus[cpu];

	if (atomic_load_explicit(&it->interrupted, memory_order_relaxed))
		return handler_words[atomic_load_explicit(&it->handler, memory_order_relaxed)];
	return words[atomic_load_explicit(&it->place, memory_order_relaxed)];
}

uint32_t client_owner(const struct test *test)
{
	for (uint32_t i = 0; i < test->threads; i++) {
		uint32_t place = atomic_load_explicit(&test->cpus[i].place, memory_order_relaxed);

		if (place == PLACE_OWNS || place == PLACE_RELEASES)
			return i + 1;
	}
	return 0;
}

const union qspinlock_word *word_of(const struct test *test)
{
	return test->lock;
}

void halt_at_once(struct test *test)
{
	static const struct {
		const char *key;
		uint32_t value;
	} settings[] = {
		{"spin_threshold", 1},    {"prev_check_mask", 0},
		{"oticket_max_shift", 0}, /* those near their turn, too */
		{"paq_spin_us", 0},       {"steal", 0},
		{"taspark_spins", 1},     {"mcsstp_spins", 1},
		{"flexguard_park", 2},    {"xenbyte_spins", 1},
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const struct tunable *tunable =
			tunable_find(settings[i].key, strlen(settings[i].key));

		if (tunable && tunable_is_of(tunable, test->ops->name))
			set_tunable(test, settings[i].key, settings[i].value);
	}
}

void client_nodes(struct test *test, uint32_t nodes)
{
	(void)test;
	client_nodes_are(nodes);
}

const char *lock_text(const struct test *test)
{
	static char texts[TEXTS][160];
	char *text = texts[port_cpu() % TEXTS];

	test->ops->describe(test->lock, text, sizeof(texts[0]));
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

/* The counters are plain, because only their own CPU needs exact values: a data race on purpose. */
__attribute__((no_sanitize_thread)) uint64_t event_peek(uint32_t cpu, enum lock_event event)
{
	const volatile uint64_t *count = &port_stats(cpu)->count[event];

	return *count;
}

uint64_t event_peek_sum(const struct test *test, enum lock_event event)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < test->threads; i++)
		sum += event_peek(i, event);
	return sum;
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
			client_poll();
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
	/* The conductor waits for the effect of each command except EXIT, which must not replace a
	 * command that is not yet taken. */
	while (atomic_load_explicit(&actor[cpu].command, memory_order_relaxed) != COMMAND_IDLE)
		client_poll();
	atomic_store_explicit(&actor[cpu].command, command, memory_order_release);
}

enum actor_state actor_state(uint32_t cpu)
{
	return atomic_load_explicit(&actor[cpu].state, memory_order_acquire);
}

static bool too_long(uint64_t start)
{
	return port_cycles_to_ns(port_cycles() - start) > client_await_s * UINT64_C(1000000000);
}

bool await_state(struct test *test, uint32_t cpu, enum actor_state wanted)
{
	uint64_t start = port_cycles();

	while (actor_state(cpu) != wanted) {
		if (too_long(start)) {
			fail(test, "CPU %u is in state %d after %u s, not in %d: %s", cpu,
			     (int)actor_state(cpu), client_await_s, (int)wanted, lock_text(test));
			return false;
		}
		client_poll();
	}
	return true;
}

bool await(struct test *test, bool (*condition)(struct test *test), const char *what)
{
	uint64_t start = port_cycles();

	while (!condition(test)) {
		if (too_long(start)) {
			fail(test, "not seen within %u s: %s; %s", client_await_s, what,
			     lock_text(test));
			return false;
		}
		client_poll();
	}
	return true;
}

bool too_late(uint64_t start)
{
	return port_cycles_to_ns(port_cycles() - start) > client_await_s * UINT64_C(500000000);
}

uint32_t soon_owner(struct test *test)
{
	for (uint64_t start = port_cycles(); !too_late(start);) {
		for (uint32_t i = 1; i < test->threads; i++)
			if (actor_state(i) == ACTOR_OWNS)
				return i;
		let_others_run(2);
	}
	fail(test, "free, but nobody takes it: %s", lock_text(test));
	return 0;
}

void let_others_run(uint32_t milliseconds)
{
	client_sleep_ms(milliseconds);
}
