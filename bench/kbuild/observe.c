/* SPDX-License-Identifier: MIT */
/*
 * See observe.h. Does around each of many locks what the measured loop does around one
 * (bench/loop.h). So events name their lock, and a vCPU that lost its CPU may have held several
 * locks, or waited for one while it held another.
 */
#include "bench/kbuild/observe.h"

#include "bench/kbuild/klock.h"
#include "bench/kbuild/world.h"
#include "lib/histogram.h"
#include "locks/core/stats.h"
#include "locks/core/trace.h"
#include "port/port.h"

static const struct lock_ops *own; /* the lock's own operations */
static struct lock_ops observed;

static bool waited_for(const struct klock *lock)
{
	for (uint32_t i = 0; i < world.vcpus; i++) {
		if (atomic_load_explicit(&world.vcpu[i].asks, memory_order_relaxed) == lock)
			return true;
	}
	return false;
}

/* Records whether the vCPU was off its CPU since the last look, during which it held
 * held[0..count-1]. trace_until=lhp is about a preempted holder for whom another vCPU waits; most
 * locks here have no waiter. */
static void look(struct vcpu *me, uint32_t count)
{
	uint64_t now = own_steal_ns(me), stolen_ns = now - me->looked_ns;

	me->looked_ns = now;
	trace_look(me->worker.stats); /* a wait may have recorded it already */
	if (!me->worker.stats->trace || stolen_ns < TRACE_LHP_NS)
		return;
	for (uint32_t i = 0; i < count; i++) {
		if (waited_for(me->held[i].lock)) {
			trace_close(me->worker.stats);
			return;
		}
	}
}

/* klock_acquire() has filled in held[depth] except the grant; depth does not include it yet. */
static void acquire(void *lock, void *node)
{
	struct vcpu *me = this_vcpu();
	struct lock_stats *stats = me->worker.stats;
	uint64_t asked;

	look(me, me->depth);
	trace_about(stats, klock_number(me->held[me->depth].lock));
	asked = me->worker.wait ? port_cycles_ordered() : 0;
	own->acquire(lock, node);
	if (me->worker.wait)
		histogram_add(me->worker.wait, port_cycles_ordered() - asked);
	look(me, me->depth);
	trace_add(stats, TRACE_ACQUIRE, 0);
}

/* depth no longer includes the lock released here, held[depth]. */
static void release(void *lock, void *node)
{
	struct vcpu *me = this_vcpu();
	struct lock_stats *stats = me->worker.stats;
	const struct held *held = &me->held[me->depth];

	look(me, me->depth + 1);
	trace_add(stats, TRACE_RELEASE, 0);
	if (me->worker.hold_time)
		histogram_add(me->worker.hold_time, held->cycles);
	own->release(lock, node);
	look(me, me->depth); /* for a preemption during release or kick */
	trace_about(stats, me->depth ? klock_number(me->held[me->depth - 1].lock) : 0);
}

const struct lock_ops *observe(const struct lock_ops *ops)
{
	own = ops;
	observed = *ops;
	observed.acquire = acquire;
	observed.release = release;
	return &observed;
}
