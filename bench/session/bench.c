/* SPDX-License-Identifier: MIT */
/*
 * The measurement from plan to table. Repetitions are interleaved: all locks once, then all locks
 * again, so that what changes slowly on the host (placement, frequency) hits all locks alike.
 */
#include "bench/session/bench.h"

#include "bench/gather.h"
#include "bench/kbuild/kbuild.h"
#include "bench/run.h"
#include "bench/session/emit.h"
#include "bench/session/pingpong.h"
#include "bench/session/start.h"
#include "bench/session/table.h"
#include "bench/speed.h"
#include "lib/log.h"
#include "locks/core/tunables.h"
#include "port/port.h"

static struct table table;
static struct run_result result; /* of the current run, or of the last one */
static uint32_t runs;            /* in the whole plan */
static bool stopped;             /* an error ended the plan: no more runs */

static void speeds(const char *when, uint32_t threads)
{
	struct pingpong pair;
	struct speed speed;

	speed_measure(&speed);
	emit_speed(&speed, when, threads);
	if (threads < 2)
		return;
	pingpong_measure(1, &pair);
	emit_pingpong(&pair, when, threads);
	if (threads > 2) {
		pingpong_measure(threads - 1, &pair);
		emit_pingpong(&pair, when, threads);
	}
	log_flush();
}

/* If the plan says so, waits for the launcher before the run `next` (NULL: after the last run). */
static bool released(const struct plan *plan, const struct run_result *next)
{
	uint32_t number = next ? next->number : runs + 1;

	port_wall_sync();
	if (plan->start == START_SERIAL && number == 1) {
		emit_ready(1, runs, NULL, false);
		return start_wait(NULL);
	}
	if (plan->start == START_SERIAL_EACH) {
		emit_ready(number, runs, next, next == NULL);
		return start_wait(number > 1 ? &result : NULL);
	}
	return true;
}

static enum verdict one_run(const struct run_result *next, size_t threads_index, size_t lock_index)
{
	uint64_t throttled_ns;

	if (!released(next->plan, next))
		return VERDICT_ERROR;
	result = *next;
	throttled_ns = port_throttled_ns();
	if (next->plan->workload == WORKLOAD_KBUILD ? !kbuild_once(&result) : !run_once(&result)) {
		log_line("error: run %u (%s): not all of CPUs 0..%u arrived within %llu s",
			 result.number, result.lock->ops->name, result.threads - 1,
			 (unsigned long long)(ARRIVAL_BOUND_NS / 1000000000));
		return VERDICT_ERROR;
	}
	result.throttled_ns = port_throttled_ns() - throttled_ns;
	start_set_clock(&result);
	emit_run(&result);
	table_add(&table, threads_index, lock_index, &result);
	log_flush();
	if (result.exclusion != EXCLUSION_BROKEN)
		return VERDICT_OK;
	log_line("error: run %u: %s did not exclude: the counters of its section lost updates",
		 result.number, result.lock->ops->name);
	return VERDICT_FAIL;
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA'14) */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Sets the order of a repetition's locks, as indices into plan->locks. order=seed varies it, so
 * that a lock does not always inherit the state of host and caches from the same other lock. */
static void order_locks(const struct plan *plan, size_t threads_index, uint32_t rep,
			uint8_t order[PLAN_MAX_LOCKS])
{
	uint64_t state = plan->seed ^ (uint64_t)rep << 32 ^ (uint64_t)threads_index << 56;

	for (size_t i = 0; i < plan->lock_count; i++) {
		order[i] = (uint8_t)i;
		if (plan->order_by_seed) { /* Fisher and Yates, inside out */
			size_t j = next_random(&state) % (i + 1);

			order[i] = order[j];
			order[j] = (uint8_t)i;
		}
	}
}

/* Makes all runs with one thread count. `*number` counts the runs. */
static enum verdict one_set(const struct plan *plan, size_t threads_index, uint32_t *number)
{
	enum verdict worst = VERDICT_OK;
	struct run_result next = {.plan = plan, .threads = plan->threads[threads_index]};

	speeds("before", next.threads);
	for (next.rep = 1; next.rep <= plan->reps; next.rep++) {
		uint8_t order[PLAN_MAX_LOCKS] = {0};

		order_locks(plan, threads_index, next.rep, order);
		for (size_t i = 0; i < plan->lock_count; i++) {
			enum verdict verdict;

			next.number = ++*number;
			next.lock = plan->locks[order[i]];
			verdict = one_run(&next, threads_index, order[i]);
			worst = verdict_worse(worst, verdict);
			stopped = verdict == VERDICT_ERROR;
			if (stopped)
				return worst;
		}
	}
	speeds("after", next.threads);
	return worst;
}

enum verdict bench_run_plan(const struct plan *plan)
{
	enum verdict worst = VERDICT_OK;
	uint32_t number = 0;

	if (lock_tunables.spin_us) {
		struct speed speed;

		speed_measure(&speed);
		spin_us_polls = speed_pauses(lock_tunables.spin_us, speed.pause_cycles);
	}
	runs = (uint32_t)(plan->thread_counts * plan->lock_count) * plan->reps;
	if (plan->workload == WORKLOAD_KBUILD)
		kbuild_prepare(plan);
	else
		run_prepare(plan);
	table_init(&table, plan);
	for (size_t i = 0; i < plan->thread_counts && !stopped; i++)
		worst = verdict_worse(worst, one_set(plan, i, &number));
	if (!stopped && !released(plan, NULL))
		worst = verdict_worse(worst, VERDICT_ERROR);
	table_say(&table);
	log_flush();
	return worst;
}

void bench_describe(struct record *record)
{
	const char *lock;
	uint32_t holder;

	if (!run_current(&lock, &holder) && !kbuild_current(&lock, &holder))
		return;
	record_string(record, "lock", lock);
	record_signed(record, "holder", (int64_t)holder - 1);
}
