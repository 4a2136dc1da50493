/* SPDX-License-Identifier: MIT */
/*
 * i-spinlock: the informed spinlock. pv-ticket, but before a vCPU takes a ticket it asks whether
 * the rest of its time slice is long enough to wait for the lock and to run its section:
 *
 *	left >= ispin_hold * (waiters and owner + 1) + ispin_margin
 *
 * If not, it burns the rest of the slice without a ticket and takes one in the next slice. So a
 * vCPU that is about to lose its CPU holds neither the lock nor a place in its queue. It asks once
 * for each acquisition, as in the original. try_acquire does not ask.
 *
 * The original reads the end of the slice from a page that a changed Xen writes. KVM offers no such
 * page, so slice.h estimates the end, and the log says how well. A burn ends after twice the
 * estimate at the latest; then the slice counts as endless, or every acquisition would burn again.
 *
 * ispin_yield=0 burns, as the original does. ispin_yield=1 gives the rest of the slice to the
 * owner, if there is one, by a directed yield. It is not the default, because it does nothing
 * without PV_SCHED_YIELD, and because yields change the very slices that are being estimated.
 *
 * Preemption: while the estimate holds, neither holder nor waiters are preempted. What remains are
 * slices that the host cuts short, and waits longer than ispin_hold for each vCPU in front.
 *
 * B. Teabe, V. Nitu, A. Tchana, D. Hagimont, "The Lock Holder and the Lock Waiter Pre-emption
 * Problems: Nip Them in the Bud Using Informed Spinlocks (I-Spinlocks)", EuroSys'17, and the
 * authors' patches for Linux 3.13.
 */
#include "bench/register.h"
#include "locks/core/pv.h"
#include "locks/core/tunables.h"
#include "locks/pv_ticket_wait.h"

TUNABLE(ispin_hold, "i-spinlock", 1u << 15, 0, UINT32_MAX); /* cycles; as the original */
TUNABLE(ispin_margin, "i-spinlock", 0, 0, UINT32_MAX);      /* cycles */
TUNABLE(ispin_quiet_ms, "i-spinlock", 100, 1, 100000);      /* see slice.h */
TUNABLE(ispin_yield, "i-spinlock", 0, 0, 1);

struct ispin_lock {
	union pv_ticket ticket;
	_Atomic uint32_t owner; /* CPU + 1, for ispin_yield only; a hint, and never cleared */
};

struct ispin_node {
	struct pv_ticket_node base;
	struct slice slice;
};

static struct pv_ticket_pool pool;

static void ispin_init(void *state, const struct lock_env *env)
{
	struct ispin_lock *lock = state;

	pv_ticket_init(&lock->ticket, &pool, env);
	atomic_init(&lock->owner, 0);
}

/* Returns the cycles for our section and for one of each vCPU that would be before us if we queued
 * now. */
static inline uint64_t cycles_needed(const struct ispin_lock *lock)
{
	uint32_t word = atomic_load_explicit(&lock->ticket.word, memory_order_relaxed);
	uint32_t sections =
		pv_ticket_count((uint16_t)word, (uint16_t)(word >> PV_TICKET_TAIL_SHIFT)) + 1u;

	return (uint64_t)ispin_hold * sections + ispin_margin;
}

/* A run is too short to learn the slices' length, of which a vCPU sees a few in it: the estimate
 * goes on from run to run. */
static __attribute__((noinline)) void begin_slice(struct slice *slice, uint64_t now)
{
	struct lock_stats *stats = port_my_stats();

	slice_begin(slice, stats->steal, &stats->slice_quantile, now,
		    port_ns_to_cycles(ispin_quiet_ms * UINT64_C(1000000)));
}

static inline bool capable(const struct ispin_lock *lock, struct slice *slice)
{
	uint64_t now = port_cycles();

	if (__builtin_expect(!slice->area, 0))
		begin_slice(slice, now);
	slice_look(slice, now);
	return slice_covers(slice, now, cycles_needed(lock));
}

/* Yields to the owner, which makes better use of the time. In a free lock `owner` is stale. */
static void yield_to_owner(const struct ispin_lock *lock, struct slice *slice)
{
	uint32_t word = atomic_load_explicit(&lock->ticket.word, memory_order_relaxed);
	uint32_t owner = atomic_load_explicit(&lock->owner, memory_order_relaxed);

	if (pv_ticket_is((uint16_t)word, (uint16_t)(word >> PV_TICKET_TAIL_SHIFT)) || owner == 0 ||
	    owner == port_cpu() + 1)
		return;
	lock_count(port_my_stats(), EV_YIELD_OWNER);
	pv_yield_to(owner - 1);
	slice_left(slice, port_cycles());
}

static __attribute__((noinline)) void burn_slice(const struct ispin_lock *lock, struct slice *slice)
{
	struct lock_stats *stats = port_my_stats();
	struct spin spin = spin_begin();
	uint64_t begin = port_cycles(), now = begin, before;
	uint32_t number = slice->number;

	if (slice_is_quiet(slice, now))
		return;
	lock_count(stats, EV_ISPIN_INCAPABLE);
	do {
		before = now;
		if (ispin_yield && spin.polls % SPIN_SAMPLE_POLLS == 0)
			yield_to_owner(lock, slice);
		spin_poll(&spin);
		now = port_cycles();
		slice_look(slice, now);
	} while (slice->number == number && now - begin < 2 * slice->quantile);
	if (slice->number == number)
		slice_outlived(slice, now);
	spin_end(&spin, SPIN_WON);
	stats->waited = false; /* it waited for the next slice, not for the lock */
	stats->count[EV_ISPIN_BURNT_CYCLES] += before - begin; /* without the time off the CPU */
}

static __attribute__((noinline)) void acquire_slow(union pv_ticket *lock, struct ispin_node *node,
						   uint16_t ticket)
{
	pv_ticket_wait(&(struct pv_ticket_wait){
		.pool = &pool,
		.lock = lock,
		.node = &node->base,
		.threshold = polls_to_halt(lock_tunables.spin_threshold),
		.slice = &node->slice,
		.ticket = ticket,
	});
}

static inline void ispin_acquire(void *state, void *node)
{
	struct ispin_lock *lock = state;
	struct ispin_node *own = node;
	uint16_t ticket, head;

	if (__builtin_expect(!capable(lock, &own->slice), 0))
		burn_slice(lock, &own->slice);
	if (__builtin_expect(!pv_ticket_take(&lock->ticket, &ticket, &head), 0))
		acquire_slow(&lock->ticket, own, ticket);
	if (__builtin_expect(ispin_yield, 0))
		atomic_store_explicit(&lock->owner, port_cpu() + 1, memory_order_relaxed);
}

static inline bool ispin_try_acquire(void *state, void *node)
{
	struct ispin_lock *lock = state;

	(void)node;
	if (!pv_ticket_try(&lock->ticket))
		return false;
	if (__builtin_expect(ispin_yield, 0))
		atomic_store_explicit(&lock->owner, port_cpu() + 1, memory_order_relaxed);
	return true;
}

static __attribute__((noinline)) void release_slow(const union pv_ticket *lock, uint16_t next)
{
	pv_ticket_kick(&pool, lock, next, 1);
}

static inline void ispin_release(void *state, void *node)
{
	struct ispin_lock *lock = state;
	uint16_t next;

	(void)node;
	if (__builtin_expect(pv_ticket_pass(&lock->ticket, &next), 0))
		release_slow(&lock->ticket, next);
}

static void ispin_describe(const void *state, char *text, size_t size)
{
	const struct ispin_lock *lock = state;

	pv_ticket_describe(&pool, &lock->ticket, text, size);
}

static const struct histogram *own_histogram(const struct slice *slice, size_t i)
{
	return i == 0 ? &slice->length : i == 1 ? &slice->over : &slice->under;
}

/* Of all slices that the host ended: their lengths, and the errors of the estimate. */
static bool ispin_histogram(size_t i, struct lock_histogram *out)
{
	static const char *const what[] = {"slice", "slice_error_over", "slice_error_under"};

	if (i >= sizeof(what) / sizeof(what[0]))
		return false;
	out->what = what[i];
	out->unit = "cycles";
	for (uint32_t cpu = 0; cpu < pool.cpus; cpu++) {
		const struct ispin_node *node = (const void *)(pool.nodes + cpu * pool.stride);

		if (node->slice.area)
			histogram_merge(out->merged, own_histogram(&node->slice, i));
	}
	return true;
}

static const struct lock_ops ispin_ops = {
	.name = "i-spinlock",
	.cite = "Teabe, Nitu, Tchana, Hagimont, EuroSys'17, and the authors' patches",
	.flags = LOCK_FIFO | LOCK_PV | LOCK_NODE_POOL,
	.state_size = CACHE_LINE,
	.node_size = sizeof(struct ispin_node),
	.init = ispin_init,
	.acquire = ispin_acquire,
	.try_acquire = ispin_try_acquire,
	.release = ispin_release,
	.describe = ispin_describe,
	.histogram = ispin_histogram,
};

LOCK_REGISTER(ispin_ops);
