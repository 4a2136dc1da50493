/* SPDX-License-Identifier: MIT */
/*
 * The protocol of pv-ticket, oticket and i-spinlock (locks/pv_ticket_wait.h): who halts, who is
 * kicked, when the flag is cleared, and what an interrupt in a halted wait may do, also when
 * tickets wrap around. A backend around the case's own shows which CPU is inside pv_wait, counts
 * kicks, and can play an interrupt between the decision to halt and the halt.
 */
#include "tests/suites/locks/pv_ticket_cases.h"
#include "locks/core/pv.h"
#include "port/port.h"

static const struct pv_backend *real;
static struct {
	_Atomic uint32_t kicks;
	_Atomic bool waiting; /* inside pv_wait */
	bool drained;         /* used by the CPU itself: no kick of an earlier case is left */
} seen[CLIENT_CPUS];
static uint32_t watched; /* the CPU that watched_waits is about */
/* An interrupt handler that acquires another lock, on the CPU that is about to halt. */
enum stage { NOT_YET, TAKEN, HALTED, OVER };
static struct {
	const struct test *test;
	void *lock; /* NULL: no interrupt */
	_Atomic enum stage stage;
} interrupt;

static enum stage interrupt_stage(void)
{
	return atomic_load_explicit(&interrupt.stage, memory_order_relaxed);
}

static void play_interrupt(void)
{
	void *node = node_of(interrupt.test, port_cpu());

	atomic_store_explicit(&interrupt.stage, TAKEN, memory_order_relaxed);
	interrupt.test->ops->acquire(interrupt.lock, node);
	interrupt.test->ops->release(interrupt.lock, node);
	atomic_store_explicit(&interrupt.stage, OVER, memory_order_relaxed);
}

static void watching_wait(const _Atomic uint8_t *word, uint8_t value)
{
	static const _Atomic uint8_t nothing;
	uint32_t cpu = port_cpu();

	if (!seen[cpu].drained) {
		real->kick(cpu);
		real->wait(&nothing, 0);
		seen[cpu].drained = true;
	}
	if (interrupt.lock && interrupt_stage() == NOT_YET)
		play_interrupt();
	else if (interrupt_stage() == TAKEN)
		atomic_store_explicit(&interrupt.stage, HALTED, memory_order_relaxed);
	atomic_store_explicit(&seen[cpu].waiting, true, memory_order_relaxed);
	real->wait(word, value);
	atomic_store_explicit(&seen[cpu].waiting, false, memory_order_relaxed);
}

static void watching_kick(uint32_t cpu)
{
	atomic_fetch_add_explicit(&seen[cpu].kicks, 1, memory_order_relaxed);
	real->kick(cpu);
}

/* Whether the watched CPU is in pv_wait and not kicked. */
static bool watched_waits(struct test *test)
{
	const struct pv_ticket_node *node = node_of(test, watched);

	return atomic_load_explicit(&node->record[0].asleep, memory_order_acquire) != 0 &&
	       atomic_load_explicit(&seen[watched].waiting, memory_order_relaxed);
}

static bool halts_now(struct test *test, uint32_t cpu)
{
	watched = cpu;
	return await(test, watched_waits, "a halted waiter");
}

/* Kicks of CPU 1, 2 and 3 since the last time. */
static void expect_kicks(struct test *test, uint32_t one, uint32_t two, uint32_t three,
			 const char *when)
{
	const uint32_t wanted[] = {0, one, two, three};

	for (uint32_t cpu = 1; cpu <= 3; cpu++) {
		uint32_t kicks =
			atomic_exchange_explicit(&seen[cpu].kicks, 0, memory_order_relaxed);

		if (kicks != wanted[cpu])
			fail(test, "%s: CPU %u was kicked %u times, not %u; %s", when, cpu, kicks,
			     wanted[cpu], lock_text(test));
	}
}

static bool watched_owns(struct test *test)
{
	(void)test;
	return actor_state(watched) == ACTOR_OWNS;
}

/* As await, but a lost wake-up of CPU does not hang the case: after two seconds the case fails, and
 * CPU is kicked by hand. */
static bool woken(struct test *test, uint32_t cpu, bool (*condition)(struct test *test))
{
	watched = cpu;
	for (int i = 0; i < 2000 && !condition(test); i++)
		let_others_run(1);
	if (!condition(test)) {
		fail(test, "CPU %u is not woken: %s", cpu, lock_text(test));
		real->kick(cpu);
	}
	return await(test, condition, "a waiter's end, though kicked by hand");
}

static bool owns_soon(struct test *test, uint32_t cpu)
{
	return woken(test, cpu, watched_owns);
}

/* Hands the lock over from one CPU to the next. Afterwards all kicks have been sent. */
static bool hands_over(struct test *test, uint32_t cpu, uint32_t next)
{
	tell(cpu, COMMAND_RELEASE);
	return owns_soon(test, next) && await_state(test, cpu, ACTOR_IDLE);
}

static uint16_t head_of(const struct test *test)
{
	const union pv_ticket *lock = test->lock;

	return atomic_load_explicit(&lock->head, memory_order_relaxed);
}

/* Runs the conductor over the watching backend; every wait halts soon. */
static void play(struct test *test, void (*conductor)(struct test *test))
{
	struct pv_backend watching = *pv_backend;

	real = pv_backend;
	watching.wait = watching_wait;
	watching.kick = watching_kick;
	for (uint32_t i = 0; i < CLIENT_CPUS; i++) {
		atomic_store_explicit(&seen[i].waiting, false, memory_order_relaxed);
		seen[i].drained = false;
		atomic_store_explicit(&seen[i].kicks, 0, memory_order_relaxed);
	}
	lock_tunables.spin_threshold = 16;
	pv_backend = &watching;
	with_actors(test, conductor);
	pv_backend = real;
}

static bool three_halted(struct test *test)
{
	lock_acquire(test);
	for (uint32_t cpu = 1; cpu <= 3; cpu++) {
		tell(cpu, COMMAND_ACQUIRE);
		if (!halts_now(test, cpu))
			return false;
		if (!(head_of(test) & PV_TICKET_FLAG))
			fail(test, "a halted waiter, but no flag: %s", lock_text(test));
	}
	expect_kicks(test, 0, 0, 0, "before any unlock");
	return true;
}

/* Tickets are served in order, and each is kicked when its turn comes. oticket also kicks the next
 * one, which halts again. */
static void conduct_kicks(struct test *test)
{
	bool two = strcmp(test->ops->name, "oticket") == 0;

	if (!three_halted(test))
		return;
	if (test->argument == 0 &&
	    strcmp(lock_text(test),
		   "word 0x00080001: serving 0 (slow path), next 8: 4 hold or wait") != 0)
		fail(test, "described as '%s'", lock_text(test));
	lock_release(test);
	if (!owns_soon(test, 1))
		return;
	expect_kicks(test, 1, two, 0, "first unlock");
	if (!halts_now(test, 2))
		return;
	if (!hands_over(test, 1, 2))
		return;
	expect_kicks(test, 0, 1, two, "second unlock");
	if (!(head_of(test) & PV_TICKET_FLAG))
		fail(test, "CPU 3 halts, but the flag is clear: %s", lock_text(test));
	if (!halts_now(test, 3))
		return;
	if (!hands_over(test, 2, 3))
		return;
	expect_kicks(test, 0, 0, 1, "third unlock");
	if (head_of(test) & PV_TICKET_FLAG)
		fail(test, "the last waiter left the flag set: %s", lock_text(test));
	tell(3, COMMAND_RELEASE);
	await_state(test, 3, ACTOR_IDLE);
	expect_kicks(test, 0, 0, 0, "last unlock");
}

static void test_kicks(struct test *test)
{
	struct state initial;

	start_at(test, test->argument);
	tune(test, "oticket_max_shift", 0);
	tune(test, "oticket_kicks", 2);
	play(test, conduct_kicks);
	state_copy(test, &initial);
	check_free(test, &initial);
	if (event_sum(test, EV_LOCK_SLOWPATH) != 3)
		fail(test, "lock_slowpath is not 3");
}

static bool interrupt_halts(struct test *test)
{
	(void)test;
	return interrupt_stage() == HALTED;
}

static bool interrupt_over(struct test *test)
{
	(void)test;
	return interrupt_stage() == OVER;
}

/* CPU 1 is interrupted when it is about to halt, and the handler halts for another lock. The turn
 * of the interrupted wait comes meanwhile (argument 0) or afterwards (1). */
static void conduct_interrupt(struct test *test)
{
	interrupt.test->ops->acquire(interrupt.lock, node_of(test, 0));
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!await(test, interrupt_halts, "an interrupt handler that halts"))
		return;
	let_others_run(10);
	if (test->argument == 0) {
		lock_release(test);
		expect_kicks(test, 1, 0, 0, "unlock during the interrupt");
		let_others_run(10);
		if (actor_state(1) == ACTOR_OWNS)
			fail(test, "acquired by a CPU that is in its interrupt handler");
	}
	interrupt.test->ops->release(interrupt.lock, node_of(test, 0));
	if (!woken(test, 1, interrupt_over))
		return;
	if (test->argument == 1) {
		if (!halts_now(test, 1))
			return;
		lock_release(test);
	}
	if (owns_soon(test, 1))
		tell(1, COMMAND_RELEASE);
	await_state(test, 1, ACTOR_IDLE);
}

static void test_interrupt(struct test *test)
{
	struct lock_env env = {
		.cpus = CLIENT_CPUS,
		.nodes = test->nodes,
		.node_stride = test->stride,
	};

	interrupt.test = test;
	interrupt.lock = port_alloc(test->ops->state_size, CACHE_LINE);
	atomic_store_explicit(&interrupt.stage, NOT_YET, memory_order_relaxed);
	test->ops->init(interrupt.lock, &env);
	tune(test, "oticket_max_shift", 0);
	play(test, conduct_interrupt);
	interrupt.lock = NULL;
}

static bool one_waits(struct test *test)
{
	const union pv_ticket *lock = test->lock;

	return pv_ticket_count(head_of(test),
			       atomic_load_explicit(&lock->tail, memory_order_relaxed)) == 2;
}

/* oticket_wait=2: the first waiter polls on; the second halts and is kicked one unlock early. */
static void conduct_near(struct test *test)
{
	lock_acquire(test);
	tell(1, COMMAND_ACQUIRE);
	if (!await(test, one_waits, "a second ticket"))
		return;
	tell(2, COMMAND_ACQUIRE);
	if (!halts_now(test, 2))
		return;
	let_others_run(20);
	watched = 1;
	if (watched_waits(test))
		fail(test, "the next in line halts");
	lock_release(test);
	if (!await_state(test, 1, ACTOR_OWNS))
		return;
	let_others_run(20);
	expect_kicks(test, 0, 1, 0, "unlock for a polling waiter");
	tell(1, COMMAND_RELEASE);
	if (owns_soon(test, 2))
		tell(2, COMMAND_RELEASE);
	await_state(test, 2, ACTOR_IDLE);
}

static void test_near(struct test *test)
{
	set_tunable(test, "oticket_wait", 2);
	play(test, conduct_near);
	if (event_sum(test, EV_OTICKET_NEAR) != 1 || event_sum(test, EV_OTICKET_KICK_AHEAD) != 1)
		fail(test, "oticket_near and oticket_kick_ahead are not both 1");
}

CASE_REGISTER(kicks, "kicks in order of tickets", test_kicks, 4, PV_TICKETS);
CASE_REGISTER(kicks_a, "kicks in order, the last ticket wraps", test_kicks, 4, .argument = 0xfffa,
	      PV_TICKETS);
CASE_REGISTER(kicks_e, "kicks in order, the second ticket wraps", test_kicks, 4, .argument = 0xfffe,
	      PV_TICKETS);
CASE_REGISTER(in_irq, "interrupted before the halt, its turn comes meanwhile", test_interrupt, 2,
	      PV_TICKETS);
CASE_REGISTER(after_irq, "interrupted before the halt, its turn comes later", test_interrupt, 2,
	      .argument = 1, PV_TICKETS);
CASE_REGISTER(near, "a waiter near its turn polls on", test_near, 3, .only = "oticket");
