/* SPDX-License-Identifier: MIT */
/* See report_sample.h. */
#include "tests/host/report_sample.h"

#include "tests/host/test.h"
#include <stdlib.h>

#define BUCKETS 40

static double uniform(uint64_t *state)
{
	return (double)(next_random(state) >> 11) / (double)(UINT64_C(1) << 53);
}

/* Makes values that differ from `mean` by up to a fifth. */
static struct sample some(double mean, size_t count, uint64_t *state)
{
	struct sample sample = {.value = calloc(count, sizeof(double)), .count = count};

	for (size_t i = 0; i < count; i++)
		sample.value[i] = mean * (0.8 + 0.4 * uniform(state));
	return sample;
}

static struct sample same(double value, size_t count)
{
	struct sample sample = {.value = calloc(count, sizeof(double)), .count = count};

	for (size_t i = 0; i < count; i++)
		sample.value[i] = value;
	return sample;
}

static struct distribution some_waits(uint64_t *state)
{
	struct distribution waits = {.bucket = calloc(BUCKETS, sizeof(struct bucket)),
				     .buckets = BUCKETS,
				     .unit = "cycles"};
	uint64_t low = 32 + next_random(state) % 64;

	for (size_t i = 0; i < BUCKETS; i++) {
		struct bucket *bucket = &waits.bucket[i];

		bucket->low = low;
		low += low / 2;
		bucket->high = low - 1;
		bucket->count = (i < 12 ? 100000 >> i : 24) + next_random(state) % 40;
		waits.count += bucket->count;
		waits.max = bucket->high;
	}
	return waits;
}

static void fill_shares(struct cell *cell, const struct sample_plan *plan, uint64_t *state)
{
	double stolen = 0.6 * uniform(state), halted = (1 - stolen) * 0.4 * uniform(state);
	double idle = 0.02, spinning = (1 - stolen - halted - idle) * uniform(state);

	cell->sample[SAMPLE_STOLEN] = same(stolen, plan->reps);
	cell->sample[SAMPLE_HALTED] = same(halted, plan->reps);
	cell->sample[SAMPLE_IDLE] = same(idle, plan->reps);
	cell->sample[SAMPLE_SPINNING] = same(spinning, plan->reps);
	cell->sample[SAMPLE_RUNNING] = same(1 - stolen - halted - idle - spinning, plan->reps);
}

static void fill_cell(struct cell *cell, const struct sample_plan *plan, size_t lock, size_t point,
		      uint64_t *state)
{
	double merit = 2e6 / (1 + (double)lock * (double)lock * 0.3 * (double)plan->threads[point]);

	cell->key = (struct cell_key){.lock = plan->locks[lock],
				      .workload = plan->fixed_work ? "kbuild" : "contended",
				      .dispatch = "inline",
				      .pv_backend = "kvm",
				      .threads = plan->threads[point],
				      .tasks = plan->threads[point],
				      .hold = 100,
				      .think = 200};
	cell->fixed_work = plan->fixed_work;
	cell->sample[SAMPLE_MERIT] =
		some(plan->fixed_work ? 4e6 / merit : merit, plan->reps, state);
	cell->sample[SAMPLE_JAIN] = some(0.8, plan->reps, state);
	cell->sample[SAMPLE_LONGEST_STREAK] = some(5000, plan->reps, state);
	cell->sample[SAMPLE_LONGEST_WAIT_NS] = some(3e8, plan->reps, state);
	cell->sample[SAMPLE_HALTS] = some((double)(lock * 40), plan->reps, state);
	cell->sample[SAMPLE_KICKS] = some((double)(lock * 30), plan->reps, state);
	cell->sample[SAMPLE_SPURIOUS_WAKEUPS] = same(0, plan->reps);
	cell->sample[SAMPLE_YIELDS] = same(0, plan->reps);
	cell->sample[SAMPLE_LOCK_STEALS] = some(1000, plan->reps, state);
	cell->sample[SAMPLE_LHP_EVENTS] = some((double)(10 * lock % 37), plan->reps, state);
	cell->sample[SAMPLE_LHP_NS] = some(4e6, plan->reps, state);
	cell->sample[SAMPLE_LHP_WAIT_NS] = some(6e6, plan->reps, state);
	cell->sample[SAMPLE_LWP_EVENTS] = some((double)(7 * lock % 23), plan->reps, state);
	cell->sample[SAMPLE_LWP_NS] = some(4e6, plan->reps, state);
	fill_shares(cell, plan, state);
	if (plan->latency) {
		cell->wait = some_waits(state);
		for (int part = SAMPLE_LOCK_WORK; part <= SAMPLE_LOCK_UNWANTED; part++)
			cell->sample[part] = same(1.0 / 7, plan->reps);
	}
	cell->vcpus = plan->threads[point];
	cell->vcpu_ops = calloc(cell->vcpus, sizeof(double));
	for (size_t i = 0; i < cell->vcpus; i++)
		cell->vcpu_ops[i] = merit * uniform(state);
	cell->tsc_khz = 2000000;
}

void report_sample(const struct sample_plan *plan, struct set *set)
{
	uint64_t state = plan->seed;

	*set = (struct set){.name = (char *)"out/sample", .accel = "nested"};
	set->cell_count = plan->lock_count * plan->thread_counts;
	set->cells = calloc(set->cell_count, sizeof(*set->cells));
	for (size_t point = 0; point < plan->thread_counts; point++) {
		for (size_t lock = 0; lock < plan->lock_count; lock++)
			fill_cell(&set->cells[point * plan->lock_count + lock], plan, lock, point,
				  &state);
	}
}

void report_sample_free(struct set *set)
{
	for (size_t i = 0; i < set->cell_count; i++) {
		struct cell *cell = &set->cells[i];
		for (size_t j = 0; j < SAMPLES; j++)
			free(cell->sample[j].value);
		free(cell->wait.bucket);
		free(cell->hold.bucket);
		free(cell->vcpu_ops);
	}
	free(set->cells);
	*set = (struct set){0};
}
