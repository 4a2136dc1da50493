/* SPDX-License-Identifier: MIT */
/*
 * paq: the preemption-aware queue lock for KVM guests, pvspin's own. It hands the lock over only
 * among vCPUs that run, and lets all others halt. Three parts:
 *
 * - the byte: 0 free, 1 held, 2 held and somebody may be parked (park.h). Anybody may take it when
 *   it is 0.
 * - the queue, MCS. Only its first node, the front, polls the byte. An owner that came through the
 *   queue keeps its node, and its release hands the lock to the next waiter that runs: one store
 *   to a line that only this waiter polls. The byte stays held meanwhile.
 * - the lot, where vCPUs halt (park.h). A waiter halts after paq_spin_us in the queue.
 *
 * The front alone removes nodes. It passes over waiters whose vCPU the host flags as preempted, or
 * that sleep; these find out and join again. If no waiter is left that runs, the release frees the
 * byte and wakes one sleeper.
 *
 * A busy queue never runs empty like that. So a vCPU that has handed the lock on paq_turns times
 * wakes a sleeper, and halts itself instead of queueing for the next time. A turn is a number of
 * sections, the same for each vCPU, and the number of vCPUs that run does not grow.
 *
 * A sleeper leaves its node in the queue (PAQ_ASLEEP). If it is woken before the front has passed
 * over the node, it has its old place again. If it takes the byte instead, the front removes the
 * node later, so nodes belong to their CPU for ever (LOCK_NODE_POOL).
 *
 * Preemption: preempting a waiter costs nothing but its place. Preempting the holder costs each
 * waiter paq_spin_us; then the waiters' CPUs are free. Two holes: a vCPU that is descheduled
 * between the look at its flag and the hand-over owns the lock asleep; one that is descheduled
 * between joining the queue and linking itself holds up the front, as in MCS.
 *
 * Others' ideas: the queue is MCS (Mellor-Crummey & Scott 1991); a hand-over that passes over
 * preempted waiters is MCS-TP's (He, Scherer & Scott 2005), whose published times the host's flag
 * replaces; byte and parking are tas-park's; spinning for about as long as a sleep costs is
 * Karlin's (SOSP 1991). Others have limited the number of spinners at a lock by culling queues;
 * here each waiter goes by its own clock.
 */
#include "locks/paq.h"
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/pv.h"
#include "locks/core/spin.h"
#include "locks/core/tunables.h"
#include "locks/park.h"

TUNABLE(paq_spin_us, "paq", 8, 0, UINT32_MAX); /* how long a waiter queues before it halts */
TUNABLE(paq_turns, "paq", 24, 0, UINT32_MAX);  /* sections in a vCPU's turn; 0: no turns */
/* for ablation, each alone */
TUNABLE(paq_direct, "paq", 1, 0, 1); /* 0: each release frees the byte */
TUNABLE(paq_skip, "paq", 1, 0, 1);   /* 0: hands over to preempted waiters, too */
TUNABLE(paq_halt, "paq", 1, 0, 1);   /* 0: nobody halts */
TUNABLE(paq_retire, "paq", 1, 0, 1); /* 0: a vCPU that wakes another at the end of its turn stays */

/* Polls before a waiter's first look at the time; it shows how long a poll takes here. */
#define PAQ_FIRST_POLLS 16

/* A stay in the queue, and how long it may take. */
struct stay {
	uint64_t begin, most;    /* cycles */
	uint64_t polls, look_at; /* so many polls; at look_at the next look at the time */
};

static struct park_lot lot;
static _Atomic uint32_t next_to_wake; /* a CPU: sleepers are woken in turn */

static void paq_init(void *state, const struct lock_env *env)
{
	struct paq_lock *lock = state;

	atomic_init(&lock->byte, PARK_FREE);
	atomic_init(&lock->tail, 0);
	park_init(&lot, env);
}

static uint32_t id_cpu(uint32_t id)
{
	return (id - 1) / PAQ_NODES;
}

static struct paq_node *node_of(uint32_t id)
{
	struct paq_cpu *cpu = (void *)(lot.nodes + id_cpu(id) * lot.stride);

	return &cpu->node[(id - 1) % PAQ_NODES];
}

static void set_state(struct paq_node *node, enum paq_state state)
{
	/* release: whoever finds the node out may join with it, after all our accesses to it */
	atomic_store_explicit(&node->state, state, memory_order_release);
}

/* Acquire and release: the lock comes with the state, and our section goes with it. */
static bool change_state(struct paq_node *node, uint32_t from, uint32_t to)
{
	return atomic_compare_exchange_strong_explicit(&node->state, &from, to,
						       memory_order_acq_rel, memory_order_relaxed);
}

/* By the front. Returns the id of the node behind `id`; 0: there was none, the queue is empty now.
 * Waits for one that has joined but not yet linked itself. */
static uint32_t next_or_end(struct paq_lock *lock, uint32_t id)
{
	struct paq_node *node = node_of(id);
	/* acquire: pairs with the link store in join(), so that our stores to that node come after
	 * its waiter's */
	uint32_t next = atomic_load_explicit(&node->next, memory_order_acquire), seen = id;
	uint64_t begin;

	if (next || atomic_compare_exchange_strong_explicit(
			    &lock->tail, &seen, 0, memory_order_acq_rel, memory_order_relaxed))
		return next;
	begin = spin_link_begin();
	while (!(next = atomic_load_explicit(&node->next, memory_order_acquire)))
		port_relax();
	spin_link_end(begin);
	return next;
}

/* Makes the next waiter that runs the FRONT or OWNER, and removes those before it. Returns false if
 * the queue is empty now. */
static bool pass_to_running(struct paq_lock *lock, uint32_t front, enum paq_state as)
{
	uint32_t next;

	for (uint32_t id = next_or_end(lock, front); id; id = next) {
		if (!(paq_skip && pv_preempted(id_cpu(id))) &&
		    change_state(node_of(id), PAQ_WAITING, as))
			return true;
		lock_count(port_my_stats(), EV_WAITER_SKIPPED);
		next = next_or_end(lock, id);
		set_state(node_of(id), PAQ_OUT);
	}
	return false;
}

/* Called by the front: passes, and leaves the queue. Its own node comes last, so that the next
 * owner need not wait until this CPU has got that line. */
static bool pass(struct paq_lock *lock, uint32_t front, enum paq_state as)
{
	bool passed = pass_to_running(lock, front, as);

	set_state(node_of(front), PAQ_OUT);
	return passed;
}

/* Polls. Returns true if the stay has taken long enough. */
static bool has_stayed(struct stay *stay, struct spin *spin)
{
	uint64_t gone;

	stay->polls += spin_polls(spin, stay->look_at - stay->polls);
	if (stay->polls < stay->look_at || !paq_halt || !pv_backend->halts)
		return false;
	gone = port_cycles() - stay->begin;
	if (gone >= stay->most)
		return true;
	stay->look_at += 1 + (stay->most - gone) * stay->polls / (gone + 1);
	return false;
}

/* Queues with a node that is out. Returns true if it is the front at once. */
static bool join(struct paq_lock *lock, uint32_t id)
{
	struct paq_node *node = node_of(id);
	uint32_t previous;

	atomic_store_explicit(&node->next, 0, memory_order_relaxed);
	atomic_store_explicit(&node->state, PAQ_WAITING, memory_order_relaxed);
	/* acq_rel: the successor must see our stores before it links itself, we our predecessor's
	 */
	previous = atomic_exchange_explicit(&lock->tail, id, memory_order_acq_rel);
	if (previous) /* release: pairs with the loads in next_or_end */
		atomic_store_explicit(&node_of(previous)->next, id, memory_order_release);
	return !previous;
}

/* Waits for the front's or the owner's place; false: long enough. Joins again when passed over. */
static bool wait_in_queue(struct paq_lock *lock, uint32_t id, struct stay *stay, struct spin *spin)
{
	struct paq_node *node = node_of(id);

	if (!change_state(node, PAQ_ASLEEP, PAQ_WAITING) && join(lock, id))
		return true;
	for (;;) {
		switch (atomic_load_explicit(&node->state, memory_order_acquire)) {
		case PAQ_WAITING:
			if (has_stayed(stay, spin) && change_state(node, PAQ_WAITING, PAQ_ASLEEP))
				return false;
			break;
		case PAQ_OUT:
			if (join(lock, id))
				return true;
			break;
		default:
			spin_stage(spin, SPIN_HANDED);
			return true;
		}
	}
}

/* Queues. True: owns the lock, with the node in front of the queue. */
static bool queue(struct paq_lock *lock, uint32_t id, uint8_t as, struct spin *spin)
{
	struct stay stay = {.begin = port_cycles(),
			    .most = port_ns_to_cycles(UINT64_C(1000) * paq_spin_us),
			    .look_at = PAQ_FIRST_POLLS};

	if (!wait_in_queue(lock, id, &stay, spin))
		return false;
	/* acquire: pairs with pass() */
	if (atomic_load_explicit(&node_of(id)->state, memory_order_acquire) == PAQ_OWNER)
		return true;
	while (!park_take(&lock->byte, as)) {
		if (has_stayed(&stay, spin)) {
			pass(lock, id, PAQ_FRONT);
			return false;
		}
	}
	return true;
}

/* Takes the lock. Returns whether it came through the queue. Exchanges the byte after each park(),
 * as park.h demands. */
static bool queue_or_park(struct paq_lock *lock, struct paq_cpu *cpu, uint32_t id,
			  struct spin *spin)
{
	uint8_t as = PARK_HELD;

	for (;;) {
		if (!cpu->retires && queue(lock, id, as, spin))
			return true;
		if (park_announce(&lock->byte))
			return false;
		cpu->retires = false;
		as = PARK_WAITERS; /* we may be woken on behalf of others */
		park(&lot, &cpu->park, &lock->byte, spin);
		if (park_announce(&lock->byte))
			return false;
	}
}

/* Returns a slot whose node is out, now used; PAQ_NODES: none. An interrupt's wait may come at any
 * time and leave a node in a queue, but not that of a used slot: so first the bit, then the look.
 */
static uint32_t take_slot(struct paq_cpu *cpu)
{
	for (uint32_t slot = 0; slot < PAQ_NODES; slot++) {
		if (cpu->used >> slot & 1)
			continue;
		cpu->used |= 1u << slot;
		atomic_signal_fence(memory_order_seq_cst);
		/* acquire: pairs with set_state */
		if (atomic_load_explicit(&cpu->node[slot].state, memory_order_acquire) == PAQ_OUT)
			return slot;
		cpu->used &= ~(1u << slot);
	}
	return PAQ_NODES;
}

/* An interrupt's handler may wait likewise between any two lines; it gives back what it takes. The
 * fences are for the compiler, because all this happens on one CPU. */
static __attribute__((noinline)) void paq_slow(struct paq_lock *lock, struct paq_cpu *cpu)
{
	struct spin spin = spin_begin();
	uint32_t slot = take_slot(cpu), id = port_cpu() * PAQ_NODES + slot + 1;
	bool queued;

	lock_count(port_my_stats(), EV_LOCK_SLOWPATH);
	if (slot == PAQ_NODES) {
		lock_count(port_my_stats(), EV_LOCK_NO_NODE);
		while (!park_take(&lock->byte, PARK_HELD))
			spin_poll_on(&spin);
		spin_end(&spin, SPIN_WON);
		return;
	}
	queued = queue_or_park(lock, cpu, id, &spin);
	spin_end(&spin, SPIN_WON);
	if (queued && paq_direct) {
		cpu->held[slot] = lock;
		return;
	}
	if (queued)
		pass(lock, id, PAQ_FRONT);
	atomic_signal_fence(memory_order_seq_cst);
	cpu->used &= ~(1u << slot);
}

static inline void paq_acquire(void *state, void *node)
{
	struct paq_lock *lock = state;
	uint8_t free = PARK_FREE;

	/* acquire: pairs with the exchange in park_release */
	if (__builtin_expect(!atomic_compare_exchange_strong_explicit(&lock->byte, &free, PARK_HELD,
								      memory_order_acquire,
								      memory_order_relaxed),
			     0))
		paq_slow(lock, node);
}

static inline bool paq_try_acquire(void *state, void *node)
{
	struct paq_lock *lock = state;

	(void)node;
	return park_take(&lock->byte, PARK_HELD);
}

/* Wakes the next sleeper in turn. Returns false if nobody sleeps. `byte` may be gone. */
static __attribute__((noinline)) bool wake_next(const void *byte)
{
	uint32_t first = atomic_load_explicit(&next_to_wake, memory_order_relaxed) % lot.cpus;
	uint32_t woken = park_wake_from(&lot, byte, first);

	if (woken == lot.cpus)
		return false;
	atomic_store_explicit(&next_to_wake, woken + 1, memory_order_relaxed);
	return true;
}

/* Hands on a lock that this CPU has queued for. Returns false if it has not, or if nobody who runs
 * is in the queue. */
static __attribute__((noinline)) bool hand_on(struct paq_lock *lock, struct paq_cpu *cpu)
{
	uint32_t slot = 0;
	bool ends, passed;

	while (cpu->held[slot] != lock)
		if (++slot == PAQ_NODES)
			return false;
	cpu->held[slot] = NULL;
	/* The byte is read before the lock is another's and may be gone, and only at the end of a
	 * turn: newcomers write its line. */
	ends = paq_turns && ++cpu->passed >= paq_turns &&
	       atomic_load_explicit(&lock->byte, memory_order_relaxed) == PARK_WAITERS;
	passed = pass(lock, port_cpu() * PAQ_NODES + slot + 1, PAQ_OWNER);
	atomic_signal_fence(memory_order_seq_cst);
	cpu->used &= ~(1u << slot);
	if (passed && ends) {
		cpu->passed = 0;
		cpu->retires = wake_next(&lock->byte) && paq_retire;
	}
	return passed;
}

static inline void paq_release(void *state, void *node)
{
	struct paq_lock *lock = state;
	struct paq_cpu *cpu = node;

	if (__builtin_expect(cpu->used != 0, 0) && hand_on(lock, cpu))
		return;
	if (__builtin_expect(park_release(&lock->byte), 0))
		wake_next(&lock->byte);
}

static void paq_describe(const void *state, char *text, size_t size)
{
	static const char *const words[] = {"free", "held", "held, somebody may be parked"};
	const struct paq_lock *lock = state;
	uint8_t byte = atomic_load_explicit(&lock->byte, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&lock->tail, memory_order_relaxed);
	int used = ksnprintf(text, size, "byte %u (%s), ", byte,
			     byte <= PARK_WAITERS ? words[byte] : "broken");

	if (used < 0 || (size_t)used >= size)
		return;
	text += used;
	size -= (size_t)used;
	if (tail)
		ksnprintf(text, size, "tail CPU %u", id_cpu(tail));
	else
		ksnprintf(text, size, "no queue");
}

static const struct lock_ops paq_ops = {
	.name = "paq",
	.cite = "this project, docs/locks.md",
	.flags = LOCK_QUEUED | LOCK_PV | LOCK_NEEDS_PREEMPTED | LOCK_NODE_POOL | LOCK_RESTORES,
	.state_size = sizeof(struct paq_lock),
	.node_size = sizeof(struct paq_cpu),
	.init = paq_init,
	.acquire = paq_acquire,
	.try_acquire = paq_try_acquire,
	.release = paq_release,
	.describe = paq_describe,
};

LOCK_REGISTER(paq_ops);
