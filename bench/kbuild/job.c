/* SPDX-License-Identifier: MIT */
/* See job.h. All draws of a section are made before it, so that their number depends on the job
 * alone, not on where tasks run. */
#include "bench/kbuild/job.h"

#include "bench/kbuild/klock.h"
#include "bench/kbuild/sched.h"
#include "bench/kbuild/shootdown.h"
#include "bench/work.h"
#include "locks/core/tunables.h"

#define USER_CHUNK 512 /* iterations between two looks at need_resched: about 150 ns */

/* The jobs of a long one, which one task does in a row: about a second of a CPU, as long as a
 * compiler's process takes. */
#define LONG_JOB 300

/* Of a hundred jobs, how many are parts of long ones. */
TUNABLE(long_jobs, "kbuild", 0, 0, 100);

/* A section, and the one nested in it. */
struct section_plan {
	uint32_t levels;
	struct {
		enum kbuild_class class;
		struct klock *lock;
		uint32_t hold; /* including the nested section */
	} level[KBUILD_DEPTH];
};

static bool stopped(void)
{
	return atomic_load_explicit(&world.stop, memory_order_relaxed);
}

/* User time, which may be preempted anywhere. */
static void user_phase(uint32_t length)
{
	for (; length > USER_CHUNK; length -= USER_CHUNK) {
		work(USER_CHUNK);
		sched_point();
	}
	work(length);
}

static void kernel_work(struct vcpu *me, uint32_t length)
{
	struct stretch stretch = stretch_begin(me);

	work(length);
	me->times.kernel += stretch_end(me, &stretch);
}

static void gap(struct task *self)
{
	uint32_t length = distribution_draw(&kbuild_gap, &self->random);

	if (length > KBUILD_USER_GAP)
		user_phase(length);
	else
		kernel_work(this_vcpu(), length);
	sched_point();
}

/* The rq lock belongs to the vCPU of the task whose pi lock is held. */
static struct klock *rq_of(const struct klock *pi)
{
	const struct task *task = &world.task[pi - klock_of(CLASS_PI, 0, 0)];

	return klock_of(CLASS_RQ, atomic_load_explicit(&task->vcpu, memory_order_relaxed), 0);
}

static void draw_section(struct task *self, uint32_t cpu, enum kbuild_class class,
			 struct section_plan *plan)
{
	struct random *random = &self->random;
	const struct klock *outer = NULL;

	plan->levels = 0;
	do {
		uint32_t i = plan->levels++;

		plan->level[i].class = class;
		plan->level[i].lock = klock_draw(class, self, cpu, random);
		plan->level[i].hold = distribution_draw(&kbuild_classes[class].hold, random);
		if (class == CLASS_RQ && outer != NULL)
			plan->level[i].lock = rq_of(outer);
		outer = plan->level[i].lock;
		class = nested_draw(class, random);
	} while (class != CLASS_COUNT && plan->levels < KBUILD_DEPTH);
	for (uint32_t i = plan->levels - 1; i-- > 0;) {
		if (plan->level[i].hold < plan->level[i + 1].hold)
			plan->level[i].hold = plan->level[i + 1].hold;
	}
}

/* Goes through the section; the inner one comes in the middle of the outer one's time. */
static void go_through(struct vcpu *me, const struct section_plan *plan)
{
	uint32_t half[KBUILD_DEPTH];

	for (uint32_t i = 0; i < plan->levels; i++) {
		uint32_t inside = i + 1 < plan->levels ? plan->level[i + 1].hold : 0;

		half[i] = (plan->level[i].hold - inside) / 2;
		klock_acquire(me, plan->level[i].class, plan->level[i].lock);
		work(half[i]);
	}
	for (uint32_t i = plan->levels; i-- > 0;) {
		work(half[i]);
		klock_release(me);
	}
}

static struct task *partner_of(const struct task *self)
{
	uint32_t id = self->id ^ 1;

	return id < world.tasks ? &world.task[id] : NULL;
}

/* The two ends of a pipe. A task that comes wakes its partner if that sleeps; otherwise it may go
 * to sleep itself. So only one of the two ever sleeps, and the other comes back here or leaves:
 * none sleeps for good. */
static void wait_queue(struct task *self, const struct section_plan *plan, bool may_sleep)
{
	struct vcpu *me = this_vcpu();
	struct task *partner = partner_of(self);
	bool sleeps = false;

	klock_acquire(me, CLASS_WAITQ, plan->level[0].lock);
	work(plan->level[0].hold);
	if (partner != NULL && partner->sleeping) {
		partner->sleeping = false;
		sched_wake(me, partner);
	} else if (partner != NULL && !partner->left) {
		sleeps = may_sleep && !stopped();
		self->sleeping = sleeps;
	}
	klock_release(me);
	if (sleeps)
		sched_block();
}

static void leave_pair(struct task *self)
{
	struct vcpu *me = this_vcpu();
	struct task *partner = partner_of(self);

	klock_acquire(me, CLASS_WAITQ, klock_of(CLASS_WAITQ, self->id / 2, 0));
	self->left = true;
	if (partner != NULL && partner->sleeping) {
		partner->sleeping = false;
		sched_wake(me, partner);
	}
	klock_release(me);
}

/* If the scheduler has meanwhile taken pi and rq locks of its own, as many fewer are taken here, so
 * that the sum has the profile's share. */
static bool made_up_for(struct vcpu *me)
{
	if (me->scheduler_locks < 2)
		return false;
	me->scheduler_locks -= 2;
	return true;
}

static uint32_t one_section(struct task *self, enum kbuild_class class)
{
	bool may_sleep = random_below(&self->random, KBUILD_WHOLE) < KBUILD_SLEEP;
	struct vcpu *me = this_vcpu();
	struct section_plan plan;

	draw_section(self, me->worker.cpu, class, &plan);
	if (class == CLASS_WAITQ)
		wait_queue(self, &plan, may_sleep);
	else if (class != CLASS_PI || !made_up_for(me))
		go_through(me, &plan);
	if (class == CLASS_PAGE_TABLE)
		shootdown_maybe(me, &self->random);
	sched_point();
	return plan.levels;
}

/* A section, or several of the same class in a row. */
static uint32_t burst(struct task *self)
{
	enum kbuild_class class = class_draw(&world.table, &self->random);
	uint32_t tenths = kbuild_classes[class].burst, done = 0;
	uint32_t times = tenths / 10 + (random_below(&self->random, 10) < tenths % 10);

	for (uint32_t i = 0; i < times; i++) {
		if (i > 0)
			kernel_work(this_vcpu(), KBUILD_BURST_GAP);
		done += one_section(self, class);
	}
	return done;
}

static bool do_job(struct task *self, uint64_t job)
{
	self->random = random_begin(world.plan->seed, job);
	for (uint32_t done = 0; done < KBUILD_JOB_SECTIONS;) {
		if (stopped())
			return false;
		gap(self);
		done += burst(self);
	}
	return true;
}

/* How many jobs the task takes at once. If the share q of what tasks take are long ones of L jobs,
 * the share of jobs in long ones is qL / (qL + 1 - q). */
static uint64_t jobs_at_once(struct random *random)
{
	uint32_t others = (100 - long_jobs) * LONG_JOB;

	return random_below(random, long_jobs + others) < long_jobs ? LONG_JOB : 1;
}

static bool do_jobs(struct task *self, uint64_t first, uint64_t count)
{
	for (uint64_t job = first; job < first + count; job++) {
		if (job >= world.plan->jobs || !do_job(self, job))
			return false;
		self->jobs_done++;
	}
	return true;
}

void job_task_main(void *task)
{
	struct task *self = task;
	/* differs from the jobs' and the vCPUs' */
	struct random random = random_begin(world.plan->seed, UINT64_C(1) << 63 | self->id);
	uint64_t count, first;

	do {
		count = jobs_at_once(&random);
		first = atomic_fetch_add_explicit(&world.next_job, count, memory_order_relaxed);
	} while (do_jobs(self, first, count));
	leave_pair(self);
	sched_exit();
}
