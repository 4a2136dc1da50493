/* SPDX-License-Identifier: MIT */
/*
 * Memory under x86-TSO (P. Sewell et al., "x86-TSO", CACM 53(7), 2010). Each CPU has a FIFO store
 * buffer, from which its own loads are served. Locked operations, fences and exits from the guest
 * empty it (SDM vol. 3A, 12.10, "Store Buffer"). Otherwise the schedule chooses when a store leaves
 * it.
 */
#define _GNU_SOURCE
#include "sim/explore/explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Far from all that Linux maps into a 64-bit process, randomised or not. The same address in each
 * process, so that hashes of addresses are the same, too. */
#define ARENA       ((char *)0x200000000000)
#define ARENA_BYTES (UINT64_C(64) << 20)

extern char __data_start[], _end[]; /* the program's variables, by ld */

static struct {
	char *variables, *arena; /* copies */
	size_t used;
} snapshot;

/* ---- the guest's memory, and its state at the beginning of each run ---- */

void *memory_alloc(size_t bytes, size_t align)
{
	size_t at = (explore->arena_used + align - 1) / align * align;

	if (at + bytes > ARENA_BYTES) {
		fprintf(stderr, "check-locks: a run needs more than %zu bytes\n",
			(size_t)ARENA_BYTES);
		exit(4);
	}
	explore->arena_used = at + bytes;
	return ARENA + at;
}

void explore_snapshot(void)
{
	snapshot.used = explore->arena_used;
	snapshot.variables = malloc((size_t)(_end - __data_start));
	snapshot.arena = malloc(snapshot.used);
	if (!snapshot.variables || !snapshot.arena) {
		fprintf(stderr, "check-locks: no memory\n");
		exit(4);
	}
	memcpy(snapshot.arena, ARENA, snapshot.used);
	memcpy(snapshot.variables, __data_start, (size_t)(_end - __data_start));
}

/* Overwrites `snapshot`, too, but with its own value, because the copy contains it. */
void memory_reset(void)
{
	memset(ARENA + snapshot.used, 0, explore->arena_used - snapshot.used);
	explore->arena_used = snapshot.used;
	memcpy(ARENA, snapshot.arena, snapshot.used);
	memcpy(__data_start, snapshot.variables, (size_t)(_end - __data_start));
}

void memory_init(void)
{
	void *arena =
		mmap(ARENA, ARENA_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (arena != ARENA) {
		perror("check-locks: addresses for the guest's memory");
		exit(4);
	}
}

/* ---- values ---- */

uint64_t memory_get(const volatile void *at, uint32_t size)
{
	uint64_t value = 0;

	memcpy(&value, (const void *)at, size);
	return value;
}

static bool watches(const struct poll *poll, const volatile void *at)
{
	for (uint32_t i = 0; i < poll->looks; i++)
		if ((uintptr_t)poll->look[i] / 8 == (uintptr_t)at / 8)
			return true;
	return false;
}

/* A word has changed: vCPUs that looked at it in this poll have something new to see. */
static void wake_pollers(const volatile void *at)
{
	for (uint32_t i = 0; i < explore->count; i++) {
		struct vcpu *vcpu = &explore->vcpu[i];

		if (!vcpu->poll.touched && watches(&vcpu->poll, at)) {
			vcpu->poll.touched = true;
			vcpu->waits = false;
		}
	}
}

void memory_put(volatile void *at, uint32_t size, uint64_t value)
{
	uint64_t old = memory_get(at, size);

	memcpy((void *)at, &value, size);
	if (memory_get(at, size) != old)
		wake_pollers(at);
}

/* ---- store buffers ---- */

void memory_drain_one(struct vcpu *vcpu)
{
	const struct store *store = store_take(&vcpu->stores);

	explore->drained++;
	if (vcpu != explore->running)
		history_add(vcpu, "'s store reaches memory:", store->at, store->value);
	explore->quiet = 0;
	memory_put(store->at, store->size, store->value);
}

void memory_drain(struct vcpu *vcpu)
{
	while (vcpu->stores.count)
		memory_drain_one(vcpu);
}

static bool forwarded(struct vcpu *vcpu, const volatile void *at, uint32_t size, uint64_t *value)
{
	enum store_hit hit = store_find(&vcpu->stores, at, size, value);

	if (hit == STORE_OVERLAPS)
		memory_drain(vcpu);
	return hit == STORE_COVERS;
}

/* ---- what a poll consists of ---- */

/* Notes a look that changed nothing. */
static void look(struct vcpu *vcpu, const volatile void *at, uint64_t value)
{
	struct poll *poll = &vcpu->poll;

	poll->mark = (poll->mark ^ (uintptr_t)at ^ value << 20) * UINT64_C(0x9e3779b97f4a7c15);
	if (poll->looks < EXPLORE_LOOKS)
		poll->look[poll->looks++] = at;
	else
		poll->acted = true;
}

static void act(struct vcpu *vcpu)
{
	vcpu->poll.acted = true;
}

/* ---- accesses, each a step ---- */

uint64_t memory_load(const volatile void *at, uint32_t size)
{
	struct vcpu *vcpu = explore->running;
	uint64_t value;

	explore_step();
	if (!forwarded(vcpu, at, size, &value))
		value = memory_get(at, size);
	look(vcpu, at, value);
	history_add(vcpu, "loads", at, value);
	return value;
}

void memory_store(volatile void *at, uint32_t size, uint64_t value)
{
	struct vcpu *vcpu = explore->running;

	explore_step();
	act(vcpu);
	if (!vcpu->working) {
		memory_put(at, size, value);
		return;
	}
	if (vcpu->stores.count == STORES_MOST)
		memory_drain_one(vcpu);
	*store_at(&vcpu->stores, vcpu->stores.count++) =
		(struct store){.at = at, .value = value, .size = size, .step = explore->step};
	history_add(vcpu, "stores", at, value);
}

/* Ends a locked operation. If it leaves the value as it was, it counts as a look. */
static void replace(struct vcpu *vcpu, volatile void *at, uint32_t size, uint64_t old,
		    uint64_t value, const char *what)
{
	memory_put(at, size, value);
	if (memory_get(at, size) == old) {
		look(vcpu, at, old);
	} else {
		act(vcpu);
		explore->quiet = 0;
	}
	history_add(vcpu, what, at, memory_get(at, size));
}

uint64_t memory_rmw(volatile void *at, uint32_t size, enum sim_rmw operation, uint64_t operand)
{
	static const char *const names[] = {
		[SIM_EXCHANGE] = "swaps, new value", [SIM_ADD] = "adds, new value",
		[SIM_SUB] = "subtracts, new value",  [SIM_OR] = "ors, new value",
		[SIM_AND] = "ands, new value",
	};
	struct vcpu *vcpu = explore->running;
	uint64_t old;

	explore_step();
	memory_drain(vcpu);
	old = memory_get(at, size);
	replace(vcpu, at, size, old, tso_apply(old, operation, operand), names[operation]);
	return old;
}

bool memory_compare_exchange(volatile void *at, uint32_t size, uint64_t *expected, uint64_t desired)
{
	struct vcpu *vcpu = explore->running;
	uint64_t old;

	explore_step();
	memory_drain(vcpu);
	old = memory_get(at, size);
	if (old != *expected) {
		look(vcpu, at, old);
		history_add(vcpu, "fails to compare and swap, finds", at, old);
		*expected = old;
		return false;
	}
	replace(vcpu, at, size, old, desired, "compares and swaps, new value");
	return true;
}

/* ---- PAUSE ---- */

static void begin_poll(struct poll *poll, bool alike)
{
	poll->before = poll->acted ? 0 : poll->mark;
	poll->alike = alike ? poll->alike + 1 : 0;
	poll->mark = 1;
	poll->looks = 0;
	poll->acted = poll->touched = poll->timed = false;
}

uint64_t memory_pause(uint64_t most)
{
	struct vcpu *vcpu = explore->running;
	struct poll *poll = &vcpu->poll;
	bool alike = !poll->acted && !poll->touched && poll->looks && poll->mark == poll->before;
	uint64_t polls = 1;

	vcpu->waits = alike;
	explore->search.pauses++;
	vcpu->polls = most;
	vcpu->skips = most > EXPLORE_SKIPS ? EXPLORE_SKIPS : most - 1;
	if (poll->looks)
		schedule_shuffle(vcpu);
	explore_step();
	/* Nothing has changed meanwhile: the vCPU may have made any number of polls. */
	if (vcpu->waits && most < EXPLORE_FOREVER && explore->search.on)
		polls += vcpu->skips;
	else if (vcpu->waits && most < EXPLORE_FOREVER)
		polls += explore_random(2) ? vcpu->skips : explore_random(vcpu->skips + 1);
	history_add(vcpu, "polls", NULL, polls);
	vcpu->waits = false;
	begin_poll(poll, alike);
	return polls;
}
