/* SPDX-License-Identifier: MIT */
/* See klock.h. */
#include "bench/kbuild/klock.h"
#include "locks/core/stats.h"

#include "lib/steal.h"
#include "lib/string.h"
#include "port/task.h"

static uint32_t nodes_of(uint32_t vcpus)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < vcpus; i++)
		most = port_node(i) > most ? port_node(i) : most;
	return most + 1;
}

static uint32_t owners(enum kbuild_class class, uint32_t tasks, uint32_t vcpus)
{
	switch (kbuild_classes[class].owner) {
	case OWNER_TASK:
		return tasks;
	case OWNER_PAIR:
		return (tasks + 1) / 2;
	case OWNER_VCPU:
		return vcpus;
	case OWNER_NODE:
		return nodes_of(vcpus);
	case OWNER_NOBODY:
		break;
	}
	return 0;
}

size_t klock_count(enum kbuild_class class, uint32_t tasks, uint32_t vcpus)
{
	const struct class_profile *profile = &kbuild_classes[class];

	return (size_t)owners(class, tasks, vcpus) * profile->each + profile->shared;
}

static void *state_of(const struct klock *lock)
{
	return world.states + (size_t)(lock - world.klock) * world.state_stride;
}

const void *klock_state(const struct klock *lock)
{
	return state_of(lock);
}

const char *klock_class(const struct klock *lock)
{
	int c = CLASS_COUNT - 1;

	while ((size_t)(lock - world.klock) < world.first[c])
		c--;
	return kbuild_classes[c].name;
}

uint32_t klock_number(const struct klock *lock)
{
	return (uint32_t)(lock - world.klock) + 1;
}

const struct klock *klock_numbered(uint32_t number)
{
	return &world.klock[number - 1];
}

void klock_init_all(void)
{
	struct lock_env env = {
		.cpus = world.vcpus,
		.nodes = world.nodes,
		.node_stride = world.node_stride,
	};
	size_t count;

	for (int c = 0; c < CLASS_COUNT; c++)
		world.first[c + 1] = world.first[c] +
				     klock_count((enum kbuild_class)c, world.tasks, world.vcpus);
	count = world.first[CLASS_COUNT];
	memset(world.nodes, 0, (size_t)KBUILD_DEPTH * world.vcpus * world.node_stride);
	memset(world.klock, 0, count * sizeof(world.klock[0]));
	memset(world.states, 0, count * world.state_stride);
	for (size_t i = 0; i < count; i++)
		world.ops->init(world.states + i * world.state_stride, &env);
}

struct klock *klock_of(enum kbuild_class class, uint32_t owner, uint32_t k)
{
	return &world.klock[world.first[class] + (size_t)owner * kbuild_classes[class].each + k];
}

static uint32_t own(enum kbuild_owner owner, const struct task *task, uint32_t cpu)
{
	switch (owner) {
	case OWNER_TASK:
		return task->id;
	case OWNER_PAIR:
		return task->id / 2;
	case OWNER_VCPU:
		return cpu;
	case OWNER_NODE:
		return port_node(cpu);
	case OWNER_NOBODY:
		break;
	}
	return 0;
}

struct klock *klock_draw(enum kbuild_class class, const struct task *task, uint32_t cpu,
			 struct random *random)
{
	const struct class_profile *profile = &kbuild_classes[class];
	uint32_t count = owners(class, world.tasks, world.vcpus);
	uint32_t owner = own(profile->owner, task, cpu);
	bool away = random_below(random, KBUILD_WHOLE) < profile->away;
	uint32_t k = random_below(random, profile->each ? profile->each : 1);
	uint32_t step = random_below(random, count > 1 ? count - 1 : 1);
	uint32_t shared = profile->shared ? random_zipf(random, profile->shared) : 0;

	if (profile->shared != 0 && (away || profile->owner == OWNER_NOBODY))
		return klock_of(class, count, shared);
	if (away && count > 1)
		owner = (owner + 1 + step) % count;
	return klock_of(class, owner, k);
}

/* The lock's own counters that show whether an acquisition had to wait. */
static uint64_t slow_paths(const struct lock_stats *stats)
{
	return stats->count[EV_LOCK_SLOWPATH] + stats->count[EV_LOCK_PENDING] +
	       stats->count[EV_LOCK_STEALS];
}

/* Counts a wait of `cycles`, `halted` of them in HLT. Stolen time counts as neither spinning nor
 * halted. Which of the two it interrupted is not known, so it is subtracted from both in
 * proportion. */
static void count_wait(struct vcpu *me, struct class_count *count, uint64_t cycles, uint64_t halted,
		       uint64_t stolen_ns)
{
	uint64_t spinning = cycles > halted ? cycles - halted : 0;
	uint64_t stolen = stolen_ns ? port_ns_to_cycles(stolen_ns) : 0;

	count->contended++;
	count->wait_cycles += cycles;
	if (cycles > count->wait_max_cycles)
		count->wait_max_cycles = cycles;
	if (stolen > cycles)
		stolen = cycles;
	if (stolen != 0) { /* in thousandths: seconds of cycles fit */
		uint64_t left = 1000 - stolen * 1000 / cycles;

		spinning = spinning / 1000 * left;
		halted = halted / 1000 * left;
	}
	me->times.spinning += spinning;
	me->times.halted += halted;
}

/* With leave(), the same as section_body() in bench/loop.h. */
static void enter(struct vcpu *me, struct held *held, struct class_count *count)
{
	struct section *section = &held->lock->section;
	uint32_t cpu = me->worker.cpu + 1;

	atomic_store_explicit(&section->holder, cpu, memory_order_relaxed);
	held->second = atomic_load_explicit(&section->second, memory_order_relaxed);
	port_increment(&section->first);
	count->acquisitions++;
	if (held->lock->last_cpu != 0 && held->lock->last_cpu != cpu)
		count->other_cpu++;
	held->lock->last_cpu = cpu;
	port_increment(&held->lock->touched);
}

/* Copies the steal-time page as of the grant: a wait has noted it; without one it is read now. */
static void note_grant(struct vcpu *me, struct held *held)
{
	struct lock_stats *stats = me->worker.stats;

	if (stats->waited) {
		stats->waited = false;
		held->version = stats->grant_version;
		held->steal_ns = stats->grant_steal_ns;
	} else {
		held->version = atomic_load_explicit(&stats->steal->version, memory_order_relaxed);
		held->steal_ns = held->since.steal_ns;
	}
}

void klock_acquire(struct vcpu *me, enum kbuild_class class, struct klock *lock)
{
	struct lock_stats *stats = me->worker.stats;
	struct held *held = &me->held[me->depth];
	/* a lock with a node pool has one node for all depths: locks/core/lock.h */
	uint32_t row = world.ops->flags & LOCK_NODE_POOL ? 0 : me->depth;
	uint64_t halted = stats->count[EV_HALT_CYCLES], slow = slow_paths(stats);
	uint64_t steal_ns = own_steal_ns(me), asked = port_cycles();
	bool busy = atomic_load_explicit(&lock->section.holder, memory_order_relaxed) != 0;

	held->lock = lock;
	held->class = class;
	held->node = world.ops->node_size == 0
			     ? NULL
			     : world.nodes + ((size_t)row * world.vcpus + me->worker.cpu) *
						     world.node_stride;
	held->enables_irqs = kbuild_classes[class].irqs_off && port_irq_disable();
	atomic_store_explicit(&me->asks, lock, memory_order_relaxed);
	atomic_store_explicit(&stats->holder, &lock->section.holder, memory_order_relaxed);
	port_preempt_disable();
	world.ops->acquire(state_of(lock), held->node);
	held->since = stretch_begin(me);
	note_grant(me, held);
	atomic_store_explicit(&me->asks, NULL, memory_order_relaxed);
	me->depth++;
	if (busy || slow_paths(stats) != slow)
		count_wait(me, &me->count[class], held->since.start - asked,
			   stats->count[EV_HALT_CYCLES] - halted, own_steal_ns(me) - steal_ns);
	enter(me, held, &me->count[class]);
}

/* Called before the release. Counts the waiters of each of several nested locks. */
__attribute__((noinline)) static void holder_preempted(struct vcpu *me)
{
	const struct held *held = &me->held[me->depth];
	uint64_t steal_ns = own_steal_ns(me) - held->steal_ns;

	me->count[held->class].lhp_events++;
	worker_waiters_lost(&me->worker, &held->lock->section, port_ns_to_cycles(steal_ns));
	if (me->depth == 0) /* count once, however many locks it held */
		worker_holder_preempted(&me->worker, held->steal_ns);
}

void klock_release(struct vcpu *me)
{
	struct held *held = &me->held[--me->depth];
	struct section *section = &held->lock->section;
	struct class_count *count = &me->count[held->class];

	atomic_store_explicit(&section->second, held->second + 1, memory_order_relaxed);
	atomic_store_explicit(&section->holder, 0, memory_order_relaxed);
	if (atomic_load_explicit(&me->worker.stats->steal->version, memory_order_relaxed) !=
	    held->version)
		holder_preempted(me);
	held->cycles = port_cycles() - held->since.start;
	world.ops->release(state_of(held->lock), held->node);
	port_preempt_enable();
	if (held->enables_irqs)
		port_irq_enable();
	count->hold_cycles += held->cycles;
	if (me->depth == 0)
		me->times.locked += stretch_end(me, &held->since);
	me->worker.ops++;
	me->worker.sections++;
	atomic_store_explicit(&me->progress, me->worker.ops, memory_order_relaxed);
}

/* Overlapping sections lose counts, mostly of `second`. So a lock's two counts must be equal, and
 * over a class they must add up to the number of sections entered. */
bool klock_excluded(const struct class_count count[CLASS_COUNT])
{
	for (int c = 0; c < CLASS_COUNT; c++) {
		uint64_t sections = 0;

		for (size_t i = world.first[c]; i < world.first[c + 1]; i++) {
			const struct section *section = &world.klock[i].section;

			if (section->first !=
			    atomic_load_explicit(&section->second, memory_order_relaxed))
				return false;
			sections += section->first;
		}
		if (sections != count[c].acquisitions)
			return false;
	}
	return true;
}
