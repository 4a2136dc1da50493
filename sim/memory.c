/* SPDX-License-Identifier: MIT */
/*
 * See memory.h. An access that misses asks for a turn at the line: from `busy` on, or now. The CPU
 * waits until its turn has come, and only then looks at the line and its value: who asked before
 * has it behind him, and holders of copies had their hits until then.
 *
 * A store goes into the buffer and costs its CPU next to nothing; the first one in the buffer has
 * its turn at its line, and is in memory when the line has come. Where the CPU has the line alone,
 * and no store is before it, that is at once.
 */
#define _GNU_SOURCE
#include "sim/memory.h"

#include "sim/engine.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Far from where Linux puts anything of a 64-bit process, randomised or not. */
#define ARENA_BASE  UINT64_C(0x200000000000)
#define ARENA_APART UINT64_C(0x1000000000)
#define ARENA_BYTES UINT64_C(0x100000000) /* 4 GiB for each VM, touched as it is used */
#define DATA_MOST   (UINT64_C(64) << 20)

#define SHARED_STEPS 100

static size_t line_bytes(void)
{
	return sizeof(struct line) + (engine.host.cpus + 63) / 64 * sizeof(uint64_t);
}

static void *reserve(void *at, size_t bytes)
{
	void *memory =
		mmap(at, bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED_NOREPLACE : 0),
		     -1, 0);

	if (memory == MAP_FAILED || (at && memory != at))
		engine_die(4, "cannot reserve %zu MiB of addresses%s: %s", bytes >> 20,
			   at ? " at a fixed place" : "", strerror(errno));
	return memory;
}

void memory_init(struct memory *memory, uint32_t vm, char *data, size_t data_bytes)
{
	size_t lines = (ARENA_BYTES + DATA_MOST) >> LINE_SHIFT;

	if (data_bytes > DATA_MOST)
		engine_die(4, "the guest half has %zu MiB of variables", data_bytes >> 20);
	memory->base = reserve((void *)(ARENA_BASE + vm * ARENA_APART), ARENA_BYTES);
	memory->used = 0;
	memory->lines = reserve(NULL, lines * line_bytes());
	memory->data = data;
	memory->data_bytes = data_bytes;
}

void *memory_alloc(struct memory *memory, size_t bytes, size_t align)
{
	size_t at = (memory->used + align - 1) / align * align;

	if (bytes > ARENA_BYTES - at)
		engine_die(4, "the VM is out of memory: %zu bytes more than %zu GiB", bytes,
			   (size_t)(ARENA_BYTES >> 30));
	memory->used = at + bytes;
	return memory->base + at;
}

/* NULL: an address that only its own CPU knows, such as one on its stack. */
static struct line *line_of(struct memory *memory, const volatile void *at)
{
	size_t offset = (size_t)((const volatile char *)at - memory->base);

	if (offset >= ARENA_BYTES) {
		offset = (size_t)((const volatile char *)at - memory->data);
		if (offset >= memory->data_bytes)
			return NULL;
		offset += ARENA_BYTES;
	}
	return (struct line *)(memory->lines + (offset >> LINE_SHIFT) * line_bytes());
}

uint64_t memory_get(const volatile void *at, uint32_t size)
{
	switch (size) {
	case 1:
		return *(const volatile uint8_t *)at;
	case 2:
		return *(const volatile uint16_t *)at;
	case 4:
		return *(const volatile uint32_t *)at;
	default:
		return *(const volatile uint64_t *)at;
	}
}

void memory_put(volatile void *at, uint32_t size, uint64_t value)
{
	switch (size) {
	case 1:
		*(volatile uint8_t *)at = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)at = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)at = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)at = value;
	}
}

/* ---- who has a line ---- */

static bool shares(const struct line *line, const struct cpu *cpu)
{
	return line->sharers[cpu->id / 64] >> cpu->id % 64 & 1;
}

bool memory_has(const struct line *line, const struct cpu *cpu)
{
	return shares(line, cpu);
}

static bool owns(const struct line *line, const struct cpu *cpu)
{
	return line->owner == cpu->id;
}

static uint64_t way(const struct cpu *a, const struct cpu *b)
{
	if (a->socket != b->socket)
		return engine.host.far_cycles;
	return a->cache == b->cache ? engine.host.near_cycles : engine.host.socket_cycles;
}

static uint32_t words(void)
{
	return (uint32_t)(engine.host.cpus + 63) / 64;
}

/* The shortest way to a copy, or the longest to all others' copies; 0: there is none. */
static uint64_t way_to_sharers(const struct line *line, const struct cpu *cpu, bool longest)
{
	uint64_t found = 0;

	for (uint32_t w = 0; w < words(); w++) {
		for (uint64_t left = line->sharers[w]; left; left &= left - 1) {
			const struct cpu *other =
				&engine.cpus[w * 64 + (uint32_t)__builtin_ctzll(left)];
			uint64_t one = way(cpu, other);

			if (other == cpu)
				continue;
			if (found == 0 || (longest ? one > found : one < found))
				found = one;
		}
	}
	return found;
}

/* What it takes to have the line, to read it or alone. */
static uint64_t transfer(const struct line *line, const struct cpu *cpu, bool alone)
{
	uint64_t cycles;

	if (line->owner != NO_OWNER && line->used)
		cycles = way(cpu, &engine.cpus[line->owner]);
	else if (!line->used)
		cycles = engine.host.memory_cycles;
	else
		cycles = way_to_sharers(line, cpu, alone);
	return engine_jitter(cycles ? cycles : engine.host.load_cycles);
}

/* Takes all other copies away at `time`; whoever polls one of them sees the change. */
static void take(struct line *line, const struct cpu *cpu, uint64_t time)
{
	for (uint32_t w = 0; w < words(); w++) {
		for (uint64_t left = line->sharers[w]; left; left &= left - 1) {
			struct cpu *other = &engine.cpus[w * 64 + (uint32_t)__builtin_ctzll(left)];

			/* at the same time: events first, then CPUs by number */
			if (other != cpu && other->current && other->current->vcpu)
				poll_written(other->current->vcpu, line,
					     time + (!engine.in_event && other->id < cpu->id));
		}
		line->sharers[w] = 0;
	}
	line->used = true;
	line->owner = (uint16_t)cpu->id;
	line->sharers[cpu->id / 64] = UINT64_C(1) << cpu->id % 64;
}

/* Before the line is taken at `time`: those that sleep in a poll of it come to that time first, and
 * make their looks before it. False: they have to. */
static bool settled(const struct line *line, const struct cpu *cpu, uint64_t time)
{
	bool all = true;

	for (uint32_t w = 0; w < words(); w++) {
		for (uint64_t left = line->sharers[w]; left; left &= left - 1) {
			struct cpu *other = &engine.cpus[w * 64 + (uint32_t)__builtin_ctzll(left)];

			if (other != cpu && other->current && other->current->vcpu &&
			    poll_behind(other->current->vcpu, line, time))
				all = false;
		}
	}
	return all;
}

static void share(struct line *line, const struct cpu *cpu)
{
	line->used = true;
	line->owner = NO_OWNER;
	line->sharers[cpu->id / 64] |= UINT64_C(1) << cpu->id % 64;
}

/* A line that no cache has had is all zeroes: its owner would be CPU 0. */
static struct line *line_at(struct memory *memory, const volatile void *at)
{
	struct line *line = line_of(memory, at);

	if (line && !line->used)
		line->owner = NO_OWNER;
	return line;
}

/* Waits for its turn. Returns what it takes then. */
static uint64_t wait_turn(struct vcpu *vcpu, struct line *line, bool alone)
{
	uint64_t start = vcpu->cpu->clock, cycles = transfer(line, vcpu->cpu, alone);
	uint64_t held = cycles;

	if (start < line->busy)
		start = line->busy;
	/* copies of a line that is not changed come from the cache that all share, faster one
	 * behind the other than each on its way */
	if (!alone && line->owner == NO_OWNER)
		held = cycles * engine.host.shared_read / SHARED_STEPS;
	line->busy = start + held;
	if (start > vcpu->cpu->clock) {
		vcpu->cpu->clock = start;
		engine_sync(vcpu);
	}
	return cycles;
}

/* ---- stores ---- */

static struct store *store_at(struct store_buffer *stores, uint32_t i)
{
	return &stores->store[(stores->first + i) % STORES_MOST];
}

static void in_memory(struct vcpu *vcpu, const struct cpu *cpu, const struct store *store,
		      uint64_t time)
{
	struct line *line = line_at(&vcpu->vm->memory, store->at);

	if (line)
		take(line, cpu, time);
	memory_put(store->at, store->size, store->value);
}

static bool first_is_done(void *subject, uint64_t number, uint64_t time);

/* The first store of the buffer has its turn, from `time` on. */
static void begin_first(struct vcpu *vcpu, uint64_t time)
{
	struct store_buffer *stores = &vcpu->stores;
	struct line *line = line_at(&vcpu->vm->memory, store_at(stores, 0)->at);
	uint64_t cycles = engine.host.store_cycles;

	if (line && !owns(line, vcpu->cpu)) {
		cycles = transfer(line, vcpu->cpu, true);
		if (time < line->busy)
			time = line->busy;
		line->busy = time + cycles;
	}
	stores->done = time + cycles;
	engine_post(stores->done, first_is_done, vcpu, ++stores->number);
}

static bool first_is_done(void *subject, uint64_t number, uint64_t time)
{
	struct vcpu *vcpu = subject;
	struct store_buffer *stores = &vcpu->stores;
	struct line *line;

	if (number != stores->number || stores->count == 0)
		return true; /* flushed meanwhile */
	line = line_at(&vcpu->vm->memory, store_at(stores, 0)->at);
	if (line && !settled(line, vcpu->cpu, time))
		return false;
	in_memory(vcpu, vcpu->cpu, store_at(stores, 0), time);
	stores->first = (stores->first + 1) % STORES_MOST;
	if (--stores->count)
		begin_first(vcpu, time);
	return true;
}

void memory_drain(struct vcpu *vcpu)
{
	while (vcpu->stores.count) {
		if (vcpu->cpu->clock < vcpu->stores.done)
			vcpu->cpu->clock = vcpu->stores.done;
		engine_sync(vcpu); /* the event comes first */
	}
}

bool memory_may_flush(struct vcpu *vcpu, uint64_t time)
{
	bool all = true;

	for (uint32_t i = 0; i < vcpu->stores.count; i++) {
		const struct line *line =
			line_at(&vcpu->vm->memory, store_at(&vcpu->stores, i)->at);

		if (line && !settled(line, vcpu->cpu, time))
			all = false;
	}
	return all;
}

void memory_flush(struct vcpu *vcpu, uint64_t time)
{
	struct store_buffer *stores = &vcpu->stores;

	for (; stores->count; stores->count--) {
		in_memory(vcpu, vcpu->cpu, store_at(stores, 0), time);
		stores->first = (stores->first + 1) % STORES_MOST;
	}
	stores->number++;
}

void memory_store(struct vcpu *vcpu, volatile void *at, uint32_t size, uint64_t value)
{
	struct store_buffer *stores = &vcpu->stores;
	struct line *line;

	engine_sync(vcpu);
	engine.accesses++;
	poll_spoil(&vcpu->poll);
	if (memory_get(at, size) != value || stores->count)
		vm_changes(vcpu);
	line = line_at(&vcpu->vm->memory, at);
	if (stores->count == 0 && (!line || owns(line, vcpu->cpu))) {
		memory_put(at, size, value);
	} else {
		while (stores->count == STORES_MOST) {
			vcpu->cpu->clock = stores->done;
			engine_sync(vcpu);
		}
		*store_at(stores, stores->count) = (struct store){at, value, size};
		if (stores->count++ == 0)
			begin_first(vcpu, vcpu->cpu->clock);
	}
	vcpu->cpu->clock += engine.host.store_cycles;
}

/* What the own store buffer says of an address: its newest store there, if that covers the load.
 * One that only overlaps has to be in memory first, as in any x86 CPU. */
static bool forwarded(struct vcpu *vcpu, const volatile void *at, uint32_t size, uint64_t *value)
{
	const volatile char *from = at;

	for (uint32_t i = vcpu->stores.count; i-- > 0;) {
		const struct store *store = store_at(&vcpu->stores, i);
		const volatile char *start = store->at;

		if (from + size <= start || start + store->size <= from)
			continue;
		if (from < start || from + size > start + store->size) {
			memory_drain(vcpu);
			return false;
		}
		*value = store->value >> (from - start) * 8;
		if (size < 8)
			*value &= (UINT64_C(1) << size * 8) - 1;
		return true;
	}
	return false;
}

/* ---- loads and locked operations ---- */

uint64_t memory_load(struct vcpu *vcpu, const volatile void *at, uint32_t size)
{
	struct line *line;
	uint64_t value;

	engine_sync(vcpu);
	engine.accesses++;
	vm_quiet(vcpu);
	line = line_at(&vcpu->vm->memory, at);
	if (vcpu->stores.count && forwarded(vcpu, at, size, &value)) {
		poll_spoil(&vcpu->poll);
	} else if (!line || shares(line, vcpu->cpu)) {
		if (line)
			poll_look(&vcpu->poll, line, vcpu->cpu->clock);
		value = memory_get(at, size);
	} else {
		uint64_t cycles = wait_turn(vcpu, line, false);

		poll_spoil(&vcpu->poll);
		share(line, vcpu->cpu);
		value = memory_get(at, size);
		vcpu->cpu->clock += cycles;
	}
	vcpu->cpu->clock += engine.host.load_cycles;
	return value;
}

/* Has the line alone, all stores before in memory. */
static void lock_line(struct vcpu *vcpu, volatile void *at)
{
	struct line *line;
	uint64_t cycles = 0;

	engine_sync(vcpu);
	engine.accesses++;
	poll_spoil(&vcpu->poll);
	memory_drain(vcpu);
	line = line_at(&vcpu->vm->memory, at);
	if (line && !owns(line, vcpu->cpu)) {
		cycles = wait_turn(vcpu, line, true);
		while (!settled(line, vcpu->cpu, vcpu->cpu->clock))
			engine_sync(vcpu);
		take(line, vcpu->cpu, vcpu->cpu->clock);
	}
	vcpu->cpu->clock += cycles + engine.host.rmw_cycles;
}

uint64_t memory_apply(uint64_t old, enum sim_rmw operation, uint64_t operand)
{
	switch (operation) {
	case SIM_EXCHANGE:
		return operand;
	case SIM_ADD:
		return old + operand;
	case SIM_SUB:
		return old - operand;
	case SIM_OR:
		return old | operand;
	case SIM_AND:
		return old & operand;
	}
	return old;
}

static void put_locked(struct vcpu *vcpu, volatile void *at, uint32_t size, uint64_t old,
		       uint64_t value)
{
	memory_put(at, size, value);
	if (memory_get(at, size) != old)
		vm_changes(vcpu);
	else
		vm_quiet(vcpu);
}

uint64_t memory_rmw(struct vcpu *vcpu, volatile void *at, uint32_t size, enum sim_rmw operation,
		    uint64_t operand)
{
	uint64_t old;

	lock_line(vcpu, at);
	old = memory_get(at, size);
	put_locked(vcpu, at, size, old, memory_apply(old, operation, operand));
	return old;
}

bool memory_compare_exchange(struct vcpu *vcpu, volatile void *at, uint32_t size,
			     uint64_t *expected, uint64_t desired)
{
	uint64_t old;

	lock_line(vcpu, at);
	old = memory_get(at, size);
	if (old != *expected) {
		*expected = old;
		vm_quiet(vcpu);
		return false;
	}
	put_locked(vcpu, at, size, old, desired);
	return true;
}

void memory_fence(struct vcpu *vcpu)
{
	engine_sync(vcpu);
	poll_spoil(&vcpu->poll);
	memory_drain(vcpu);
	vcpu->cpu->clock += engine.host.fence_cycles;
}

void memory_host_write(struct vm *vm, struct cpu *cpu, volatile void *at, uint32_t size,
		       uint64_t value, uint64_t time)
{
	struct line *line = line_at(&vm->memory, at);

	take(line, cpu, time);
	memory_put(at, size, value);
}
