/* SPDX-License-Identifier: MIT */
/*
 * See sched.h. A task that stops running switches to its vCPU's own stack, from where it is queued
 * or marked blocked. So no other vCPU can run it while it is still on its stack (Linux has
 * task_struct.on_cpu for that).
 */
#include "bench/kbuild/sched.h"

#include "bench/kbuild/governor.h"
#include "bench/kbuild/klock.h"
#include "bench/work.h"
#include "locks/core/stats.h"
#include "locks/core/trace.h"
#include "port/task.h"

static struct klock *rq_lock(const struct vcpu *vcpu)
{
	return klock_of(CLASS_RQ, vcpu->worker.cpu, 0);
}

/* The scheduler's own pi and rq sections have the profile's lengths. */
static void lock(struct vcpu *me, enum kbuild_class class, struct klock *klock)
{
	klock_acquire(me, class, klock);
	me->scheduler_locks++;
}

static void hold(struct vcpu *me)
{
	work(distribution_draw(&kbuild_classes[CLASS_RQ].hold, &me->random));
}

/* Called with the queue's lock held. */
static void append(struct vcpu *vcpu, struct task *task)
{
	struct run_queue *queue = &vcpu->queue;

	task->next = NULL;
	task->state = TASK_RUNNABLE;
	atomic_store_explicit(&task->vcpu, vcpu->worker.cpu, memory_order_relaxed);
	if (queue->head)
		queue->tail->next = task;
	else
		queue->head = task;
	queue->tail = task;
	atomic_store_explicit(&queue->queued,
			      atomic_load_explicit(&queue->queued, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

static struct task *take(struct vcpu *vcpu)
{
	struct run_queue *queue = &vcpu->queue;
	struct task *task = queue->head;

	if (task == NULL)
		return NULL;
	queue->head = task->next;
	atomic_store_explicit(&queue->queued,
			      atomic_load_explicit(&queue->queued, memory_order_relaxed) - 1,
			      memory_order_relaxed);
	return task;
}

static uint32_t queued(const struct vcpu *vcpu)
{
	return atomic_load_explicit(&vcpu->queue.queued, memory_order_relaxed);
}

/* Puts `back`, if not NULL, at the end of the queue and takes the first task. */
static struct task *next_own(struct vcpu *me, struct task *back)
{
	struct task *task;

	if (back == NULL && queued(me) == 0)
		return NULL;
	lock(me, CLASS_RQ, rq_lock(me));
	hold(me);
	if (back)
		append(me, back);
	task = take(me);
	klock_release(me);
	return task;
}

/* The number of tasks there, including the running one, like Linux's nr_running. */
static uint32_t load_of(const struct vcpu *vcpu)
{
	return queued(vcpu) + atomic_load_explicit(&vcpu->busy, memory_order_relaxed);
}

/* Returns the vCPU with the most tasks, from which an idle vCPU may take one; NULL: none, or a
 * parked vCPU asks. A single woken task stays where it was woken. */
static struct vcpu *busiest(const struct vcpu *me)
{
	struct vcpu *found = NULL;
	uint32_t most = 1;

	if (governor_parks(me))
		return NULL;
	for (uint32_t i = 0; i < world.vcpus; i++) {
		struct vcpu *vcpu = &world.vcpu[i];
		uint32_t load = load_of(vcpu);

		if (queued(vcpu) != 0 && load > most) {
			most = load;
			found = vcpu;
		}
	}
	return found;
}

static struct task *steal(struct vcpu *me)
{
	struct vcpu *from = busiest(me);
	struct task *task;

	if (from == NULL)
		return NULL;
	lock(me, CLASS_RQ, rq_lock(from));
	task = take(from);
	hold(me);
	klock_release(me);
	if (task)
		me->events.migrations++;
	return task;
}

static bool finished(void)
{
	/* acquire: pairs with the store in gone */
	return atomic_load_explicit(&world.finished, memory_order_acquire);
}

static void call(struct vcpu *vcpu)
{
	atomic_fetch_add_explicit(&vcpu->calls, 1, memory_order_release);
	port_wake(vcpu->worker.cpu, &vcpu->calls);
}

/* Called after a task was queued there. The fence pairs with the one in idle(): either this side
 * sees the flag, or idle() sees the task. */
static void call_if_idle(struct vcpu *vcpu)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&vcpu->idle, memory_order_relaxed))
		call(vcpu);
}

__attribute__((noinline)) static void rest(struct vcpu *me, uint32_t calls)
{
	struct lock_stats *stats = me->worker.stats;

	trace_look(stats);
	trace_add(stats, TRACE_IDLE, 0);
	port_sleep(&me->calls, calls);
	trace_look(stats); /* since the call it may have waited for a CPU of the host */
	trace_add(stats, TRACE_BUSY, 0);
}

/* Idles until there may be work; each tick looks for some, too. */
static void idle(struct vcpu *me)
{
	struct stretch stretch = stretch_begin(me);
	/* acquire: comes before the look at the caller's changes */
	uint32_t calls = atomic_load_explicit(&me->calls, memory_order_acquire);

	atomic_store_explicit(&me->idle, true, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if (queued(me) == 0 && busiest(me) == NULL && !finished())
		rest(me, calls);
	atomic_store_explicit(&me->idle, false, memory_order_relaxed);
	/* a vCPU that wakes late at the end was idle only until the end */
	me->times.idle +=
		finished() ? stretch_until(me, &stretch, world.end) : stretch_end(me, &stretch);
}

/* Blocks a task that is off its stack now. Returns true if it was woken meanwhile: queue it. */
static bool settle(struct vcpu *me, struct task *task)
{
	bool runnable;

	lock(me, CLASS_PI, klock_of(CLASS_PI, task->id, 0));
	runnable = task->wake_pending;
	task->wake_pending = false;
	if (!runnable)
		task->state = TASK_BLOCKED;
	klock_release(me);
	return runnable;
}

static void gone(struct task *task)
{
	task->state = TASK_GONE;
	if (atomic_fetch_sub_explicit(&world.alive, 1, memory_order_acq_rel) != 1)
		return;
	kbuild_end();
	/* release: pairs with the load in finished */
	atomic_store_explicit(&world.finished, true, memory_order_release);
	for (uint32_t i = 0; i < world.vcpus; i++)
		call_if_idle(&world.vcpu[i]);
}

/* Runs the task until it makes a request. Returns the task if it is to be queued again. */
static struct task *run_task(struct vcpu *me, struct task *task)
{
	task->state = TASK_RUNNING;
	atomic_store_explicit(&task->vcpu, me->worker.cpu, memory_order_relaxed);
	me->current = task;
	me->since = port_cycles();
	me->events.switches++;
	atomic_store_explicit(&me->need_resched, false, memory_order_relaxed);
	atomic_store_explicit(&me->busy, true, memory_order_relaxed);
	port_switch(&me->sp, task->sp);
	atomic_store_explicit(&me->busy, false, memory_order_relaxed);
	me->current = NULL;
	switch (me->request) {
	case REQUEST_REQUEUE:
		me->events.preemptions++;
		return task;
	case REQUEST_BLOCK:
		me->events.sleeps++;
		return settle(me, task) ? task : NULL;
	case REQUEST_EXIT:
		gone(task);
		break;
	case REQUEST_NONE:
		break;
	}
	return NULL;
}

/* Returns the vCPU where the task ran last, or an idle one if that is busy (Linux:
 * select_idle_sibling). Never a parked one. */
static struct vcpu *place_for(const struct task *task)
{
	uint32_t vcpus = governor_vcpus();
	uint32_t last = atomic_load_explicit(&task->vcpu, memory_order_relaxed) % vcpus;

	for (uint32_t i = 0; i < vcpus; i++) {
		struct vcpu *vcpu = &world.vcpu[(last + i) % vcpus];

		if (atomic_load_explicit(&vcpu->idle, memory_order_relaxed) && queued(vcpu) == 0)
			return vcpu;
	}
	return &world.vcpu[last];
}

/* Queues a task of a parked vCPU on another one, where a wake-up would put it. */
static void move_away(struct vcpu *me, struct task *task)
{
	struct vcpu *to = place_for(task);

	lock(me, CLASS_RQ, rq_lock(to));
	hold(me);
	append(to, task);
	klock_release(me);
	me->events.migrations++;
	call_if_idle(to);
}

void sched_run(struct vcpu *me)
{
	struct task *back = NULL;

	while (back != NULL || !finished()) {
		struct task *task = next_own(me, back);

		if (task != NULL && governor_parks(me)) {
			move_away(me, task);
			back = NULL;
			continue;
		}
		if (task == NULL)
			task = steal(me);
		back = NULL;
		if (task != NULL)
			back = run_task(me, task);
		else
			idle(me);
	}
}

void sched_tick(struct vcpu *me)
{
	bool others_wait = queued(me) != 0 && port_cycles() - me->since >= world.slice;

	if (others_wait || governor_parks(me))
		atomic_store_explicit(&me->need_resched, true, memory_order_relaxed);
}

/* Switches to the vCPU's own stack. Returns when the task is chosen again, maybe on another vCPU.
 */
static void leave(enum request request)
{
	struct vcpu *me = this_vcpu();

	me->request = request;
	port_switch(&me->current->sp, me->sp);
}

void sched_point(void)
{
	if (atomic_load_explicit(&this_vcpu()->need_resched, memory_order_relaxed))
		leave(REQUEST_REQUEUE);
}

void sched_block(void)
{
	leave(REQUEST_BLOCK);
}

void sched_exit(void)
{
	leave(REQUEST_EXIT);
	__builtin_unreachable();
}

void sched_wake(struct vcpu *me, struct task *task)
{
	struct vcpu *to = NULL;

	lock(me, CLASS_PI, klock_of(CLASS_PI, task->id, 0));
	me->events.wakeups++;
	if (task->state == TASK_BLOCKED) {
		to = place_for(task);
		if (to->worker.cpu != atomic_load_explicit(&task->vcpu, memory_order_relaxed))
			me->events.migrations++;
		lock(me, CLASS_RQ, rq_lock(to));
		hold(me);
		append(to, task);
		klock_release(me);
	} else {
		task->wake_pending = true;
	}
	klock_release(me);
	if (to)
		call_if_idle(to);
}

void sched_init_tasks(void (*fn)(void *task))
{
	for (uint32_t i = 0; i < world.tasks; i++) {
		struct task *task = &world.task[i];
		void *stack = task->stack;

		*task = (struct task){.id = i, .stack = stack};
		task->sp = port_task_begin(stack, fn, task);
		append(&world.vcpu[i % world.vcpus], task);
	}
}
