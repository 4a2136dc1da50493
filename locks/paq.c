/* SPDX-License-Identifier: MIT */
/*
 * paq: the preemption-aware queue lock for KVM guests, pvspin's own. Wherever another queue lock
 * waits for a vCPU that may not be running, paq reads the host's preempted flag and acts. One
 * 64-bit word (paq_word.h) names owner, head and tail of the queue.
 *
 * Preemption, mechanism by mechanism (a tunable turns each off):
 *	m1   a newcomer takes a free lock past an inactive head
 *	m2a  the new owner passes the headship over an inactive successor, which sinks by one place
 *	m2b  the second in line usurps an inactive head, which then is second
 *	m3   every running waiter yields to a preempted owner, by name
 *	halt a waiter that has waited long halts, but only where CPU time is short
 * One hole remains: a waiter that is descheduled between joining the queue and linking itself holds
 * up the promotion, as in MCS.
 *
 * "Inactive" is a hint and may be wrong at any time; exclusion and wake-ups do not depend on it.
 * Others' ideas: the owner in the word and yields to it, from powerpc's qspinlock (Linux
 * arch/powerpc/lib/qspinlock.c, 28db61e207ea) and s390. New here: the word names the head for the
 * unlocker, instead of a hash table; inactive waiters are passed over and usurped by the preempted
 * flag.
 */
#include "bench/register.h"
#include "lib/printf.h"
#include "locks/core/tunables.h"
#include "locks/paq_queue.h"

#define OVERCOMMIT_STEAL_FACTOR 8 /* multiplies `steal` where CPU time is short */

TUNABLE(paq_m1, "paq", 1, 0, 1);
TUNABLE(paq_kick_ahead, "paq", 4, 0, UINT32_MAX); /* halted waiters kicked together with the head */

static void paq_init(void *state, const struct lock_env *env)
{
	struct paq_lock *lock = state;

	if (env->cpus > PAQ_MAX_CPUS)
		__builtin_trap(); /* 14 bits of an id, as in qspinlock */
	atomic_init(&lock->word.value, PAQ_FREE);
	lock->cpus = env->nodes;
	lock->stride = env->node_stride;
	for (uint32_t i = 0; i < env->cpus; i++) {
		struct paq_cpu *cpu = (void *)(lock->cpus + i * lock->stride);

		cpu->owned = PAQ_HELD | (uint64_t)paq_id(i, 0) << PAQ_OWNER_SHIFT;
	}
}

/* Acquire: pairs with paq_release. */
static inline bool take_free(struct paq_lock *lock, const struct paq_cpu *cpu)
{
	uint64_t seen = PAQ_FREE;

	return atomic_compare_exchange_strong_explicit(&lock->word.value, &seen, cpu->owned,
						       memory_order_acquire, memory_order_relaxed);
}

/* Takes the free lock; the queue stays as it is. */
static bool take_past(struct paq_wait *wait, uint64_t word)
{
	/* acquire: pairs with paq_release */
	if (!paq_cas(&wait->lock->word, &word, paq_taken(wait, word)))
		return false;
	lock_count_steal(wait->stats, paq_tail(word) != 0);
	spin_end(&wait->spin, SPIN_WON);
	return true;
}

/* Polls the word for a while and takes the lock if it is free, but never past an active head. */
static bool steal(struct paq_wait *wait)
{
	uint32_t polls = lock_tunables.steal;

	if (wait->cpu->overcommit.now)
		polls *= OVERCOMMIT_STEAL_FACTOR;
	for (; polls > 0; polls--) {
		uint64_t word = paq_load(&wait->lock->word);
		uint32_t head = paq_head(word);

		/* past a head only if it is inactive and has not forbidden it */
		if (head && (!paq_m1 || (word & PAQ_MUSTQ) || !paq_inactive(wait->lock, head)))
			return false;
		if (paq_locked(word) == PAQ_FREE) {
			if (take_past(wait, word))
				return true;
		} else {
			paq_help_owner(wait, word);
		}
		spin_poll(&wait->spin);
	}
	return false;
}

/* Waits in the fifth context on this CPU, which has no node to queue with and holds up four other
 * waits: takes the lock as soon as it is free. */
static void poll_without_node(struct paq_wait *wait)
{
	for (;;) {
		uint64_t word = paq_load(&wait->lock->word);

		if (paq_locked(word) == PAQ_FREE && take_past(wait, word))
			return;
		spin_poll(&wait->spin);
	}
}

static __attribute__((noinline)) void paq_slow(struct paq_lock *lock, struct paq_cpu *cpu)
{
	struct paq_wait wait = {
		.lock = lock,
		.cpu = cpu,
		.stats = port_my_stats(),
		.spin = spin_begin(),
		.turn = paq_m1 ? SPIN_WON : SPIN_HANDED,
	};
	uint32_t level;

	if (steal(&wait))
		return;
	level = cpu->levels++;
	/* An interrupt from here on must find the node taken. Its own wait leaves `levels` as it
	 * was, so a compiler barrier is all that one CPU needs. */
	atomic_signal_fence(memory_order_seq_cst);
	if (level < PAQ_LEVELS) {
		if (level > 0)
			lock_count(wait.stats, (enum lock_event)(EV_LOCK_USE_NODE2 + level - 1));
		wait.node = &cpu->level[level];
		wait.id = paq_owner(cpu->owned) | level;
		paq_queue(&wait);
	} else {
		lock_count(wait.stats, EV_LOCK_NO_NODE);
		poll_without_node(&wait);
	}
	atomic_signal_fence(memory_order_seq_cst);
	cpu->levels--;
}

static inline void paq_acquire(void *state, void *node)
{
	if (__builtin_expect(!take_free(state, node), 0))
		paq_slow(state, node);
}

static inline bool paq_try_acquire(void *state, void *node)
{
	struct paq_lock *lock = state;

	/* a look first: a failing CAS would take the line from the holder */
	return atomic_load_explicit(&lock->word.value, memory_order_relaxed) == PAQ_FREE &&
	       take_free(lock, node);
}

/* Also kicks some halted waiters behind the head. A woken vCPU has to wait for a CPU like any
 * other; if the second in line gets one first, it takes the head's place. The links may change
 * meanwhile, and KVM remembers a kick in vain: both cost no more than a spurious wake-up. The lock
 * has been released and may be gone, but the nodes belong to their CPUs. */
static void kick_ahead(char *cpus, size_t stride, uint32_t id)
{
	for (uint32_t i = paq_kick_ahead; i > 0; i--) {
		const struct paq_node *node;

		id = paq_next(paq_node_at(cpus, stride, id));
		if (!id)
			return;
		node = paq_node_at(cpus, stride, id);
		if (atomic_load_explicit(&node->state, memory_order_relaxed) == PAQ_HALTED)
			pv_kick(paq_id_cpu(id));
	}
}

/* Releases a lock that somebody waits for. The step that frees the lock tells whom to kick: a head
 * seen earlier may have been usurped, and the usurper may have halted. */
static __attribute__((noinline)) void release_slow(struct paq_lock *lock, uint64_t word)
{
	char *cpus = lock->cpus;
	size_t stride = lock->stride;

	/* release: pairs with all that take the lock */
	while (!atomic_compare_exchange_strong_explicit(&lock->word.value, &word, paq_freed(word),
							memory_order_release, memory_order_relaxed))
		;
	if (paq_locked(word) == PAQ_SLOW && paq_head(word)) {
		lock_count(port_my_stats(), EV_PV_KICK_UNLOCK);
		pv_kick(paq_id_cpu(paq_head(word)));
		kick_ahead(cpus, stride, paq_head(word));
	}
}

/* Guesses, without a look, that nobody waits. If that is wrong, the CAS has fetched the line for
 * the next CAS. */
static inline void paq_release(void *state, void *node)
{
	struct paq_lock *lock = state;
	const struct paq_cpu *cpu = node;
	uint64_t word = cpu->owned;

	/* release: pairs with all that take the lock */
	if (__builtin_expect(!atomic_compare_exchange_strong_explicit(
				     &lock->word.value, &word, PAQ_FREE, memory_order_release,
				     memory_order_relaxed),
			     0))
		release_slow(lock, word);
}

static int describe_id(char *text, size_t size, const char *who, uint32_t id)
{
	if (!id)
		return ksnprintf(text, size, ", no %s", who);
	return ksnprintf(text, size, ", %s CPU %u level %u", who, paq_id_cpu(id), paq_id_level(id));
}

static void paq_describe(const void *state, char *text, size_t size)
{
	static const char *const locked[] = {"free", "held", "impossible",
					     "held, head to be kicked"};
	const struct paq_lock *lock = state;
	uint64_t word = atomic_load_explicit(&lock->word.value, memory_order_relaxed);
	int used = ksnprintf(text, size, "word 0x%016llx: %s%s", (unsigned long long)word,
			     paq_locked(word) > PAQ_SLOW ? "impossible" : locked[paq_locked(word)],
			     word & PAQ_MUSTQ ? ", must queue" : "");
	const struct {
		const char *who;
		uint32_t id;
	} named[] = {
		{"owner", paq_owner(word)}, {"head", paq_head(word)}, {"tail", paq_tail(word)}};

	for (size_t i = 0; i < 3 && used >= 0 && (size_t)used < size; i++)
		used += describe_id(text + used, size - (size_t)used, named[i].who, named[i].id);
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
