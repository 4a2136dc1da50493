/* SPDX-License-Identifier: MIT */
/*
 * The cold half of park.h: halting, and finding the halted waiters.
 *
 * No wake-up is lost. The waiter stores its record and its bit, then reads the lock byte; the owner
 * stores 0 into the byte, then reads bits and records (Dekker; both stores are locked instructions,
 * which on x86 are full barriers). So either the owner finds the waiter, or the waiter sees that
 * the byte is no longer 2 and does not halt. If it is 2 again, that is another section, whose owner
 * has yet to look.
 *
 * A release takes the record out before it wakes the waiter, so that the next release wakes
 * another. That is a load and a store, not one step: two releases may choose the same waiter, and
 * the record may serve the next wait by then. Both are only spurious wake-ups, because a waiter
 * that loses its record is woken afterwards. A waiter that leaves by itself may be chosen at that
 * moment; it owes the others the exchange that park.h demands, as if it had been asleep.
 */
#include "locks/park.h"

#include "locks/core/pv.h"

#define SETS_BITS 6   /* 64 sets: more locks than are contended at once */
#define GROUP     64u /* CPUs per word of a set */

/* Knuth, TAOCP vol. 3, 6.4: multiplicative hashing with the golden ratio; high bits are best. */
#define GOLDEN_RATIO_64 0x9e3779b97f4a7c15ull

void park_init(struct park_lot *lot, const struct lock_env *env)
{
	uint32_t per_line = CACHE_LINE / sizeof(lot->sets[0]);

	lot->nodes = env->nodes;
	lot->stride = env->node_stride;
	lot->cpus = env->cpus;
	lot->words = (env->cpus + GROUP - 1) / GROUP;
	if (lot->words <= lot->sets_words)
		return;
	/* a set fills its lines */
	lot->sets_words = (lot->words + per_line - 1) / per_line * per_line;
	lot->sets = port_alloc(sizeof(lot->sets[0]) * lot->sets_words << SETS_BITS, CACHE_LINE);
}

static _Atomic uint64_t *set_of(const struct park_lot *lot, const void *lock)
{
	uint64_t hash = (uint64_t)(uintptr_t)lock * GOLDEN_RATIO_64 >> (64 - SETS_BITS);

	return lot->sets + hash * lot->sets_words;
}

static struct park_node *node_at(const struct park_lot *lot, uint32_t cpu)
{
	return (struct park_node *)(void *)(lot->nodes + cpu * lot->stride);
}

/* Clears the CPU's bit, unless a wait that this one interrupted needs it. That wait does not go on
 * before we return, so until then its record stays as it is, or a release takes it. */
static void leave_set(const struct park_lot *lot, const struct park_node *node, uint32_t level,
		      _Atomic uint64_t *set)
{
	uint32_t cpu = port_cpu();

	for (uint32_t i = 0; i < level; i++) {
		const void *lock =
			atomic_load_explicit(&node->record[i].lock, memory_order_relaxed);

		if (lock && set_of(lot, lock) == set)
			return;
	}
	/* relaxed: a bit that is seen for too long costs only a look at the records */
	atomic_fetch_and_explicit(&set[cpu / GROUP], ~(UINT64_C(1) << cpu % GROUP),
				  memory_order_relaxed);
}

static void halt(const struct park_lot *lot, struct park_node *node, uint32_t level,
		 const _Atomic uint8_t *byte, struct spin *spin)
{
	struct park_record *record = &node->record[level];
	_Atomic uint64_t *set = set_of(lot, byte);
	uint32_t cpu = port_cpu();

	atomic_store_explicit(&record->parked, 1, memory_order_relaxed);
	/* release: pairs with the load in wake(), whose store to parked comes after ours */
	atomic_store_explicit(&record->lock, byte, memory_order_release);
	/* Dekker with the owner: bit, then byte; there byte (park_release), then bit. */
	atomic_fetch_or_explicit(&set[cpu / GROUP], UINT64_C(1) << cpu % GROUP,
				 memory_order_seq_cst);
	if (atomic_load_explicit(byte, memory_order_seq_cst) == PARK_WAITERS)
		spin_halt(spin, &record->parked, 1);
	else
		lock_count(port_my_stats(), EV_TAKEN_SLOW_PICKUP);
	atomic_store_explicit(&record->lock, NULL, memory_order_relaxed);
	leave_set(lot, node, level, set);
}

/* An interrupt may come between any two lines and park in the same way; it leaves everything as it
 * found it. All this happens on one CPU, so fences for the compiler suffice. */
void park(const struct park_lot *lot, struct park_node *node, const _Atomic uint8_t *byte,
	  struct spin *spin)
{
	uint32_t level = node->record[0].count++;

	atomic_signal_fence(memory_order_seq_cst);
	lock_count(port_my_stats(), EV_TAKEN_SLOW);
	if (level < PARK_RECORDS)
		halt(lot, node, level, byte, spin);
	else
		lock_count(port_my_stats(), EV_LOCK_NO_NODE);
	atomic_signal_fence(memory_order_seq_cst);
	node->record[0].count--;
}

/* Wakes one of the CPU's waits for this lock. Returns false if it has none. */
static bool wake(struct park_node *node, uint32_t cpu, const void *lock)
{
	for (uint32_t i = 0; i < PARK_RECORDS; i++) {
		struct park_record *record = &node->record[i];

		/* acquire: pairs with the store in halt(); its store to parked precedes ours */
		if (atomic_load_explicit(&record->lock, memory_order_acquire) != lock)
			continue;
		atomic_store_explicit(&record->lock, NULL, memory_order_relaxed);
		/* Release: pairs with the load in pv_wait, and comes after the store above. It
		 * precedes the kick, on x86 a VM exit. */
		atomic_store_explicit(&record->parked, 0, memory_order_release);
		lock_count(port_my_stats(), EV_RELEASED_SLOW_KICKED);
		pv_kick(cpu);
		return true;
	}
	return false;
}

/* Wakes a waiter of one of the group's CPUs in `mask`. Returns its CPU, lot->cpus if there is none.
 */
static uint32_t wake_in(const struct park_lot *lot, const void *lock, uint32_t group, uint64_t mask)
{
	/* seq_cst: Dekker, see halt() */
	uint64_t bits = atomic_load_explicit(&set_of(lot, lock)[group], memory_order_seq_cst);

	for (bits &= mask; bits != 0; bits &= bits - 1) {
		uint32_t cpu = group * GROUP + (uint32_t)__builtin_ctzll(bits);

		if (wake(node_at(lot, cpu), cpu, lock))
			return cpu;
	}
	return lot->cpus;
}

uint32_t park_wake_from(const struct park_lot *lot, const void *lock, uint32_t first)
{
	uint64_t from = UINT64_MAX << first % GROUP; /* of the first group */
	uint32_t group = first / GROUP, woken;

	lock_count(port_my_stats(), EV_RELEASED_SLOW);
	woken = wake_in(lot, lock, group, from);
	for (uint32_t i = 1; woken == lot->cpus && i < lot->words; i++)
		woken = wake_in(lot, lock, (group + i) % lot->words, UINT64_MAX);
	return woken == lot->cpus ? wake_in(lot, lock, group, ~from) : woken;
}

void park_wake(const struct park_lot *lot, const void *lock)
{
	park_wake_from(lot, lock, (port_cpu() + 1) % lot->cpus);
}
