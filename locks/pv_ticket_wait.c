/* SPDX-License-Identifier: MIT */
/*
 * The cold half of pv_ticket_wait.h: halting, and finding the halted waiters. Linux 4.0:
 * arch/x86/include/asm/spinlock.h, kvm_lock_spinning and kvm_unlock_kick in arch/x86/kernel/kvm.c.
 *
 * No wake-up is lost, because waiter and unlocker meet in one word, head, by atomic operations. If
 * the waiter's OR comes first, the unlocker's addition returns the flag, and the record, which the
 * waiter stored before the OR, is visible to the unlocker. If the addition comes first, the
 * waiter's look after its OR sees the new head.
 */
#include "locks/pv_ticket_wait.h"

#include "lib/printf.h"
#include "locks/core/pv.h"
#include "port/port.h"

#define GROUP 64u /* CPUs per word of the bitmap */

/* A waiter that a release kicks. */
struct sleeper {
	struct pv_ticket_record *record; /* NULL: nobody halts with this ticket */
	uint32_t cpu;
};

void pv_ticket_init(union pv_ticket *lock, struct pv_ticket_pool *pool, const struct lock_env *env)
{
	if (env->cpus > PV_TICKET_MAX_CPUS)
		__builtin_trap(); /* more tickets than 15 bits tell apart */
	atomic_init(&lock->word, 0);
	pool->nodes = env->nodes;
	pool->stride = env->node_stride;
	pool->cpus = env->cpus;
}

static struct pv_ticket_node *node_at(const struct pv_ticket_pool *pool, uint32_t cpu)
{
	return (struct pv_ticket_node *)(void *)(pool->nodes + cpu * pool->stride);
}

/* The ticket takes the place of the address's upper 16 bits, which only repeat bit 47. */
static uint64_t key_of(const union pv_ticket *lock, uint16_t ticket)
{
	return (uint64_t)(uintptr_t)lock << 16 | ticket;
}

/* Marks the calling CPU for unlockers to look at. Relaxed: the OR of the flag comes after it. */
static void waiting_set(const struct pv_ticket_pool *pool, uint32_t cpu)
{
	atomic_fetch_or_explicit(&node_at(pool, cpu & ~(GROUP - 1))->waiting,
				 UINT64_C(1) << cpu % GROUP, memory_order_relaxed);
}

static void waiting_clear(const struct pv_ticket_pool *pool, uint32_t cpu)
{
	atomic_fetch_and_explicit(&node_at(pool, cpu & ~(GROUP - 1))->waiting,
				  ~(UINT64_C(1) << cpu % GROUP), memory_order_relaxed);
}

/* Halts until kicked, unless it is our turn. */
static void halt(const struct pv_ticket_wait *wait, struct pv_ticket_record *record,
		 struct spin *spin)
{
	union pv_ticket *lock = wait->lock;

	atomic_store_explicit(&record->asleep, 1, memory_order_relaxed);
	/* release: pairs with the load in sleepers_of(); the unlocker's store to asleep comes after
	 * ours */
	atomic_store_explicit(&record->key, key_of(lock, wait->ticket), memory_order_release);
	waiting_set(wait->pool, port_cpu());
	/* release: publishes the record to pv_ticket_pass. The load below reads the same location,
	 * so it cannot see anything older; besides, the OR is a full barrier on x86. */
	atomic_fetch_or_explicit(&lock->head, PV_TICKET_FLAG, memory_order_seq_cst);
	if (pv_ticket_is(atomic_load_explicit(&lock->head, memory_order_relaxed), wait->ticket))
		lock_count(port_my_stats(), EV_TAKEN_SLOW_PICKUP);
	else
		spin_halt(spin, &record->asleep, 1);
	/* An unlocker that serves this ticket's number again has owned the lock after us and so
	 * sees this store: no stale record matches. */
	atomic_store_explicit(&record->key, 0, memory_order_relaxed);
	if (wait->slice)
		slice_left(wait->slice, port_cycles());
}

/* An interrupt may come between any two lines and wait in the same way. It leaves everything as it
 * found it, except that it clears the CPU's bit if it finds no record in use. So we take the record
 * before we set the bit, and give it back before we clear the bit. All this happens on one CPU, so
 * fences for the compiler suffice. */
static void halt_in_record(const struct pv_ticket_wait *wait, struct spin *spin)
{
	struct pv_ticket_record *record = wait->node->record;
	struct lock_stats *stats = port_my_stats();
	uint32_t level = record->count++;

	atomic_signal_fence(memory_order_seq_cst);
	lock_count(stats, EV_TAKEN_SLOW);
	if (level < PV_TICKET_RECORDS)
		halt(wait, record + level, spin);
	else
		lock_count(stats, EV_LOCK_NO_NODE);
	atomic_signal_fence(memory_order_seq_cst);
	record->count--;
	atomic_signal_fence(memory_order_seq_cst);
	if (level == 0)
		waiting_clear(wait->pool, port_cpu());
}

/* Polls up to the threshold. Returns true at our turn. */
static bool poll_turn(const struct pv_ticket_wait *wait, uint16_t *head, struct spin *spin)
{
	for (uint64_t loop = wait->threshold; loop > 0;) {
		/* acquire: pairs with the addition in pv_ticket_pass */
		*head = atomic_load_explicit(&wait->lock->head, memory_order_acquire);
		if (pv_ticket_is(*head, wait->ticket))
			return true;
		if (wait->slice)
			slice_look(wait->slice, port_cycles());
		loop -= spin_polls(spin, loop);
	}
	return false;
}

void pv_ticket_wait(const struct pv_ticket_wait *wait)
{
	struct spin spin = spin_begin();
	uint16_t head;

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	while (!poll_turn(wait, &head, &spin))
		halt_in_record(wait, &spin);
	spin_end(&spin, SPIN_HANDED);
	if (head & PV_TICKET_FLAG) {
		uint32_t last = (uint32_t)(uint16_t)(wait->ticket + PV_TICKET_INC)
				<< PV_TICKET_TAIL_SHIFT;
		uint32_t old = last | head;

		/* The last in line clears the flag; the CAS fails if somebody has come after us. */
		atomic_compare_exchange_strong_explicit(&wait->lock->word, &old,
							last | wait->ticket, memory_order_relaxed,
							memory_order_relaxed);
	}
}

/* Notes which of one CPU's records wait for one of the `kicks` tickets from `next` on. Returns how
 * many. */
static uint32_t sleepers_of(struct pv_ticket_node *node, uint32_t cpu, uint64_t next,
			    struct sleeper *sleeper, uint32_t kicks)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < PV_TICKET_RECORDS; i++) {
		/* acquire: pairs with the store in halt() */
		uint64_t key = atomic_load_explicit(&node->record[i].key, memory_order_acquire);
		uint16_t ahead = (uint16_t)((uint16_t)key - (uint16_t)next) / PV_TICKET_INC;

		if (key >> 16 != next >> 16 || ahead >= kicks)
			continue;
		sleeper[ahead] = (struct sleeper){.record = &node->record[i], .cpu = cpu};
		found++;
	}
	return found;
}

static void sleepers(const struct pv_ticket_pool *pool, uint64_t next, struct sleeper *sleeper,
		     uint32_t kicks)
{
	uint32_t found = 0;

	for (uint32_t first = 0; first < pool->cpus; first += GROUP) {
		/* relaxed: the caller has seen the flag, so the bits set before it are visible */
		uint64_t bits =
			atomic_load_explicit(&node_at(pool, first)->waiting, memory_order_relaxed);

		for (; bits != 0; bits &= bits - 1) {
			uint32_t cpu = first + (uint32_t)__builtin_ctzll(bits);

			found += sleepers_of(node_at(pool, cpu), cpu, next, sleeper, kicks);
			if (found == kicks)
				return;
		}
	}
}

void pv_ticket_kick(const struct pv_ticket_pool *pool, const union pv_ticket *lock, uint16_t next,
		    uint32_t kicks)
{
	struct sleeper sleeper[PV_TICKET_MAX_KICKS];
	struct lock_stats *stats = port_my_stats();

	lock_count(stats, EV_RELEASED_SLOW);
	for (uint32_t i = 0; i < kicks; i++)
		sleeper[i].record = NULL;
	sleepers(pool, key_of(lock, next), sleeper, kicks);
	for (uint32_t i = 0; i < kicks; i++) {
		if (!sleeper[i].record)
			continue;
		/* The record may serve another wait by now, which then wakes for nothing and polls
		 * again. Release: pairs with the load in pv_wait. The store precedes the kick, on
		 * x86 a VM exit. */
		atomic_store_explicit(&sleeper[i].record->asleep, 0, memory_order_release);
		pv_kick(sleeper[i].cpu);
		lock_count(stats, i == 0 ? EV_RELEASED_SLOW_KICKED : EV_OTICKET_KICK_AHEAD);
	}
}

void pv_ticket_describe(const struct pv_ticket_pool *pool, const union pv_ticket *lock, char *text,
			size_t size)
{
	uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
	uint16_t head = (uint16_t)word, tail = (uint16_t)(word >> PV_TICKET_TAIL_SHIFT);
	uint32_t halted = 0;
	struct sleeper next = {.record = NULL};
	int used;

	for (uint32_t cpu = 0; cpu < pool->cpus; cpu++)
		halted += sleepers_of(node_at(pool, cpu), cpu, key_of(lock, head & ~PV_TICKET_FLAG),
				      &next, 1);
	used = ksnprintf(text, size, "word 0x%08x: serving %u%s, next %u: %u hold or wait", word,
			 head & ~PV_TICKET_FLAG, head & PV_TICKET_FLAG ? " (slow path)" : "", tail,
			 pv_ticket_count(head, tail));
	if (halted && used > 0 && (size_t)used < size)
		ksnprintf(text + used, size - (size_t)used, "; served is CPU %u, halted", next.cpu);
}
