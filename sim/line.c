/* SPDX-License-Identifier: MIT */
/* See line.h. */
#include "sim/line.h"

static uint64_t way(const struct cpu *a, const struct cpu *b)
{
	if (a->socket != b->socket)
		return engine.host.far_cycles;
	return a->cache == b->cache ? engine.host.near_cycles : engine.host.socket_cycles;
}

/* Returns the next CPU from *number on that has a copy (NULL: none) and sets *number behind it. */
static struct cpu *next_sharer(const struct line *line, uint32_t *number)
{
	uint32_t w = *number / 64;
	uint64_t left;

	if (w >= line_words())
		return NULL;
	left = line->sharers[w] & UINT64_MAX << *number % 64;
	while (!left) {
		if (++w >= line_words())
			return NULL;
		left = line->sharers[w];
	}
	*number = w * 64 + (uint32_t)__builtin_ctzll(left);
	return &engine.cpus[(*number)++];
}

/* The way to the nearest other CPU that has a copy, or to the farthest; 0: no other has one. */
static uint64_t way_to_sharers(const struct line *line, const struct cpu *cpu, bool longest)
{
	uint64_t found = 0;
	uint32_t number = 0;

	for (const struct cpu *other; (other = next_sharer(line, &number));) {
		uint64_t one = way(cpu, other);

		if (other == cpu)
			continue;
		if (found == 0 || (longest ? one > found : one < found))
			found = one;
	}
	return found;
}

uint64_t line_transfer(const struct line *line, const struct cpu *cpu, bool alone, uint64_t time)
{
	uint64_t cycles;

	if (line->owner != NO_OWNER && line->used)
		cycles = way(cpu, &engine.cpus[line->owner]);
	else if (!line->used)
		cycles = engine.host.memory_cycles;
	else
		cycles = way_to_sharers(line, cpu, alone);
	return engine_jitter(cpu, time, cycles ? cycles : engine.host.load_cycles);
}

void line_share(struct line *line, const struct cpu *cpu)
{
	line->used = true;
	line->owner = NO_OWNER;
	line->sharers[cpu->id / 64] |= UINT64_C(1) << cpu->id % 64;
}

/* The vCPU on `other`; NULL if there is none, or `other` is `cpu`. */
static struct vcpu *vcpu_elsewhere(const struct cpu *other, const struct cpu *cpu)
{
	return other != cpu && other->current ? other->current->vcpu : NULL;
}

bool line_settled(const struct line *line, const struct cpu *cpu, uint64_t time)
{
	bool all = true;
	uint32_t number = 0;

	for (const struct cpu *other; (other = next_sharer(line, &number));) {
		struct vcpu *vcpu = vcpu_elsewhere(other, cpu);

		if (vcpu && poll_behind(vcpu, line, time))
			all = false;
	}
	return all;
}

void line_take(struct line *line, const struct cpu *cpu, uint64_t time)
{
	uint32_t number = 0;

	if (line_owned(line, cpu))
		return;
	for (const struct cpu *other; (other = next_sharer(line, &number));) {
		struct vcpu *vcpu = vcpu_elsewhere(other, cpu);

		if (vcpu)
			poll_written(vcpu, line, engine_before(other, time));
	}
	for (uint32_t w = 0; w < line_words(); w++)
		line->sharers[w] = 0;
	line->used = true;
	line->owner = (uint16_t)cpu->id;
	line->sharers[cpu->id / 64] = UINT64_C(1) << cpu->id % 64;
}
