/* SPDX-License-Identifier: MIT */
/*
 * The records of a measurement: see emit.h. Each counter of enum lock_event up to EV_KICK_CYCLES
 * has a field of its own, which is always there. The others, Linux's lock events, go into the
 * object "events" if they are not zero.
 */
#include "bench/session/emit.h"

#include "bench/plan_keys.h"
#include "bench/session/kbuild_records.h"
#include "bench/trace.h"
#include "lib/record.h"
#include "locks/core/pv.h"
#include "locks/core/tunables.h"

/* Puts the fields that identify a run; in every record that belongs to a run. */
static void identify(struct record *record, const struct run_result *result)
{
	record_number(record, "run", result->number);
	record_string(record, "lock", result->lock->ops->name);
	record_string(record, "workload", workload_names[result->plan->workload]);
	record_number(record, "threads", result->threads);
	record_number(record, "rep", result->rep);
}

static void put_counters(struct record *record, const uint64_t count[EV_COUNT],
			 uint64_t wait_max_cycles)
{
	for (int event = 0; event <= EV_KICK_CYCLES; event++)
		record_number(record, lock_event_names[event], count[event]);
	record_number(record, "wait_max_cycles", wait_max_cycles);
}

/* There is one vcpu record per vCPU and run, and each byte on serial is a VM exit. So fields of the
 * run record are not repeated, and optional counters are written only when non-zero. */
static bool always_in_vcpu(int event)
{
	return event == EV_HALTS || event == EV_KICKS || event == EV_SPURIOUS_WAKEUPS ||
	       event == EV_YIELDS || event == EV_WAIT_CYCLES;
}

static void put_vcpu_counters(struct record *record, const struct lock_stats *delta)
{
	for (int event = 0; event <= EV_KICK_CYCLES; event++) {
		if (delta->count[event] != 0 || always_in_vcpu(event))
			record_number(record, lock_event_names[event], delta->count[event]);
	}
	record_number(record, "wait_max_cycles", delta->wait_max_cycles);
}

/* Counters that have a field of their own here and another name in Linux. */
static const struct {
	const char *linux_name;
	enum lock_event event;
} linux_names[] = {
	{"pv_lock_stealing", EV_LOCK_STEALS},
	{"pv_spurious_wakeup", EV_SPURIOUS_WAKEUPS},
	{"pv_latency_kick", EV_KICK_CYCLES},
};

static bool any_events(const uint64_t count[EV_COUNT])
{
	for (size_t i = 0; i < sizeof(linux_names) / sizeof(linux_names[0]); i++) {
		if (count[linux_names[i].event] != 0)
			return true;
	}
	for (int event = EV_KICK_CYCLES + 1; event < EV_COUNT; event++) {
		if (count[event] != 0)
			return true;
	}
	return false;
}

static void put_events(struct record *record, const uint64_t count[EV_COUNT])
{
	record_open_object(record, "events");
	for (size_t i = 0; i < sizeof(linux_names) / sizeof(linux_names[0]); i++) {
		if (count[linux_names[i].event] != 0)
			record_number(record, linux_names[i].linux_name,
				      count[linux_names[i].event]);
	}
	for (int event = EV_KICK_CYCLES + 1; event < EV_COUNT; event++) {
		if (count[event] != 0)
			record_number(record, lock_event_names[event], count[event]);
	}
	record_close_object(record);
}

/* Whether the lock or the workload reads it. */
static bool is_setting(const struct tunable *tunable, const struct plan *plan, const char *lock)
{
	return tunable_is_of(tunable, lock) ||
	       tunable_is_of(tunable, workload_names[plan->workload]);
}

/* A number that is 0 by default is left out if it is 0: see plan_keys.def. */
static void put_key(struct record *record, const struct plan *plan, const struct plan_key *key)
{
	uint64_t value = plan_value(plan, key);

	if (key->kind == KEY_CHOICE)
		record_string(record, key->name, key->names[value]);
	else if (value != 0 || key->initial != 0)
		record_number(record, key->name, value);
}

static void put_settings(struct record *record, const struct plan *plan, const char *lock)
{
	record_number(record, plan->ops ? "ops_wanted" : "ms", plan->ops ? plan->ops : plan->ms);
	for (size_t i = 0; i < plan_key_count(); i++) {
		if (plan_key_at(i)->recorded)
			put_key(record, plan, plan_key_at(i));
	}
	record_string(record, "pv_backend", pv_backend->name);
	record_open_object(record, "tunables");
	for (size_t i = 0; i < tunable_count(); i++) {
		if (is_setting(tunable_at(i), plan, lock))
			record_number(record, tunable_at(i)->name, *tunable_at(i)->value);
	}
	record_close_object(record);
	if (lock_tunables.spin_us && tunable_is_of(tunable_find("spin_us", 7), lock))
		record_number(record, "spin_us_polls", spin_us_polls);
}

static const char *exclusion_name(enum exclusion exclusion)
{
	switch (exclusion) {
	case EXCLUSION_OK:
		return "ok";
	case EXCLUSION_BROKEN:
		return "broken";
	case EXCLUSION_NOT_CHECKED:
		break;
	}
	return "not-checked";
}

/* A vCPU's parts that are 0 are left out: see put_vcpu_counters(). */
static void put_gaps(struct record *record, const struct gaps *gaps, bool all)
{
	const struct {
		const char *name;
		uint64_t cycles;
	} parts[] = {
		{"held_cycles", gaps->held},           {"held_stolen_cycles", gaps->held_stolen},
		{"gap_nobody_cycles", gaps->nobody},   {"gap_passed_cycles", gaps->passed},
		{"gap_stolen_cycles", gaps->stolen},   {"gap_halted_cycles", gaps->halted},
		{"gap_running_cycles", gaps->running},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (all || parts[i].cycles != 0)
			record_number(record, parts[i].name, parts[i].cycles);
	}
}

static void emit_sums(const struct run_result *result)
{
	struct record record;

	record_begin(&record, "run");
	identify(&record, result);
	record_number(&record, "tasks", plan_tasks(result->plan, result->threads));
	put_settings(&record, result->plan, result->lock->ops->name);
	record_number(&record, "elapsed_cycles", result->elapsed_cycles);
	record_number(&record, "elapsed_ns", result->elapsed_ns);
	record_bool(&record, "complete", result->complete);
	record_string(&record, "exclusion", exclusion_name(result->exclusion));
	record_number(&record, "ops", result->ops);
	record_number(&record, "ops_min", result->ops_min);
	record_number(&record, "ops_max", result->ops_max);
	if (result_has_streak(result))
		record_number(&record, "streak_max", result->longest_streak);
	put_counters(&record, result->count, result->wait_max_cycles);
	record_number(&record, "lhp_max_cycles", result->lhp_max_cycles);
	if (result_has_gaps(result))
		put_gaps(&record, &result->gaps, true);
	record_number(&record, "halts_total", result->halts_total);
	record_number(&record, "kicks_total", result->kicks_total);
	record_number(&record, "yields_total", result->yields_total);
	record_number(&record, "steal_ns", result->steal_ns);
	record_number(&record, "scheduled_in", result->scheduled_in);
	if (result->throttled_ns)
		record_number(&record, "throttled_ns", result->throttled_ns);
	if (result->kbuild)
		kbuild_put(&record, result);
	put_events(&record, result->count);
	record_string(&record, "clock", result->clock);
	record_number(&record, "start_wall_ns", result->start.wall_ns);
	record_number(&record, "end_wall_ns", result->end.wall_ns);
	record_number(&record, "start_tsc", result->start.tsc);
	record_number(&record, "end_tsc", result->end.tsc);
	record_end(&record);
}

/* The histogram of all waits hides a starved vCPU: another vCPU may have 20,000 waits in it. */
static void put_fairness(struct record *record, const struct worker *worker)
{
	record_number(record, "wait_p50_cycles", histogram_quantile(worker->wait, 500));
	record_number(record, "wait_p99_cycles", histogram_quantile(worker->wait, 990));
	record_open_array(record, "window_ops");
	for (uint32_t i = 0; i < WINDOWS; i++)
		record_number(record, NULL, worker->window_ops[i]);
	record_close_array(record);
}

static void emit_worker(const struct run_result *result, const struct worker *worker)
{
	struct record record;

	record_begin(&record, "vcpu");
	record_number(&record, "run", result->number);
	record_number(&record, "cpu", worker->cpu);
	record_number(&record, "ops", worker->measured_ops);
	if (result_has_streak(result) && worker->longest_streak != 0)
		record_number(&record, "streak_max", worker->longest_streak);
	put_vcpu_counters(&record, &worker->delta);
	if (result_has_gaps(result))
		put_gaps(&record, &worker->gaps, false);
	if (result_has_gaps(result) && result->plan->ops == 0) /* ops= has no common windows */
		put_fairness(&record, worker);
	record_number(&record, "steal_ns", worker->steal_ns);
	record_number(&record, "scheduled_in", worker->scheduled_in);
	if (any_events(worker->delta.count))
		put_events(&record, worker->delta.count);
	record_end(&record);
}

static void emit_histogram(const struct run_result *result, const char *what, const char *unit,
			   const struct histogram *histogram)
{
	struct record record;

	record_begin(&record, "hist");
	identify(&record, result);
	record_string(&record, "cpu", "all");
	record_string(&record, "what", what);
	record_string(&record, "unit", unit);
	record_number(&record, "count", histogram->count);
	record_number(&record, "sum", histogram->sum);
	record_number(&record, "min", histogram->count ? histogram->min : 0);
	record_number(&record, "max", histogram->max);
	record_open_array(&record, "buckets"); /* of [lowest value, highest value, count] */
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		if (histogram->bucket[i] == 0)
			continue;
		record_open_array(&record, NULL);
		record_number(&record, NULL, histogram_low(i));
		record_number(&record, NULL, histogram_high(i));
		record_number(&record, NULL, histogram->bucket[i]);
		record_close_array(&record);
	}
	record_close_array(&record);
	record_end(&record);
}

/* Writes the histograms that the lock itself keeps, even empty ones, so that a reader sees that
 * they exist. */
static void emit_lock_histograms(const struct run_result *result)
{
	static struct histogram merged;
	struct lock_histogram out = {.merged = &merged};

	for (size_t i = 0;; i++) {
		histogram_reset(&merged);
		if (!result->lock->ops->histogram(i, &out))
			return;
		emit_histogram(result, out.what, out.unit, &merged);
	}
}

void emit_run(const struct run_result *result)
{
	emit_sums(result);
	for (uint32_t i = 0; i < result->threads; i++)
		emit_worker(result, &result->workers[i]);
	if (result->kbuild)
		kbuild_emit_classes(result);
	if (result->wait)
		emit_histogram(result, "wait", "cycles", result->wait);
	if (result->wait_net && result->steal_ns != 0)
		emit_histogram(result, "wait_net", "cycles", result->wait_net);
	if (result->hold_time)
		emit_histogram(result, "hold", "cycles", result->hold_time);
	if (result->lock->ops->histogram)
		emit_lock_histograms(result);
	trace_emit(result->number, result->lock->ops->name, result->threads,
		   result->kbuild ? kbuild_class_of : NULL);
}

void emit_pingpong(const struct pingpong *pingpong, const char *when, uint32_t threads)
{
	struct record record;

	record_begin(&record, "pingpong");
	record_string(&record, "when", when);
	record_number(&record, "threads", threads);
	record_number(&record, "cpu_a", 0);
	record_number(&record, "cpu_b", pingpong->partner);
	record_bool(&record, "gave_up", pingpong->gave_up);
	record_number(&record, "batches", pingpong->batches);
	record_number(&record, "one_way_cycles", pingpong->median_cycles);
	record_number(&record, "one_way_min_cycles", pingpong->min_cycles);
	record_number(&record, "one_way_max_cycles", pingpong->max_cycles);
	record_end(&record);
}

void emit_speed(const struct speed *speed, const char *when, uint32_t threads)
{
	struct record record;

	record_begin(&record, "speed");
	record_string(&record, "when", when);
	record_number(&record, "threads", threads);
	record_number(&record, "pause_cycles", speed->pause_cycles);
	record_number(&record, "work_iterations", SPEED_ITERATIONS);
	record_number(&record, "work_cycles", speed->work_cycles);
	record_number(&record, "work_min_cycles", speed->work_min_cycles);
	record_number(&record, "work_max_cycles", speed->work_max_cycles);
	record_end(&record);
}

void emit_ready(uint32_t run, uint32_t runs, const struct run_result *next, bool last)
{
	struct record record;

	record_begin(&record, "ready");
	record_number(&record, "run", run);
	record_number(&record, "runs", runs);
	if (next) {
		record_string(&record, "lock", next->lock->ops->name);
		record_number(&record, "threads", next->threads);
		record_number(&record, "rep", next->rep);
	}
	if (last)
		record_bool(&record, "last", true);
	record_end(&record);
}

void emit_overlap(const struct run_result *own, uint64_t peer, uint64_t peer_start_ns,
		  uint64_t peer_end_ns)
{
	struct record record;

	record_begin(&record, "overlap");
	identify(&record, own);
	record_number(&record, "peer", peer);
	record_string(&record, "clock", own->clock);
	record_number(&record, "start_ns", own->start.wall_ns);
	record_number(&record, "end_ns", own->end.wall_ns);
	record_number(&record, "peer_start_ns", peer_start_ns);
	record_number(&record, "peer_end_ns", peer_end_ns);
	record_end(&record);
}
