/* SPDX-License-Identifier: MIT */
/* Tests workload=kbuild with latency= and trace= (bench/kbuild/observe.h): what is recorded around
 * the lock's operations, and which preempted holder ends the trace of trace_until=lhp. Two vCPUs.
 */
#include "tests/host/test.h"

#include "bench/kbuild/klock.h"
#include "bench/kbuild/observe.h"
#include "bench/kbuild/world.h"
#include "locks/core/trace.h"
#include <string.h>

#define EVENTS 32

struct world world;

static struct vcpu vcpus[2];
static struct klock locks[3];
static struct lock_stats stats[2];
static struct steal_area area;
static struct trace_event events[EVENTS];
static struct trace_ring ring;
static struct histogram wait, hold_time;
static _Atomic bool closing;
static uint64_t lost_in_acquire; /* ns that the vCPU is off its CPU in lock_acquire() */
static const struct lock_ops *ops;

uint32_t port_cpu(void)
{
	return 0;
}

uint64_t port_ns_to_cycles(uint64_t ns)
{
	return ns;
}

uint32_t klock_number(const struct klock *lock)
{
	return (uint32_t)(lock - locks) + 1;
}

static void lose_cpu(uint64_t ns)
{
	area.version += 2;
	area.steal += ns;
}

/* Records its own preemption, as waits of real locks do. */
static void lock_acquire(void *lock, void *node)
{
	(void)lock;
	(void)node;
	if (lost_in_acquire != 0) {
		trace_add(&stats[0], TRACE_WAIT, 0);
		lose_cpu(lost_in_acquire);
		trace_look(&stats[0]);
	}
}

static void lock_release(void *lock, void *node)
{
	(void)lock;
	(void)node;
	trace_add(&stats[0], TRACE_KICK, 1);
}

static const struct lock_ops lock = {
	.name = "test", .acquire = lock_acquire, .release = lock_release};

static int set_up(void **state)
{
	(void)state;
	memset(vcpus, 0, sizeof(vcpus));
	memset(&area, 0, sizeof(area));
	memset(stats, 0, sizeof(stats));
	area.steal = 50 * TRACE_LHP_NS; /* stolen before the test */
	stats[0].steal = &area;
	vcpus[0].worker.stats = &stats[0];
	world.vcpu = vcpus;
	world.vcpus = 2;
	ring = (struct trace_ring){.events = events, .size = EVENTS};
	closing = false;
	lost_in_acquire = 0;
	trace_begin(&stats[0], &ring, &closing);
	ops = observe(&lock);
	return 0;
}

/* take() and let_go() do what klock_acquire() and klock_release() do. */
static void take(uint32_t i)
{
	vcpus[0].held[vcpus[0].depth].lock = &locks[i];
	ops->acquire(NULL, NULL);
	vcpus[0].depth++;
}

static void let_go(void)
{
	vcpus[0].depth--;
	ops->release(NULL, NULL);
}

static void other_waits_for(uint32_t i)
{
	vcpus[1].asks = &locks[i];
}

static void assert_event(uint32_t i, enum trace_what what, uint32_t which)
{
	assert_int_equal(trace_at(&ring, i)->what, what);
	assert_int_equal(trace_at(&ring, i)->lock, which);
}

static void every_event_says_its_lock(void **state)
{
	(void)state;
	take(0);
	take(2);
	let_go();
	let_go();
	assert_int_equal(trace_kept(&ring), 6);
	assert_event(0, TRACE_ACQUIRE, 1);
	assert_event(1, TRACE_ACQUIRE, 3);
	assert_event(2, TRACE_RELEASE, 3);
	assert_event(3, TRACE_KICK, 3);
	assert_event(4, TRACE_RELEASE, 1);
	assert_event(5, TRACE_KICK, 1);
	assert_int_equal(ring.lock, 0);
	assert_string_equal(ops->name, "test");
}

static void only_a_holder_with_a_waiter_ends_the_trace(void **state)
{
	(void)state;
	other_waits_for(1);
	take(0);
	lose_cpu(TRACE_LHP_NS);
	let_go();
	lose_cpu(TRACE_LHP_NS); /* without a lock */
	take(1);
	let_go();
	take(1);
	lose_cpu(TRACE_LHP_NS - 1);
	let_go();
	assert_false(closing);
	take(1);
	lose_cpu(TRACE_LHP_NS);
	let_go();
	assert_true(closing);
}

static void nested_holders_end_it_wherever_they_are_preempted(void **state)
{
	(void)state;
	other_waits_for(0);
	take(0);
	lose_cpu(TRACE_LHP_NS); /* before it asks for the inner lock */
	take(1);
	assert_true(closing);
	set_up(NULL);
	other_waits_for(0);
	take(0);
	lost_in_acquire = TRACE_LHP_NS; /* while it waits for the inner lock */
	take(1);
	assert_true(closing);
	set_up(NULL);
	other_waits_for(0);
	take(0);
	take(1);
	lose_cpu(TRACE_LHP_NS); /* while it holds both */
	let_go();
	assert_true(closing);
	set_up(NULL);
	other_waits_for(0);
	lost_in_acquire = TRACE_LHP_NS; /* it holds no lock yet */
	take(0);
	assert_false(closing);
}

static void histograms_include_nested_locks(void **state)
{
	(void)state;
	histogram_reset(&wait);
	histogram_reset(&hold_time);
	stats[0].trace = NULL; /* latency=on alone */
	vcpus[0].worker.wait = &wait;
	vcpus[0].worker.hold_time = &hold_time;
	take(0);
	vcpus[0].held[0].since.start = port_cycles();
	take(1);
	vcpus[0].held[1].since.start = port_cycles();
	lose_cpu(TRACE_LHP_NS);
	let_go();
	let_go();
	assert_true(wait.count == 2 && hold_time.count == 2);
	assert_true(hold_time.max < UINT64_C(1) << 40);
	assert_int_equal(ring.added, 0);
}

#define CASE(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_event_says_its_lock),
		CASE(only_a_holder_with_a_waiter_ends_the_trace),
		CASE(nested_holders_end_it_wherever_they_are_preempted),
		CASE(histograms_include_nested_locks),
	};

	return cmocka_run_group_tests_name("kbuild_observe", tests, NULL, NULL);
}
