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
	uint64_t busy;      /* until then it is on its way */
	uint16_t owner;     /* CPU that alone has it; NO_OWNER */
	bool used;          /* it has been in a cache */
	uint64_t sharers[]; /* CPUs of the host that have a copy, a bit each */
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

/* NULL: an address that only its own CPU knows, such as one on its stack. */
static inline struct line *line_find(struct memory *memory, const volatile void *at)
{
	size_t offset = (size_t)((const volatile char *)at - memory->base);

	if (offset >= MEMORY_BYTES) {
		offset = (size_t)((const volatile char *)at - memory->data);
		if (offset >= memory->data_bytes)
			return NULL;
		offset += MEMORY_BYTES;
	}
	return (struct line *)(memory->lines + (offset >> LINE_SHIFT) * line_bytes());
}

/* A line that no cache has had is all zeroes: its owner would be CPU 0. */
static inline struct line *line_at(struct memory *memory, const volatile void *at)
{
	struct line *line = line_find(memory, at);

	if (line && !line->used)
		line->owner = NO_OWNER;
	return line;
}

/* The cycles until the CPU has the line, to read it or alone. */
uint64_t line_transfer(const struct line *line, const struct cpu *cpu, bool alone);

/* The CPU has a copy, too. */
void line_share(struct line *line, const struct cpu *cpu);

/* Before the line is taken at `time`: vCPUs that sleep in a poll of it come to that time first, and
 * make their looks before it. False: they have to. */
bool line_settled(const struct line *line, const struct cpu *cpu, uint64_t time);

/* Takes all other copies away at `time`; a vCPU that polls one of them sees the change. */
void line_take(struct line *line, const struct cpu *cpu, uint64_t time);

#endif
