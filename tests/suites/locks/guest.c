/* SPDX-License-Identifier: MIT */
/* The locks' correctness client in the guest: the tests locks.LOCK.CASE, and client_port.h. */
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/timer.h"
#include "kernel/traps.h"
#include "lib/printf.h"
#include "locks/core/pv.h"
#include "locks/core/registry.h"
#include "port/hang.h"
#include "port/port.h"
#include "tests/suites/locks/cases.h"
#include "tests/suites/locks/client_port.h"
#include "tests/suites/tap.h"

#define POLLS_PER_NAP 256    /* then a poll halts: the awaited vCPU may need this CPU */
#define NAP_NS        100000 /* short against a host's time slice */

#define CASE_BOUND_MS    60000 /* emulated, on a busy machine */
#define MASKED_MARGIN_NS 2000000000ull

uint32_t client_await_s = 40, client_race_s = 40;

/* The watchdog of the case under way. It is CPU 0's timer; a sleep on CPU 0 borrows that. */
static struct {
	bool armed;
	uint64_t deadline; /* TSC */
	uint64_t bound_ns;
} watchdog;

void client_nodes_are(uint32_t nodes)
{
	static uint32_t *own; /* nodes of the machine */

	if (!own) {
		own = port_alloc(port_cpu_count() * sizeof(own[0]), sizeof(own[0]));
		for (uint32_t i = 0; i < port_cpu_count(); i++)
			own[i] = machine.node[i];
	}
	for (uint32_t i = 0; i < port_cpu_count(); i++)
		machine.node[i] = nodes ? i % nodes : own[i];
}

void client_has_failed(void)
{
	/* the watchdog bounds it */
}

static const char *state_of(uint32_t cpu)
{
	return client_state(case_test(), cpu);
}

/* In an interrupt or NMI on CPU 0. What it interrupted will not end, so this ends the VM. */
static void report_case(const char *how)
{
	const struct test *test = case_test();
	struct hang hang = {
		.what = test_current(),
		.ops = test->ops,
		.lock = test->lock,
		.owner = client_owner(test),
		.threads = test->threads,
		.bound_ns = watchdog.bound_ns,
		.state = state_of,
	};
	char why[160];

	port_report_hang(&hang);
	ksnprintf(why, sizeof(why), "hangs%s%s%s", how, test->why[0] ? "; " : "", test->why);
	tests_bail_out(why);
}

static void case_hangs(void *unused)
{
	(void)unused;
	report_case("");
}

/* In the NMI of the second bound. On a starved machine it may come before the timer's interrupt. */
static void case_hangs_masked(void)
{
	bool enabled = this_cpu()->frame->rflags & RFLAGS_IF;

	report_case(enabled ? "" : ", CPU 0 with interrupts masked");
}

static void watchdog_arm(void)
{
	uint64_t now = port_cycles();

	if (!watchdog.armed)
		return;
	if (now < watchdog.deadline) {
		port_timer_start(port_cycles_to_ns(watchdog.deadline - now), case_hangs, NULL);
		return;
	}
	/* Too late: wait here for the timer's interrupt, or sleep after sleep would borrow the
	 * timer before it comes. */
	port_timer_start(1, case_hangs, NULL);
	for (;;)
		port_relax();
}

/* Random cases run for test_ms. */
static void case_watch(const struct plan *plan)
{
	uint32_t bound_ms = plan->hang_ms ? plan->hang_ms : CASE_BOUND_MS;

	client_await_s = client_race_s =
		bound_ms / 1500 + 1; /* two thirds, so that a wait in vain can say so */
	watchdog.bound_ns = (bound_ms + UINT64_C(1) * plan->test_ms) * UINT64_C(1000000);
	watchdog.deadline = port_cycles() + port_ns_to_cycles(watchdog.bound_ns);
	watchdog.armed = true;
	watchdog_arm();
	port_watch(test_current(), watchdog.bound_ns + MASKED_MARGIN_NS, case_hangs_masked);
}

static void case_watch_over(void)
{
	watchdog.armed = false;
	port_timer_cancel();
}

static void halt_for(uint64_t ns)
{
	if (port_cpu() == 0) {
		timer_sleep(ns);
		watchdog_arm();
	} else {
		timer_doze(ns);
	}
}

static void (*on_interrupt)(void);

/* CPU 0 has the watchdog's timer, so it takes interrupts in the handler, too. */
static void take_interrupt(struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
	if (port_cpu() == 0)
		irq_enable();
	on_interrupt();
	irq_disable();
}

void client_on_interrupt(void (*handler)(void))
{
	on_interrupt = handler;
	traps_handle(VECTOR_TEST, take_interrupt);
}

void client_enter(void)
{
	irq_enable();
}

void client_leave(void)
{
	if (port_cpu() != 0)
		irq_disable();
}

void client_interrupt(uint32_t cpu)
{
	apic_send(smp_cpu(cpu)->apic_id, VECTOR_TEST);
}

void client_yield(void)
{
	halt_for(NAP_NS);
}

void client_poll(void)
{
	static struct {
		_Alignas(CACHE_LINE) uint32_t polls;
	} own[64];
	uint32_t *polls = &own[port_cpu() % 64].polls;

	if (++*polls % POLLS_PER_NAP == 0)
		client_yield();
	else
		port_relax();
}

void client_sleep_ms(uint32_t milliseconds)
{
	uint64_t start = port_cycles();
	uint64_t cycles = port_ns_to_cycles(milliseconds * UINT64_C(1000000));

	for (uint64_t over = 0; over < cycles; over = port_cycles() - start)
		halt_for(port_cycles_to_ns(cycles - over));
}

/* Test i is case i % case_count() of lock i / case_count(). */
static size_t lock_tests_count(void)
{
	return lock_count_registered() * case_count();
}

static const struct lock_ops *ops_of(size_t i)
{
	static size_t last = SIZE_MAX;
	static const struct lock_ops *ops;

	if (i / case_count() != last) {
		last = i / case_count();
		ops = lock_registered(last)->ops;
	}
	return ops;
}

static bool lock_tests_get(size_t i, struct test_item *item)
{
	const struct lock_case *c = case_at(i % case_count());
	const struct lock_ops *ops = ops_of(i);

	if (!case_applies(c, ops))
		return false;
	ksnprintf(item->name, sizeof(item->name), "locks.%s.%s", ops->name, c->id);
	item->about = c->name;
	return true;
}

static void lock_tests_run(size_t i, const struct plan *plan, struct test_result *result)
{
	const struct lock_case *c = case_at(i % case_count());
	const struct lock_ops *ops = ops_of(i);
	const struct test *test;
	char why[80];

	if (!case_possible(c, ops, pv_backend, why, sizeof(why))) {
		test_skip(result, "%s", why);
		return;
	}
	case_watch(plan);
	test = case_run(c, ops, pv_backend, plan->test_ms);
	case_watch_over();
	if (atomic_load_explicit(&test->failed, memory_order_relaxed))
		test_fail(result, "%s", test->why);
}

static void lock_tests_describe(struct record *record)
{
	const struct test *test = case_test();
	char state[256];

	test->ops->describe(test->lock, state, sizeof(state));
	record_string(record, "lock", test->ops->name);
	record_string(record, "lock_state", state);
	record_signed(record, "holder", (int64_t)client_owner(test) - 1);
}

TEST_FAMILY(lock_tests,
	    .pattern = "locks.LOCK.CASE: each lock with each case that applies to it; locks and "
		       "locks.LOCK are groups",
	    .count = lock_tests_count, .get = lock_tests_get, .run = lock_tests_run,
	    .describe = lock_tests_describe);
