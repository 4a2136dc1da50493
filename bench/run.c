/* SPDX-License-Identifier: MIT */
/* One run: see run.h. Everything here happens before or after the measured phase, except
 * phase_over(), which ends it from interrupt context. */
#include "bench/run.h"

#include "bench/gather.h"
#include "bench/latency.h"
#include "bench/mark.h"
#include "bench/patched.h"
#include "bench/patience.h"
#include "bench/trace.h"
#include "lib/lines.h"
#include "lib/printf.h"
#include "lib/steal.h"
#include "lib/string.h"
#include "port/hang.h"
#include "port/port.h"

/* Longer than the timer's bounds, which act first. */
#define WATCH_MARGIN_NS 1000000000ull

/* State shared by the workers during a run, except lock and section. */
static struct {
	_Alignas(APART) _Atomic uint32_t phase;
	struct phase_times times;
} shared;

/* CPU 0's own state. */
static struct {
	const struct plan *plan;
	struct worker *workers;
	char *locks, *nodes, *sections;
	size_t lock_stride, node_stride;
	struct run_result *result;
	uint32_t first_phase;
	bool all_arrived;
	bool running;
	void (*measure)(struct worker *worker);
} run;

void run_prepare(const struct plan *plan)
{
	uint32_t threads = plan_most_threads(plan), locks;

	run.plan = plan;
	run.lock_stride = run.node_stride = APART;
	for (size_t i = 0; i < plan->lock_count; i++) {
		const struct lock_ops *ops = plan->locks[i]->ops;

		if (round_apart(ops->state_size) > run.lock_stride)
			run.lock_stride = round_apart(ops->state_size);
		if (round_apart(ops->node_size) > run.node_stride)
			run.node_stride = round_apart(ops->node_size);
	}
	locks = plan->workload == WORKLOAD_UNCONTENDED ? threads : 1;
	run.locks = port_alloc(locks * run.lock_stride, APART);
	run.sections = port_alloc(locks * APART, APART);
	run.nodes = port_alloc_each(threads, run.node_stride, &run.node_stride);
	run.workers = port_alloc(threads * sizeof(struct worker), APART);
	trace_prepare(plan->trace, threads, plan->trace_until_lhp);
	latency_prepare(plan->latency, threads);
}

static void mark_start(void)
{
	for (uint32_t i = 0; i < run.result->threads; i++)
		mark_vcpu_start(&run.workers[i], i);
	run.result->start = mark_now();
	shared.times.begin = run.result->start.tsc;
}

static void mark_end(void)
{
	for (uint32_t i = 0; i < run.result->threads; i++)
		mark_vcpu_end(&run.workers[i], i);
	run.result->end = mark_now();
	shared.times.end = run.result->end.tsc;
}

static uint64_t measure_ns(void)
{
	return run.plan->ops ? OPS_BOUND_NS : run.plan->ms * 1000000;
}

static uint64_t stop_bound_ns(void)
{
	return patience_stop_ns(run.plan, run.result->threads);
}

static const char *worker_state(uint32_t cpu)
{
	const struct worker *worker = &run.workers[cpu];

	if (atomic_load_explicit(&worker->section->holder, memory_order_relaxed) == cpu + 1)
		return "owns";
	return worker->seen_phase == PHASE_STOP ? "done" : "waits";
}

static void report_run(const char *why, uint64_t bound_ns) __attribute__((noreturn));
static void report_run(const char *why, uint64_t bound_ns)
{
	const struct worker *worker = &run.workers[0];
	char what[96];
	struct hang hang = {
		.what = what,
		.ops = run.result->lock->ops,
		.lock = worker->lock,
		.owner = atomic_load_explicit(&worker->section->holder, memory_order_relaxed),
		.threads = run.result->threads,
		.bound_ns = bound_ns,
		.state = worker_state,
	};

	ksnprintf(what, sizeof(what), "run %u: %s", run.result->number, why);
	port_report_hang(&hang);
	port_abort();
}

/* The timer's callback if the stop was long ago. */
static void run_hangs(void *unused)
{
	(void)unused;
	report_run("still waiting for the lock long after the stop", stop_bound_ns());
}

static uint64_t run_bound_ns(void)
{
	return patience_ns(run.plan, ARRIVAL_BOUND_NS) + run.plan->warmup_ms * UINT64_C(1000000) +
	       measure_ns() + stop_bound_ns() + WATCH_MARGIN_NS;
}

/* Called by the watchdog: the timer's interrupt, which should have come earlier, is not taken. */
static void timer_hangs(void)
{
	report_run("CPU 0 has interrupts masked, or waits for a CPU that never comes",
		   run_bound_ns());
}

/* The timer's callback. Workers read `phase` relaxed, and the times behind a fence. */
static void phase_over(void *unused)
{
	(void)unused;
	if (atomic_load_explicit(&shared.phase, memory_order_relaxed) == PHASE_WARMUP) {
		mark_start();
		/* pairs with the fences in worker.c, which read the times */
		atomic_store_explicit(&shared.phase, PHASE_MEASURE, memory_order_release);
		port_timer_start(measure_ns(), phase_over, NULL);
		return;
	}
	mark_end();
	/* and with the acquire in collect, which reads the mark: a hosted timer is a thread */
	atomic_store_explicit(&shared.phase, PHASE_STOP, memory_order_release);
	port_timer_start(stop_bound_ns(), run_hangs, NULL);
}

/* On CPU 0, when all have arrived or the bound has passed. */
static void start_clock(bool all)
{
	run.all_arrived = all;
	mark_start();
	if (!all)
		atomic_store_explicit(&shared.phase, PHASE_STOP, memory_order_relaxed);
	else if (run.first_phase == PHASE_WARMUP)
		port_timer_start(run.plan->warmup_ms * UINT64_C(1000000), phase_over, NULL);
	else
		port_timer_start(measure_ns(), phase_over, NULL);
}

static void worker_main(void *unused)
{
	struct worker *worker = &run.workers[port_cpu()];

	(void)unused;
	gather(worker->cpu, run.result->threads, start_clock);
	worker_begin(worker, run.first_phase);
	run.measure(worker);
}

static void set_up_worker(uint32_t i, size_t own)
{
	const struct lock_ops *ops = run.result->lock->ops;
	struct worker *worker = &run.workers[i];

	worker->lock_ops = ops;
	worker->lock = run.locks + own * run.lock_stride;
	worker->node = ops->node_size ? run.nodes + i * run.node_stride : NULL;
	worker->section = (struct section *)(run.sections + own * APART);
	worker->sharers = run.plan->workload == WORKLOAD_UNCONTENDED ? 1 : run.result->threads;
	worker->phase = &shared.phase;
	worker->times = run.plan->latency ? &shared.times : NULL;
	worker->window_cycles = run.plan->ops ? UINT64_MAX / 2 /* one, without an end */
					      : port_ns_to_cycles(run.plan->ms * 1000000) / WINDOWS;
	worker->stats = port_stats(i);
	atomic_store_explicit(&worker->stats->holder, &worker->section->holder,
			      memory_order_relaxed);
	worker->cpu = i;
	worker->hold = run.plan->hold;
	worker->think = run.plan->think;
	worker->ops_wanted = run.plan->ops ? run.plan->ops : UINT64_MAX;
	worker->steal_ns = 0;
	latency_set_up(worker, i);
}

/* Returns the measured loop for dispatch=, ready to run. */
static void (*loop_for(const struct lock_entry *lock))(struct worker *worker)
{
	bool latency = run.plan->latency, trace = run.plan->trace != 0;

	switch (run.plan->dispatch) {
	case DISPATCH_INDIRECT:
		return trace     ? measure_indirect_traced
		       : latency ? measure_indirect_latency
				 : measure_indirect_plain;
	case DISPATCH_PATCHED:
		patched_select(lock->ops);
		return trace     ? measure_patched_traced
		       : latency ? measure_patched_latency
				 : measure_patched_plain;
	default:
		return trace     ? lock->measure_traced
		       : latency ? lock->measure_latency
				 : lock->measure_plain;
	}
}

static void set_up(void)
{
	const struct lock_entry *lock = run.result->lock;
	uint32_t threads = run.result->threads;
	bool uncontended = run.plan->workload == WORKLOAD_UNCONTENDED;
	size_t locks = uncontended ? threads : 1;
	struct lock_env env = {
		.cpus = threads,
		.nodes = run.nodes,
		.node_stride = run.node_stride,
	};

	memset(run.locks, 0, locks * run.lock_stride);
	memset(run.sections, 0, locks * APART);
	memset(run.nodes, 0, threads * run.node_stride);
	for (size_t i = 0; i < locks; i++)
		lock->ops->init(run.locks + i * run.lock_stride, &env);
	for (uint32_t i = 0; i < threads; i++)
		set_up_worker(i, uncontended ? i : 0);
	run.measure = loop_for(lock);
	run.first_phase = run.plan->warmup_ms ? PHASE_WARMUP : PHASE_MEASURE;
	shared.times = (struct phase_times){
		.end = UINT64_MAX,
		.by_first = run.plan->ops && run.first_phase == PHASE_WARMUP,
	};
	atomic_store_explicit(&shared.phase, run.first_phase, memory_order_relaxed);
	gather_reset();
}

/* ops=: from the first worker's start to the last worker's end. */
static void collect_ops_mode(struct run_result *result)
{
	uint64_t first = UINT64_MAX, last = 0;

	result->complete = true;
	for (uint32_t i = 0; i < result->threads; i++) {
		const struct worker *worker = &run.workers[i];

		if (worker->start_cycles < first)
			first = worker->start_cycles;
		if (worker->end_cycles > last)
			last = worker->end_cycles;
		if (worker->measured_ops < run.plan->ops)
			result->complete = false;
	}
	if (first < result->start.tsc) /* that CPU's TSC lags a little */
		first = result->start.tsc;
	if (result->start.wall_ns != 0) {
		result->end.wall_ns =
			result->start.wall_ns + port_cycles_to_ns(last - result->start.tsc);
		result->start.wall_ns += port_cycles_to_ns(first - result->start.tsc);
	}
	result->start.tsc = first;
	result->end.tsc = last;
}

static void collect(struct run_result *result)
{
	result->workers = run.workers;
	result->complete = true;
	/* pairs with the release in phase_over */
	if (atomic_load_explicit(&shared.phase, memory_order_acquire) != PHASE_STOP)
		mark_end();
	if (run.plan->ops)
		collect_ops_mode(result);
	result->elapsed_cycles = result->end.tsc - result->start.tsc;
	result->elapsed_ns = port_cycles_to_ns(result->elapsed_cycles);
	result_sum(result);
	result->exclusion = result_check(result->lock->ops, run.workers, result->threads);
	latency_collect(result);
}

bool run_once(struct run_result *result)
{
	struct pv_totals before;

	run.result = result;
	set_up();
	before = result_pv_totals(result->threads);
	run.running = true;
	trace_start(result->threads);
	port_watch("run", run_bound_ns(), timer_hangs);
	port_run_on(result->threads, worker_main, NULL);
	port_watch_over();
	trace_stop(result->threads);
	run.running = false;
	port_timer_cancel();
	for (uint32_t i = 0; i < result->threads; i++)
		atomic_store_explicit(&port_stats(i)->holder, NULL, memory_order_relaxed);
	if (!run.all_arrived)
		return false;
	collect(result);
	result_set_totals(result, &before);
	return true;
}

bool run_current(const char **lock, uint32_t *holder)
{
	if (!run.running)
		return false;
	*lock = run.result->lock->ops->name;
	*holder = atomic_load_explicit(&run.workers[0].section->holder, memory_order_relaxed);
	return true;
}
