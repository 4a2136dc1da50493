/* SPDX-License-Identifier: MIT */
/* See kbuild.h: memory, a run from set-up to result. */
#include "bench/kbuild/kbuild.h"

#include "bench/gather.h"
#include "bench/kbuild/governor.h"
#include "bench/kbuild/job.h"
#include "bench/kbuild/klock.h"
#include "bench/kbuild/observe.h"
#include "bench/kbuild/sched.h"
#include "bench/kbuild/shootdown.h"
#include "bench/kbuild/watch.h"
#include "bench/kbuild/world.h"
#include "bench/latency.h"
#include "bench/mark.h"
#include "bench/result.h"
#include "bench/trace.h"
#include "lib/lines.h"
#include "lib/string.h"
#include "lib/units.h"
#include "port/port.h"
#include "port/task.h"

struct world world;

static struct run_result *current;
static struct kbuild_result totals;
static struct worker *workers; /* copies in one array, for the result */

static size_t greatest_stride(const struct plan *plan, bool nodes)
{
	size_t greatest = APART;

	for (size_t i = 0; i < plan->lock_count; i++) {
		const struct lock_ops *ops = plan->locks[i]->ops;
		size_t bytes = round_apart(nodes ? ops->node_size : ops->state_size);

		if (bytes > greatest)
			greatest = bytes;
	}
	return greatest;
}

void kbuild_prepare(const struct plan *plan)
{
	size_t locks = 0, vcpus = 0, tasks = 0;

	for (size_t i = 0; i < plan->thread_counts; i++) {
		uint32_t threads = plan->threads[i];
		uint32_t of_these = (uint32_t)plan_tasks(plan, threads);
		size_t count = 0;

		for (int c = 0; c < CLASS_COUNT; c++)
			count += klock_count((enum kbuild_class)c, of_these, threads);
		locks = count > locks ? count : locks;
		vcpus = threads > vcpus ? threads : vcpus;
		tasks = of_these > tasks ? of_these : tasks;
	}
	world.plan = plan;
	world.klock = port_alloc(locks * sizeof(world.klock[0]), APART);
	world.states = port_alloc(locks * greatest_stride(plan, false), APART);
	world.nodes = port_alloc(KBUILD_DEPTH * vcpus * greatest_stride(plan, true), APART);
	world.vcpu = port_alloc(vcpus * sizeof(world.vcpu[0]), _Alignof(struct vcpu));
	world.task = port_alloc(tasks * sizeof(world.task[0]), _Alignof(struct task));
	workers = port_alloc(vcpus * sizeof(workers[0]), APART);
	for (size_t i = 0; i < tasks; i++)
		world.task[i].stack = port_stack_alloc();
	class_table_fill(&world.table);
	latency_prepare(plan->latency, (uint32_t)vcpus);
	trace_prepare(plan->trace, (uint32_t)vcpus, plan->trace_until_lhp);
}

static void on_tick(void)
{
	struct vcpu *me = this_vcpu();

	if (!atomic_load_explicit(&world.running, memory_order_relaxed))
		return;
	sched_tick(me);
	if (me->worker.cpu == 0) {
		watch_tick();
		governor_tick();
	}
}

static void on_call(void)
{
	shootdown_answer(this_vcpu());
}

static void begin(bool all)
{
	(void)all;
	for (uint32_t i = 0; i < world.vcpus; i++)
		mark_vcpu_start(&world.vcpu[i].worker, i);
	current->start = mark_now();
	watch_begin();
}

void kbuild_end(void)
{
	current->end = mark_now();
	world.end = current->end.tsc;
	for (uint32_t i = 0; i < world.vcpus; i++)
		mark_vcpu_end(&world.vcpu[i].worker, i);
}

static void vcpu_main(void *arrived)
{
	struct vcpu *me = this_vcpu();

	if (!gather(me->worker.cpu, world.vcpus, begin)) {
		*(bool *)arrived = false;
		return;
	}
	worker_begin(&me->worker, PHASE_MEASURE);
	port_tick_start(NS_PER_S / world.plan->tick_hz, on_tick, on_call);
	/* release: pairs with the load in shootdown.c */
	atomic_store_explicit(&me->takes, true, memory_order_release);
	sched_run(me);
	port_tick_stop();
	worker_next_phase(&me->worker, PHASE_STOP);
}

static void set_up_vcpu(uint32_t i)
{
	struct vcpu *vcpu = &world.vcpu[i];

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->worker.lock_ops = world.ops;
	vcpu->worker.stats = port_stats(i);
	vcpu->worker.cpu = i;
	vcpu->worker.ops_wanted = UINT64_MAX;
	latency_set_up(&vcpu->worker, i);
	/* differs from all numbers of jobs, which count up from 0 */
	vcpu->random = random_begin(world.plan->seed, UINT64_MAX - i);
}

static void set_up(const struct run_result *result)
{
	world.ops = result->lock->ops;
	if (world.plan->latency || world.plan->trace != 0)
		world.ops = observe(world.ops);
	world.vcpus = result->threads;
	world.tasks = (uint32_t)plan_tasks(world.plan, result->threads);
	world.state_stride = round_apart(world.ops->state_size);
	world.node_stride = round_apart(world.ops->node_size);
	/* half a tick, so that a task that has just begun is not preempted */
	world.slice = port_ns_to_cycles(NS_PER_S / world.plan->tick_hz / 2);
	klock_init_all();
	for (uint32_t i = 0; i < world.vcpus; i++)
		set_up_vcpu(i);
	governor_reset();
	sched_init_tasks(job_task_main);
	atomic_store_explicit(&world.next_job, 0, memory_order_relaxed);
	atomic_store_explicit(&world.alive, world.tasks, memory_order_relaxed);
	atomic_store_explicit(&world.finished, false, memory_order_relaxed);
	atomic_store_explicit(&world.stop, false, memory_order_relaxed);
	gather_reset();
}

static void add_classes(struct class_count sum[CLASS_COUNT], const struct vcpu *vcpu)
{
	for (int c = 0; c < CLASS_COUNT; c++) {
		const struct class_count *count = &vcpu->count[c];

		sum[c].acquisitions += count->acquisitions;
		sum[c].contended += count->contended;
		sum[c].other_cpu += count->other_cpu;
		sum[c].wait_cycles += count->wait_cycles;
		sum[c].hold_cycles += count->hold_cycles;
		sum[c].lhp_events += count->lhp_events;
		if (count->wait_max_cycles > sum[c].wait_max_cycles)
			sum[c].wait_max_cycles = count->wait_max_cycles;
	}
}

static void add_vcpu(struct kbuild_result *sum, const struct vcpu *vcpu)
{
	const struct kbuild_times *times = &vcpu->times;

	sum->times.spinning += port_cycles_to_ns(times->spinning);
	sum->times.halted += port_cycles_to_ns(times->halted);
	sum->times.idle += port_cycles_to_ns(times->idle);
	sum->times.stolen += vcpu->worker.steal_ns;
	sum->times.kernel += port_cycles_to_ns(times->kernel + times->locked);
	sum->times.locked += port_cycles_to_ns(times->locked);
	sum->events.switches += vcpu->events.switches;
	sum->events.preemptions += vcpu->events.preemptions;
	sum->events.migrations += vcpu->events.migrations;
	sum->events.wakeups += vcpu->events.wakeups;
	sum->events.sleeps += vcpu->events.sleeps;
	sum->events.shootdowns += vcpu->events.shootdowns;
	sum->events.shootdown_cycles += vcpu->events.shootdown_cycles;
	if (vcpu->events.shootdown_max_cycles > sum->events.shootdown_max_cycles)
		sum->events.shootdown_max_cycles = vcpu->events.shootdown_max_cycles;
	add_classes(sum->count, vcpu);
}

/* Returns `running`, the rest of all vCPUs' time. The other parts are measured by different clocks
 * over slightly different spans and may exceed the whole a little; then the rest is 0. */
static uint64_t rest(const struct kbuild_times *times, uint64_t all)
{
	uint64_t others = times->spinning + times->halted + times->idle + times->stolen;

	return all > others ? all - others : 0;
}

static void collect(struct run_result *result)
{
	totals = (struct kbuild_result){.tasks = world.tasks};
	result->jobs_done = 0;
	for (uint32_t i = 0; i < world.tasks; i++)
		result->jobs_done += world.task[i].jobs_done;
	for (uint32_t i = 0; i < world.vcpus; i++) {
		workers[i] = world.vcpu[i].worker;
		add_vcpu(&totals, &world.vcpu[i]);
	}
	result->workers = workers;
	totals.governor = governor_counts();
	result->kbuild = &totals;
	result->elapsed_cycles = result->end.tsc - result->start.tsc;
	result->elapsed_ns = port_cycles_to_ns(result->elapsed_cycles);
	totals.times.running = rest(&totals.times, result->elapsed_ns * result->threads);
	result_sum(result);
	result->complete = result->jobs_done == world.plan->jobs;
	result->exclusion = klock_excluded(totals.count) ? EXCLUSION_OK : EXCLUSION_BROKEN;
	latency_collect(result);
}

bool kbuild_once(struct run_result *result)
{
	bool arrived = true;
	struct pv_totals before;

	current = result;
	set_up(result);
	before = result_pv_totals(result->threads);
	atomic_store_explicit(&world.running, true, memory_order_relaxed);
	trace_start(result->threads);
	watch_start(result->number);
	port_run_on(world.vcpus, vcpu_main, &arrived);
	watch_over();
	trace_stop(result->threads);
	atomic_store_explicit(&world.running, false, memory_order_relaxed);
	for (uint32_t i = 0; i < world.vcpus; i++)
		atomic_store_explicit(&port_stats(i)->holder, NULL, memory_order_relaxed);
	if (!arrived)
		return false;
	collect(result);
	result_set_totals(result, &before);
	return true;
}

bool kbuild_current(const char **lock, uint32_t *holder)
{
	const struct klock *asked;

	if (!atomic_load_explicit(&world.running, memory_order_relaxed))
		return false;
	asked = atomic_load_explicit(&this_vcpu()->asks, memory_order_relaxed);
	*lock = world.ops->name;
	*holder = asked ? atomic_load_explicit(&asked->section.holder, memory_order_relaxed) : 0;
	return true;
}
