/* SPDX-License-Identifier: MIT */
/* Who has a cache line, and how long its way to a CPU is. For memory.c and poll.c. */
#ifndef PVSPIN_SIM_LINE_H
#define PVSPIN_SIM_LINE_H

#include "sim/engine.h"
#include "sim/memory.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_SHIFT 6
#define NO_OWNER   UINT16_MAX

struct line {
	uint64_t busy;      /* the time until which it is on its way */
	uint16_t owner;     /* the only CPU that has it; NO_OWNER: several or none */
	bool used;          /* it has been in a cache */
	uint64_t sharers[]; /* the CPUs of the host that have a copy, a bit each */
};

static inline uint32_t line_words(void)
{
	return (uint32_t)(engine.host.cpus + 63) / 64;
}

static inline size_t line_bytes(void)
{
	return sizeof(struct line) + line_words() * sizeof(uint64_t);
}

static inline bool line_shared(const struct line *line, const struct cpu *cpu)
{
	return line->sharers[cpu->id / 64] >> cpu->id % 64 & 1;
}

static inline bool line_owned(const struct line *line, const struct cpu *cpu)
{
	return line->owner == cpu->id;
}

/* Returns NULL for an address that only its own CPU knows, such as a local variable's. */
static inline struct line *line_find(struct memory *memory, const volatile void *at)
{
	size_t offset = (size_t)((const volatile char *)at - memory->base);

	if (offset >= MEMORY_BYTES) {
		offset = (size_t)((const volatile char *)at - memory->data);
		if (offset >= memory->data_bytes)
			return NULL;
		offset += MEMORY_BYTES;
	}
	return (struct line *)(memory->lines + (offset >> LINE_SHIFT << memory->line_shift));
}

/* As line_find(), but sets the owner of a line that no cache has had: its 0 would mean CPU 0. */
static inline struct line *line_at(struct memory *memory, const volatile void *at)
{
	struct line *line = line_find(memory, at);

	if (line && !line->used)
		line->owner = NO_OWNER;
	return line;
}

/* Returns the cycles until the CPU has the line, which it asks for at `time`: to read it, or
 * `alone` to write it. */
uint64_t line_transfer(const struct line *line, const struct cpu *cpu, bool alone, uint64_t time);

/* Gives the CPU a copy beside the others'. */
void line_share(struct line *line, const struct cpu *cpu);

/* Call it before line_take(). Wakes vCPUs that sleep in a poll of the line and are not at `time`
 * yet, so that they make their looks before it. Returns false if there were any: they go first. */
bool line_settled(const struct line *line, const struct cpu *cpu, uint64_t time);

/* Gives the CPU the only copy at `time`. A vCPU that polls the line sees the change. */
void line_take(struct line *line, const struct cpu *cpu, uint64_t time);

#endif
