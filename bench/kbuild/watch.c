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
#include "port/hang.h"

#define LOOK_NS        UINT64_C(100000000)
#define STUCK_BASE_NS  UINT64_C(10000000000)
#define STUCK_SLICE_NS UINT64_C(20000000) /* for each pair: bench/patience.c */

static struct {
	uint32_t run;
	uint64_t begin, looked, moved; /* TSC */
	uint64_t progress;
} watch;

void watch_begin(void)
{
	watch.begin = watch.looked = watch.moved = port_cycles();
	watch.progress = 0;
}

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
		return world.plan->hang_ms * UINT64_C(1000000);
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

/* The bound on the whole run: the sum of its parts' bounds and a margin, as each task still has a
 * section to end. */
static uint64_t whole_ns(void)
{
	return ARRIVAL_BOUND_NS + KBUILD_BOUND_NS + 3 * stuck_ns();
}

/* Called by the watchdog: the tick, which should have noticed earlier, is not taken. */
static void whole_over(void)
{
	report("CPU 0 takes no ticks, or waits for a CPU that never comes", whole_ns());
}

void watch_start(uint32_t run_number)
{
	watch.run = run_number;
	port_watch("run", whole_ns(), whole_over);
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
	if (port_cycles_to_ns(now - watch.begin) > KBUILD_BOUND_NS)
		atomic_store_explicit(&world.stop, true, memory_order_relaxed);
	if (port_cycles_to_ns(now - watch.moved) > stuck_ns())
		report("no lock was acquired for long", stuck_ns());
}
