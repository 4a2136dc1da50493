/* SPDX-License-Identifier: MIT */
/*
 * preemptable-ticket: tickets as a hint with a deadline. A waiter stays in line for a number of
 * polls per place before it. At its turn or at its deadline it leaves the line and competes for the
 * real lock, a flag. head counts releases, not grants: after a grant out of order it runs ahead of
 * somebody's ticket, and that waiter leaves by its deadline.
 *
 *	versions 2, 3.0	the flag is `acquired`; each place that the line moves on sets a new,
 *			shorter deadline, 2^pmt_shift polls per place
 *	pmtlock-lt	the flag is bit 0 of head, tickets advance by 2; the deadline,
 *			2^pmt_lt_shift polls per place, is set on arrival; a waiter that was
 *			passed leaves at once
 *
 * Differences from the authors' code:
 *	- A 16-bit XADD takes the ticket and another load reads head, so that no load covers a
 *	  narrower store (ticket_word.h).
 *	- After its first swap a waiter looks before it swaps.
 *	- A waiter knows by its distance that it was passed: in line the distance is below the
 *	  number of CPUs. The distance's sign would not do: 2^15 tickets later a passed waiter
 *	  would look like the last in line.
 *	- Nobody halts: the paper's variant with hypercalls is not among the authors' patches.
 *
 * Preemption: a preempted next in line costs the others its deadline, not its slice; preempting the
 * holder makes every waiter spin through its slice. With many vCPUs off their CPUs, most waiters
 * are past their deadlines, and the lock behaves as ttas with a delay in front.
 *
 * J. Ouyang, J. R. Lange, "Preemptable Ticket Spinlocks: Improving Consolidated Performance in the
 * Cloud", VEE'13; the authors' patches, github.com/drouyang/pmtlock, v2 and v3.
 */
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"

#define HELD 1u /* pmtlock-lt: bit 0 of head */

TUNABLE(pmt_lt, "preemptable-ticket", 0, 0, 1); /* 1: pmtlock-lt */
TUNABLE(pmt_shift, "preemptable-ticket", 14, 0, 30);
TUNABLE(pmt_lt_shift, "preemptable-ticket", 8, 0, 30);

/* head, tail and acquired are one 64-bit word only for version 2's try_acquire. */
struct pmt_lock {
	union {
		_Atomic uint64_t all;
		_Atomic uint32_t tickets;
		struct {
			_Atomic uint16_t head;     /* releases so far; only the owner adds */
			_Atomic uint16_t tail;     /* next ticket */
			_Atomic uint32_t acquired; /* version 2 */
		};
	} __attribute__((aligned(CACHE_LINE)));
	uint32_t cpus __attribute__((aligned(CACHE_LINE))); /* read-mostly */
};

_Static_assert(offsetof(struct pmt_lock, acquired) == 4, "head | tail | acquired");

static void pmt_init(void *state, const struct lock_env *env)
{
	struct pmt_lock *lock = state;

	if (env->cpus > INT16_MAX)
		__builtin_trap(); /* pmtlock-lt has 2^15 tickets */
	atomic_init(&lock->all, 0);
	lock->cpus = env->cpus;
}

static inline bool is_lt(void)
{
	return pmt_lt != 0;
}

/* Relaxed: the flag decides who owns. */
static inline uint16_t take_ticket(struct pmt_lock *lock)
{
	return atomic_fetch_add_explicit(&lock->tail, is_lt() ? 2 : 1, memory_order_relaxed);
}

/* Returns how many tickets before `mine` have not been released. 0: it is our turn; lock->cpus or
 * more: our turn has passed. */
static inline uint16_t places_before(const struct pmt_lock *lock, uint16_t mine)
{
	uint16_t head = atomic_load_explicit(&lock->head, memory_order_relaxed);

	if (is_lt())
		return (uint16_t)(mine - (head & ~HELD)) / 2;
	return (uint16_t)(mine - head);
}

/* Takes version 2's flag. Acquire: pairs with the store to acquired in pmt_release. */
static inline bool swap_acquired(struct pmt_lock *lock)
{
	return atomic_exchange_explicit(&lock->acquired, 1, memory_order_acquire) == 0;
}

/* Takes pmtlock-lt's flag if head is still `head` and even. Acquire: pairs with the store to head
 * in pmt_release. */
static inline bool set_held(struct pmt_lock *lock, uint16_t head)
{
	return !(head & HELD) &&
	       atomic_compare_exchange_strong_explicit(&lock->head, &head, (uint16_t)(head | HELD),
						       memory_order_acquire, memory_order_relaxed);
}

/* Takes the flag if it is free. Looks first, because the callers poll. */
static bool take_flag(struct pmt_lock *lock)
{
	if (is_lt())
		return set_held(lock, atomic_load_explicit(&lock->head, memory_order_relaxed));
	return atomic_load_explicit(&lock->acquired, memory_order_relaxed) == 0 &&
	       swap_acquired(lock);
}

/* Waits in line. Returns true at our turn, false when the deadline or the turn has passed. */
static bool wait_in_line(struct pmt_lock *lock, uint16_t mine, struct spin *spin)
{
	uint32_t shift = is_lt() ? pmt_lt_shift : pmt_shift;
	uint32_t nearest = lock->cpus, places;
	uint64_t budget = 0; /* polls left; stays 0 if the turn had passed at the first look */

	while ((places = places_before(lock, mine)) != 0) {
		bool first = nearest == lock->cpus;

		if (places < nearest && (first || !is_lt())) {
			nearest = places;
			budget = (uint64_t)places << shift;
		}
		if (budget == 0 || (is_lt() && places >= lock->cpus))
			return false;
		budget--;
		spin_poll(spin);
	}
	return true;
}

static __attribute__((noinline)) void pmt_slow(struct pmt_lock *lock, uint16_t mine)
{
	struct spin spin = spin_begin();
	uint16_t overtaken;
	bool in_order;

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	in_order = wait_in_line(lock, mine, &spin);
	/* until our deadline, our turn is ours alone */
	spin_stage(&spin, in_order ? SPIN_HANDED : SPIN_WON);
	while (!take_flag(lock))
		spin_poll_on(&spin);
	spin_end(&spin, SPIN_WON);
	if (!in_order)
		lock_count(port_my_stats(), EV_DEADLINE_GRANTS);
	overtaken = places_before(lock, mine);
	if (overtaken > 0 && overtaken < lock->cpus)
		lock_count_steal(port_my_stats(), true);
}

static inline void pmt_acquire(void *state, void *node)
{
	struct pmt_lock *lock = state;
	uint16_t mine = take_ticket(lock);
	bool got = atomic_load_explicit(&lock->head, memory_order_relaxed) == mine &&
		   (is_lt() ? set_held(lock, mine) : swap_acquired(lock));

	(void)node;
	if (__builtin_expect(!got, 0))
		pmt_slow(lock, mine);
}

static inline bool try_v2(struct pmt_lock *lock)
{
	/* acquire: pairs with the store to acquired in pmt_release */
	uint32_t acquired = atomic_load_explicit(&lock->acquired, memory_order_acquire);
	uint16_t head = atomic_load_explicit(&lock->head, memory_order_relaxed);
	uint16_t tail = atomic_load_explicit(&lock->tail, memory_order_relaxed);
	uint64_t old = (uint64_t)tail << 16 | head;
	uint64_t new = UINT64_C(1) << 32 | (uint64_t)(uint16_t)(tail + 1) << 16 | head;

	if (acquired || head != tail)
		return false;
	/* acquire: as above, in case the lock changed hands and came back to the same word */
	return atomic_compare_exchange_strong_explicit(&lock->all, &old, new, memory_order_acquire,
						       memory_order_relaxed);
}

static inline bool try_lt(struct pmt_lock *lock)
{
	uint16_t head = atomic_load_explicit(&lock->head, memory_order_relaxed);
	uint16_t tail = atomic_load_explicit(&lock->tail, memory_order_relaxed);
	uint32_t old = (uint32_t)tail << 16 | head;
	uint32_t new = (uint32_t)(uint16_t)(tail + 2) << 16 | head | HELD;

	if (head != tail) /* or held: then head is odd, tail never is */
		return false;
	/* acquire: pairs with the store to head in pmt_release */
	return atomic_compare_exchange_strong_explicit(&lock->tickets, &old, new,
						       memory_order_acquire, memory_order_relaxed);
}

static inline bool pmt_try_acquire(void *state, void *node)
{
	(void)node;
	return is_lt() ? try_lt(state) : try_v2(state);
}

/* pmtlock-lt: adding 1 to an odd head clears the flag and moves the line on. Version 2 moves the
 * line first, while it still owns the lock, so a plain addition suffices. Release: pairs with
 * swap_acquired, set_held and the CASes in try_v2 and try_lt. */
static inline void pmt_release(void *state, void *node)
{
	struct pmt_lock *lock = state;
	uint16_t head = atomic_load_explicit(&lock->head, memory_order_relaxed);

	(void)node;
	atomic_store_explicit(&lock->head, (uint16_t)(head + 1), memory_order_release);
	if (!is_lt())
		atomic_store_explicit(&lock->acquired, 0, memory_order_release);
}

static void pmt_describe(const void *state, char *text, size_t size)
{
	const struct pmt_lock *lock = state;
	uint64_t all = atomic_load_explicit(&lock->all, memory_order_relaxed);
	uint16_t head = (uint16_t)all, tail = (uint16_t)(all >> 16);
	bool held = is_lt() ? head & HELD : all >> 32 != 0;
	uint16_t step = is_lt() ? 2 : 1, line = (uint16_t)(tail - (is_lt() ? head & ~HELD : head));

	ksnprintf(text, size, "%s, word 0x%016llx: %s, head %u, tail %u: %u hold or wait",
		  is_lt() ? "pmtlock-lt" : "pmtlock", (unsigned long long)all,
		  held ? "held" : "free", head, tail, line / step);
}

static const struct lock_ops pmt_ops = {
	.name = "preemptable-ticket",
	.cite = "Ouyang & Lange 2013, VEE'13; github.com/drouyang/pmtlock",
	.flags = 0,
	.state_size = sizeof(struct pmt_lock),
	.node_size = 0,
	.init = pmt_init,
	.acquire = pmt_acquire,
	.try_acquire = pmt_try_acquire,
	.release = pmt_release,
	.describe = pmt_describe,
};

LOCK_REGISTER(pmt_ops);
