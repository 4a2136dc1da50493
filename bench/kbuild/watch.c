/* SPDX-License-Identifier: MIT */
/*
 * See watch.h. A run is stuck if no vCPU has acquired a lock for longer than any scheduling of the
 * host could explain: because a lock does not become free, or because a wake-up was lost and all
 * vCPUs are idle.
 */
#include "bench/kbuild/watch.h"

#include "bench/gather.h"
#include "bench/kbuild/klock.h"
#include "bench/kbuild/world.h"
#include "lib/printf.h"
#include "lib/units.h"
#include "locks/core/tunables.h"
#include "port/hang.h"

#define LOOK_NS        UINT64_C(100000000)
#define STUCK_BASE_NS  UINT64_C(10000000000)
#define STUCK_SLICE_NS UINT64_C(20000000) /* for each pair: bench/patience.c */

/* Seconds after which a run stops, unfinished. */
TUNABLE(limit_s, "kbuild", 600, 1, 86400);

static struct {
	uint32_t run;
	uint64_t begin, looked, moved, armed; /* TSC */
	uint64_t progress;
} watch;

static const struct klock *asked(uint32_t cpu)
{
	return atomic_load_explicit(&world.vcpu[cpu].asks, memory_order_relaxed);
}

static uint32_t holder_of(const struct klock *lock)
{
	return atomic_load_explicit(&lock->section.holder, memory_order_relaxed);
}

static const char *state_of(uint32_t cpu)
{
	const struct vcpu *vcpu = &world.vcpu[cpu];

	if (asked(cpu))
		return "waits";
	if (atomic_load_explicit(&vcpu->idle, memory_order_relaxed))
		return "idle";
	return vcpu->depth ? "owns" : "runs";
}

/* Returns the lock that is most likely stuck: one with a waiter, if possible also with an owner;
 * otherwise that of CPU 0's run queue. */
static const struct klock *suspect(void)
{
	const struct klock *found = NULL;

	for (uint32_t i = 0; i < world.vcpus; i++) {
		if (asked(i) && (found == NULL || holder_of(found) == 0))
			found = asked(i);
	}
	return found ? found : klock_of(CLASS_RQ, 0, 0);
}

static uint64_t stuck_ns(void)
{
	if (world.plan->hang_ms != 0)
		return world.plan->hang_ms * NS_PER_MS;
	return STUCK_BASE_NS + (uint64_t)world.vcpus * world.vcpus * STUCK_SLICE_NS;
}

static void report(const char *why, uint64_t bound_ns)
{
	const struct klock *lock = suspect();
	char what[96];
	struct hang hang = {
		.what = what,
		.ops = world.ops,
		.lock = klock_state(lock),
		.owner = holder_of(lock),
		.threads = world.vcpus,
		.bound_ns = bound_ns,
		.state = state_of,
	};

	ksnprintf(what, sizeof(what), "run %u: %s; the lock shown: %s", watch.run, why,
		  klock_class(lock));
	port_report_hang(&hang);
	port_abort();
}

/* The time for which CPU 0 may take no tick. It may wait for a lock with its interrupts off while
 * the others go on, so this is longer than a stuck run takes to be noticed. */
static uint64_t no_tick_ns(void)
{
	return 3 * stuck_ns();
}

/* Called by the watchdog: the tick, which should have noticed earlier, is not taken. */
static void no_tick(void)
{
	report("CPU 0 takes no ticks, or waits for a CPU that never comes", no_tick_ns());
}

void watch_start(uint32_t run_number)
{
	watch.run = run_number;
	port_watch("run", ARRIVAL_BOUND_NS + no_tick_ns(), no_tick);
}

static void arm(uint64_t now)
{
	watch.armed = now;
	port_watch("run", no_tick_ns(), no_tick);
}

void watch_begin(void)
{
	watch.begin = watch.looked = watch.moved = port_cycles();
	watch.progress = 0;
	arm(watch.begin);
}

void watch_over(void)
{
	port_watch_over();
}

void watch_tick(void)
{
	uint64_t now = port_cycles(), progress = 0;

	if (port_cycles_to_ns(now - watch.looked) < LOOK_NS)
		return;
	watch.looked = now;
	for (uint32_t i = 0; i < world.vcpus; i++)
		progress += atomic_load_explicit(&world.vcpu[i].progress, memory_order_relaxed);
	if (progress != watch.progress) {
		watch.progress = progress;
		watch.moved = now;
	}
	if (port_cycles_to_ns(now - watch.begin) > limit_s * NS_PER_S)
		atomic_store_explicit(&world.stop, true, memory_order_relaxed);
	if (port_cycles_to_ns(now - watch.moved) > stuck_ns())
		report("no lock was acquired for long", stuck_ns());
	if (port_cycles_to_ns(now - watch.armed) > stuck_ns() / 2) /* some device accesses */
		arm(now);
}
