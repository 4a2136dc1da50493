/* SPDX-License-Identifier: MIT */
/*
 * The measured loop with patched call sites: see patched.h. Its cost lies between `inline` (no
 * call) and `indirect` (load, indirect call) and is that of a kernel that chooses its lock at boot:
 * one direct call of a function with the ordinary calling convention. Linux makes its unlock
 * cheaper by a callee-saves convention and, natively, by a store in place of the call. pvspin uses
 * an ordinary call for all locks, so that they can be compared.
 *
 * To the compiler, a site is an inline assembly that clobbers whatever a System V function may
 * (AMD64 ABI 1.0, 3.2.1). This file is compiled without a red zone, because the call would push
 * into it, and without vector registers, because none survives a call; see the makefiles.
 */
#include "bench/patched.h"

#include "bench/loop.h"
#include "bench/worker.h"
#include "lib/string.h"
#include "port/port.h"

/* SDM vol. 2A, CALL: E8 rel32, or FF /2, which ModRM 15h makes FF 15 disp32, relative to rip. */
#define CALL_RELATIVE 0xe8
#define CALL_INDIRECT 0xff
#define MODRM_2_RIP   0x15
#define NOP           0x90

extern const struct call_site __start_call_sites[];
extern const struct call_site __stop_call_sites[];

void (*patched_targets[PATCHED_OPERATIONS])(void *lock, void *node);

static const struct lock_ops *selected;
static struct port_text_patch *patches;

/* As an operand, it keeps the call after the prologue, where the stack is aligned. The compiler may
 * move an assembly that does not mention rsp before the prologue (Linux: ASM_CALL_CONSTRAINT). */
register uint64_t stack_pointer __asm__("rsp");

/* Inlined with a constant `operation`. */
static inline __attribute__((always_inline)) void call(uint32_t operation, void *lock, void *node)
{
	__asm__ volatile("771:\tcall *patched_targets+8*%c[operation](%%rip)\n\t"
			 ".pushsection call_sites, \"a\"\n\t"
			 ".balign 4\n\t"
			 ".long 771b - .\n\t"
			 ".long %c[operation]\n\t"
			 ".popsection"
			 : "+D"(lock), "+S"(node), "+r"(stack_pointer)
			 : [operation] "i"(operation)
			 : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "cc", "memory");
}

static inline __attribute__((always_inline)) void acquire(void *lock, void *node)
{
	call(PATCHED_ACQUIRE, lock, node);
}

static inline __attribute__((always_inline)) void release(void *lock, void *node)
{
	call(PATCHED_RELEASE, lock, node);
}

static const struct lock_ops patched_ops = {
	.name = "patched",
	.acquire = acquire,
	.release = release,
};

__attribute__((noinline)) void measure_patched_plain(struct worker *worker)
{
	measured_loop(&patched_ops, worker, false, false);
}

__attribute__((noinline)) void measure_patched_latency(struct worker *worker)
{
	measured_loop(&patched_ops, worker, true, false);
}

__attribute__((noinline)) void measure_patched_traced(struct worker *worker)
{
	measured_loop(&patched_ops, worker, worker->wait != NULL, true);
}

size_t patched_sites(void)
{
	/* as integers: to the compiler the two symbols are unrelated objects */
	return ((uintptr_t)__stop_call_sites - (uintptr_t)__start_call_sites) /
	       sizeof(struct call_site);
}

uint8_t *patched_site(size_t i, enum patched_operation *operation)
{
	const struct call_site *site = &__start_call_sites[i];

	*operation = (enum patched_operation)site->operation;
	return (uint8_t *)((uintptr_t)&site->place + (uintptr_t)(intptr_t)site->place);
}

/* Writes the offset of `target` from the instruction's end. pvspin's code and data are within 2
 * GiB. */
static void put_relative(uint8_t *at, uintptr_t target, uintptr_t end)
{
	int32_t offset = (int32_t)(target - end);

	memcpy(at, &offset, sizeof(offset));
}

/* Five bytes, followed by a NOP, to which the call returns; Linux pads in the same way. */
static void make_direct(struct port_text_patch *patch, uintptr_t target)
{
	uintptr_t site = (uintptr_t)patch->address;

	patch->bytes[0] = CALL_RELATIVE;
	put_relative(&patch->bytes[1], target, site + 5);
	patch->bytes[5] = NOP;
}

static void make_indirect(struct port_text_patch *patch, uintptr_t pointer)
{
	uintptr_t site = (uintptr_t)patch->address;

	patch->bytes[0] = CALL_INDIRECT;
	patch->bytes[1] = MODRM_2_RIP;
	put_relative(&patch->bytes[2], pointer, site + PATCHED_SITE_BYTES);
}

static void patch_all(bool direct)
{
	size_t count = patched_sites();

	if (patches == NULL)
		patches = port_alloc(count * sizeof(patches[0]), sizeof(void *));
	for (size_t i = 0; i < count; i++) {
		enum patched_operation operation;

		patches[i].address = patched_site(i, &operation);
		patches[i].count = PATCHED_SITE_BYTES;
		if (direct)
			make_direct(&patches[i], (uintptr_t)patched_targets[operation]);
		else
			make_indirect(&patches[i], (uintptr_t)&patched_targets[operation]);
	}
	port_patch_text(patches, count);
}

void patched_select(const struct lock_ops *ops)
{
	if (ops == selected)
		return;
	patched_targets[PATCHED_ACQUIRE] = ops->acquire;
	patched_targets[PATCHED_RELEASE] = ops->release;
	patch_all(true);
	selected = ops;
}

void patched_restore(void)
{
	patch_all(false);
	selected = NULL;
}
