/* SPDX-License-Identifier: MIT */
/*
 * See memory.h. An access that misses asks for a turn at the line, now or when the line is not
 * `busy` any more. The CPU waits for its turn and only then looks at the line and its value. By
 * then the CPUs that asked before have had the line, and holders of copies have had their hits.
 *
 * A store goes into the buffer and costs its CPU next to nothing. The oldest store of the buffer
 * asks for a turn at its line; it is in memory when the line has come. A store that finds the
 * buffer empty and its line owned by the CPU is in memory at once.
 */
#define _GNU_SOURCE
#include "sim/memory.h"

#include "sim/line.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Far from all that Linux maps into a 64-bit process, randomised or not. */
#define ARENA_BASE  UINT64_C(0x200000000000)
#define ARENA_APART UINT64_C(0x1000000000)

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
	size_t lines = (MEMORY_BYTES + MEMORY_DATA) >> LINE_SHIFT;

	if (data_bytes > MEMORY_DATA)
		engine_die(4, "the guest half has %zu MiB of variables", data_bytes >> 20);
	memory->base = reserve((void *)(ARENA_BASE + vm * ARENA_APART), MEMORY_BYTES);
	memory->used = 0;
	/* a power of two, so that one is in one line of the processor's cache */
	for (memory->line_shift = 0; (size_t)1 << memory->line_shift < line_bytes();)
		memory->line_shift++;
	memory->lines = reserve(NULL, lines << memory->line_shift);
	memory->data = data;
	memory->data_bytes = data_bytes;
}

void *memory_alloc(struct memory *memory, size_t bytes, size_t align)
{
	size_t at = (memory->used + align - 1) / align * align;

	if (bytes > MEMORY_BYTES - at)
		engine_die(4, "the VM is out of memory: %zu bytes more than %zu GiB", bytes,
			   (size_t)(MEMORY_BYTES >> 30));
	memory->used = at + bytes;
	return memory->base + at;
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

#define PER_CENT 100

/* Waits for the vCPU's turn at the line. Returns the cycles that the transfer takes from then. */
static uint64_t wait_turn(struct vcpu *vcpu, struct line *line, bool alone)
{
	uint64_t start = vcpu->cpu->clock, cycles = line_transfer(line, vcpu->cpu, alone, start);
	uint64_t held = cycles;

	if (start < line->busy)
		start = line->busy;
	/* Copies of an unchanged line come from the shared cache: the next read can begin before
	 * this one has ended. */
	if (!alone && line->owner == NO_OWNER)
		held = cycles * engine.host.shared_read / PER_CENT;
	line->busy = start + held;
	if (start > vcpu->cpu->clock) {
		vcpu->cpu->clock = start;
		engine_sync(vcpu);
	}
	return cycles;
}

/* ---- stores ---- */

/* Puts the store into memory, the vCPU's CPU taking the line. */
static void in_memory(struct vcpu *vcpu, const struct store *store, uint64_t time)
{
	struct line *line = line_at(&vcpu->vm->memory, store->at);

	if (line)
		line_take(line, vcpu->cpu, time);
	memory_put(store->at, store->size, store->value);
}

static bool first_is_done(void *subject, uint64_t number, uint64_t time);

/* Asks for the oldest store's turn at its line, from `time` on. */
static void begin_first(struct vcpu *vcpu, uint64_t time)
{
	struct store_buffer *stores = &vcpu->stores;
	struct line *line = line_at(&vcpu->vm->memory, store_at(stores, 0)->at);
	uint64_t cycles = engine.host.store_cycles;

	if (line && !line_owned(line, vcpu->cpu)) {
		cycles = line_transfer(line, vcpu->cpu, true, time);
		if (time < line->busy)
			time = line->busy;
		line->busy = time + cycles;
	}
	vcpu->store_done = time + cycles;
	engine_post(vcpu->store_done, first_is_done, vcpu, ++vcpu->store_number);
}

static bool first_is_done(void *subject, uint64_t number, uint64_t time)
{
	struct vcpu *vcpu = subject;
	struct store_buffer *stores = &vcpu->stores;
	struct line *line;

	if (number != vcpu->store_number || stores->count == 0)
		return true; /* flushed meanwhile */
	line = line_at(&vcpu->vm->memory, store_at(stores, 0)->at);
	if (line && !line_settled(line, vcpu->cpu, time))
		return false;
	in_memory(vcpu, store_take(stores), time);
	if (stores->count)
		begin_first(vcpu, time);
	return true;
}

void memory_drain(struct vcpu *vcpu)
{
	while (vcpu->stores.count) {
		if (vcpu->cpu->clock < vcpu->store_done)
			vcpu->cpu->clock = vcpu->store_done;
		engine_sync(vcpu); /* first_is_done() comes first */
	}
}

bool memory_may_flush(struct vcpu *vcpu, uint64_t time)
{
	bool all = true;

	for (uint32_t i = 0; i < vcpu->stores.count; i++) {
		const struct line *line =
			line_at(&vcpu->vm->memory, store_at(&vcpu->stores, i)->at);

		if (line && !line_settled(line, vcpu->cpu, time))
			all = false;
	}
	return all;
}

void memory_flush(struct vcpu *vcpu, uint64_t time)
{
	while (vcpu->stores.count)
		in_memory(vcpu, store_take(&vcpu->stores), time);
	vcpu->store_number++;
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
	if (stores->count == 0 && (!line || line_owned(line, vcpu->cpu))) {
		memory_put(at, size, value);
	} else {
		while (stores->count == STORES_MOST) {
			vcpu->cpu->clock = vcpu->store_done;
			engine_sync(vcpu);
		}
		*store_at(stores, stores->count) =
			(struct store){.at = at, .value = value, .size = size};
		if (stores->count++ == 0)
			begin_first(vcpu, vcpu->cpu->clock);
	}
	vcpu->cpu->clock += engine.host.store_cycles;
}

/* ---- loads and locked operations ---- */

static bool forwarded(struct vcpu *vcpu, const volatile void *at, uint32_t size, uint64_t *value)
{
	enum store_hit hit = store_find(&vcpu->stores, at, size, value);

	if (hit == STORE_OVERLAPS)
		memory_drain(vcpu);
	return hit == STORE_COVERS;
}

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
	} else if (!line || line_shared(line, vcpu->cpu)) {
		if (line)
			poll_look(&vcpu->poll, line, vcpu->cpu->clock);
		value = memory_get(at, size);
	} else {
		uint64_t cycles = wait_turn(vcpu, line, false);

		poll_spoil(&vcpu->poll);
		line_share(line, vcpu->cpu);
		value = memory_get(at, size);
		vcpu->cpu->clock += cycles;
	}
	vcpu->cpu->clock += engine.host.load_cycles;
	return value;
}

/* Begins a locked operation: waits until the vCPU's stores are in memory and it owns the line. */
static void lock_line(struct vcpu *vcpu, volatile void *at)
{
	struct line *line;
	uint64_t cycles = 0;

	engine_sync(vcpu);
	engine.accesses++;
	poll_spoil(&vcpu->poll);
	memory_drain(vcpu);
	line = line_at(&vcpu->vm->memory, at);
	if (line && !line_owned(line, vcpu->cpu)) {
		cycles = wait_turn(vcpu, line, true);
		while (!line_settled(line, vcpu->cpu, vcpu->cpu->clock))
			engine_sync(vcpu);
		line_take(line, vcpu->cpu, vcpu->cpu->clock);
	}
	vcpu->cpu->clock += cycles + engine.host.rmw_cycles;
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
	put_locked(vcpu, at, size, old, tso_apply(old, operation, operand));
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

bool memory_host_may_write(struct vm *vm, const struct cpu *cpu, const volatile void *at,
			   uint64_t time)
{
	return line_settled(line_at(&vm->memory, at), cpu, time);
}

void memory_host_write(struct vm *vm, struct cpu *cpu, volatile void *at, uint32_t size,
		       uint64_t value, uint64_t time)
{
	struct line *line = line_at(&vm->memory, at);

	line_take(line, cpu, time);
	memory_put(at, size, value);
}
