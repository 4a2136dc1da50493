/* SPDX-License-Identifier: MIT */
/* From run records to the samples of study_cell.why: see study_why.h. */
#include "tools/report/study/study_why.h"

#include "tools/report/base/memory.h"

#include <math.h>
#include <stdlib.h>

#define NS_PER_S 1e9

static bool is_share(int sample)
{
	return sample >= SAMPLE_RUNNING && sample <= SAMPLE_STOLEN;
}

/* Told by the steal-time page. */
static bool of_the_host(int sample)
{
	return is_share(sample) || (sample >= SAMPLE_LHP_EVENTS && sample <= SAMPLE_LWP_NS);
}

void why_add(struct why_sums *sums, const struct log *log, size_t index, struct notes *notes)
{
	struct repetition run;
	double seconds = (double)record_u64(&log->records[index], "elapsed_ns") / NS_PER_S;
	size_t next;

	if (repetition_read(log, index, &next, &run, notes)) {
		for (int i = 0; i < SAMPLES; i++) {
			double value = run.value[i] * (is_share(i) ? seconds : 1);

			if (of_the_host(i) && !record_bool(log->boot, "steal_time"))
				value = NAN;
			if (sample_list[i].rule != TOGETHER_MOST || isnan(value))
				sums->value[i] += value;
			else
				sums->value[i] = fmax(sums->value[i], value);
		}
		sums->seconds += seconds;
		sums->runs++;
	}
	repetition_free(&run);
}

/* Samples of a struct cell are filled through the list that describes them. */
static struct sample *sample_of(struct study_cell *cell, int sample)
{
	return (struct sample *)((char *)&cell->why + sample_list[sample].offset);
}

void why_store(struct study_cell *cell, const struct why_sums *sums)
{
	double runs = (double)sums->runs;

	cell->why.key.lock = cell->label;
	cell->why.fixed_work = true;
	cell->why.reps++;
	for (int i = 0; i < SAMPLES; i++) {
		struct sample *sample = sample_of(cell, i);
		double value = sums->value[i];

		if (i == SAMPLE_MERIT)
			value = sums->seconds / runs;
		else if (is_share(i))
			value /= sums->seconds;
		else if (sample_list[i].rule != TOGETHER_MOST)
			value /= runs;
		sample->value = memory_grow(sample->value, sample->count, sizeof(sample->value[0]));
		sample->value[sample->count++] = sums->runs ? value : NAN;
	}
}

void why_free(struct study_cell *cell)
{
	for (int i = 0; i < SAMPLES; i++)
		free(sample_of(cell, i)->value);
}

struct sample why_seconds(const struct study_cell *cell, enum sample_index part)
{
	const struct sample *share = cell_sample(&cell->why, part);
	struct sample seconds = {memory_new(share->count + 1, sizeof(double)), 0};

	for (size_t i = 0; i < share->count; i++) {
		double value = share->value[i] * cell->why.merit.value[i];

		if (!isnan(value))
			seconds.value[seconds.count++] = value;
	}
	return seconds;
}
