/* SPDX-License-Identifier: MIT */
/* The locks' correctness client in the guest: the tests locks.LOCK.CASE, and client_port.h. */
#include "cases.h"
#include "client_port.h"
#include "kernel/percpu.h"
#include "kernel/timer.h"
#include "locks/pv.h"
#include "locks/registry.h"
#include "port/port.h"
#include "pvspin/printf.h"
#include "tests/tap.h"

#define POLLS_PER_NAP 256    /* then a poll halts: who is waited for may need this CPU */
#define NAP_NS        100000 /* short against a host's time slice */

const uint32_t client_await_s = 20;

static void halt_for(uint64_t ns)
{
	if (port_cpu() == 0)
		timer_sleep(ns);
	else
		timer_doze(ns);
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

	while (port_cycles() - start < cycles)
		halt_for(port_cycles_to_ns(cycles - (port_cycles() - start)));
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
	test = case_run(c, ops, pv_backend, plan->test_ms);
	if (atomic_load_explicit(&test->failed, memory_order_relaxed))
		test_fail(result, "%s", test->why);
}

TEST_FAMILY(lock_tests,
	    "locks.LOCK.CASE: each lock with each case of tests/locks that applies to it; a group "
	    "is locks or locks.LOCK",
	    lock_tests_count, lock_tests_get, lock_tests_run);
