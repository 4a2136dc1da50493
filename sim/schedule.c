/* SPDX-License-Identifier: MIT */
/* See schedule.h. */
#include "sim/schedule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slice {
	const struct thread *thread; /* NULL: idle */
	uint64_t start, end;
	uint32_t cpu;
};

static FILE *file;
static struct slice *slices, *current; /* a ring; one for each CPU */
static uint64_t count, written;

void schedule_open(const char *path)
{
	file = fopen(path, "we");
	if (!file)
		engine_die(4, "%s: %s", path, strerror(errno));
	slices = calloc(SCHEDULE_SLICES, sizeof(*slices));
	current = calloc(engine.host.cpus, sizeof(*current));
	if (!slices || !current)
		engine_die(4, "no memory for --schedule");
}

static void end_slice(struct slice *slice, uint64_t time)
{
	slice->end = time;
	if (slice->thread && slice->end > slice->start)
		slices[count++ % SCHEDULE_SLICES] = *slice;
}

void schedule_note(const struct cpu *cpu, const struct thread *thread)
{
	struct slice *slice = &current[cpu->id];

	if (!file)
		return;
	end_slice(slice, cpu->clock);
	*slice = (struct slice){.thread = thread, .start = cpu->clock, .cpu = cpu->id};
}

static void write_slice(const struct slice *slice)
{
	const struct vcpu *vcpu = slice->thread->vcpu;

	fprintf(file, "%llu\t%llu\t%u\t", (unsigned long long)(EPOCH_NS + to_ns(slice->start)),
		(unsigned long long)(EPOCH_NS + to_ns(slice->end)), slice->cpu);
	if (vcpu)
		fprintf(file, "%u\t%u\n", vcpu->vm->index, vcpu->index);
	else
		fputs("-\t-\n", file);
}

void schedule_flush(void)
{
	if (!file)
		return;
	/* not the CPUs' clocks: one that sleeps in polls is at its sleep's end */
	for (uint32_t i = 0; i < engine.host.cpus; i++) {
		if (current[i].start >= engine.now)
			continue;
		end_slice(&current[i], engine.now);
		current[i].start = engine.now;
	}
	if (count > written + SCHEDULE_SLICES)
		written = count - SCHEDULE_SLICES;
	for (; written < count; written++)
		write_slice(&slices[written % SCHEDULE_SLICES]);
	if (fflush(file) != 0)
		engine_die(4, "cannot write the schedule: %s", strerror(errno));
}
