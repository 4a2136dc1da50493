/* SPDX-License-Identifier: MIT */
/*
 * Patching of code (port_patch_text, bench/patched.c): the bytes of the call sites, the access
 * rights of the text, and that all vCPUs run the new code. The probes that stand in for a lock
 * check the stack's alignment and leave junk in every register that the System V ABI lets a
 * function change.
 */
#include "bench/patched.h"
#include "bench/worker.h"
#include "kernel/fixup.h"
#include "kernel/layout.h"
#include "kernel/paging.h"
#include "kernel/traps.h"
#include "lib/string.h"
#include "port/port.h"
#include "tests/suites/tap.h"

#define OPS 100

#define PF_PRESENT (1u << 0) /* SDM vol. 3A, 5.7: the page fault's error code */
#define PF_WRITE   (1u << 1)

static struct {
	_Atomic uint32_t calls[2][PATCHED_OPERATIONS]; /* by probe */
	_Atomic uint32_t misaligned;
	_Atomic uint32_t wrong_arguments;
} seen;

static _Atomic uint32_t phase;
static struct worker *workers;

static __attribute__((noinline)) void leave_junk(void)
{
	__asm__ volatile("movq $-1, %%rax\n\t"
			 "movq %%rax, %%rcx\n\t"
			 "movq %%rax, %%rdx\n\t"
			 "movq %%rax, %%rsi\n\t"
			 "movq %%rax, %%rdi\n\t"
			 "movq %%rax, %%r8\n\t"
			 "movq %%rax, %%r9\n\t"
			 "movq %%rax, %%r10\n\t"
			 "movq %%rax, %%r11\n\t"
			 "addq $1, %%rax"
			 :
			 :
			 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc",
			   "memory");
}

/* Checks the call's stack and arguments, then leaves junk. By the calling convention rbp, which is
 * the stack pointer at entry less 8, is a multiple of 16. */
static inline __attribute__((always_inline)) void probe(uint32_t which, uint32_t operation,
							void *lock, void *node)
{
	const struct worker *worker = &workers[port_cpu()];

	atomic_fetch_add_explicit(&seen.calls[which][operation], 1, memory_order_relaxed);
	if ((uintptr_t)__builtin_frame_address(0) % 16 != 0)
		atomic_fetch_add_explicit(&seen.misaligned, 1, memory_order_relaxed);
	if (lock != worker->lock || node != worker->node)
		atomic_fetch_add_explicit(&seen.wrong_arguments, 1, memory_order_relaxed);
	leave_junk();
}

#define PROBE(which_)                                                                  \
	static __attribute__((noinline)) void acquire_##which_(void *lock, void *node) \
	{                                                                              \
		probe(which_, PATCHED_ACQUIRE, lock, node);                            \
	}                                                                              \
	static __attribute__((noinline)) void release_##which_(void *lock, void *node) \
	{                                                                              \
		probe(which_, PATCHED_RELEASE, lock, node);                            \
	}                                                                              \
	static const struct lock_ops probe_##which_ = {.name = "probe " #which_,       \
						       .acquire = acquire_##which_,    \
						       .release = release_##which_}
PROBE(0);
PROBE(1);

static int32_t relative(const uint8_t *at)
{
	int32_t offset;

	memcpy(&offset, at, sizeof(offset));
	return offset;
}

static void check_direct(struct test_result *result, const struct lock_ops *ops)
{
	for (size_t i = 0; i < patched_sites(); i++) {
		enum patched_operation operation;
		const uint8_t *site = patched_site(i, &operation);
		uint64_t target = (uint64_t)(site + 5) + (uint64_t)(int64_t)relative(site + 1);
		uint64_t wanted =
			(uint64_t)(operation == PATCHED_ACQUIRE ? ops->acquire : ops->release);

		if (site[0] != 0xe8 || site[5] != 0x90 || target != wanted)
			test_fail(result,
				  "site %zu of %s: bytes %02x .. %02x, calls %#lx, not %#lx", i,
				  ops->name, site[0], site[5], target, wanted);
	}
}

static void check_indirect(struct test_result *result)
{
	for (size_t i = 0; i < patched_sites(); i++) {
		enum patched_operation operation;
		const uint8_t *site = patched_site(i, &operation);
		uint64_t pointer = (uint64_t)(site + 6) + (uint64_t)(int64_t)relative(site + 2);

		if (site[0] != 0xff || site[1] != 0x15 ||
		    pointer != (uint64_t)&patched_targets[operation])
			test_fail(result, "site %zu: bytes %02x %02x, pointer at %#lx, not %p", i,
				  site[0], site[1], pointer, (void *)&patched_targets[operation]);
	}
}

static void sites_become_direct_calls_and_back(struct test_result *result)
{
	if (patched_sites() < 4) /* acquire and release in each of the two loops */
		test_fail(result, "%zu call sites", patched_sites());
	check_indirect(result);
	patched_select(&probe_0);
	check_direct(result, &probe_0);
	patched_select(&probe_1);
	check_direct(result, &probe_1);
	patched_restore();
	check_indirect(result);
}
TEST_REGISTER(sites_become_direct_calls_and_back, "TEXT-PATCH-01", "text.patch.direct_and_back");

/* Returns 0, or what the exception left in rax (kernel/fixup.h). */
static uint64_t try_write(uint8_t *at, uint8_t byte)
{
	uint64_t result = 0;

	__asm__ volatile("1: movb %[byte], (%[at])\n\t"
			 "2:\n\t" FIXUP_1_TO_2
			 : "+a"(result)
			 : [at] "r"(at), [byte] "q"(byte)
			 : "memory");
	return result;
}

static void expect_fault(struct test_result *result, const char *what, uint8_t *at, uint8_t byte,
			 uint64_t error)
{
	uint64_t got = try_write(at, byte);
	uint64_t wanted = FIXUP_FAULTED | (uint64_t)VECTOR_PF << 32 | error;

	if (got != wanted)
		test_fail(result, "a write to %s: %#lx, expected %#lx", what, got, wanted);
}

/* The text is never writable, and the alias through which it was written is gone. */
static void nothing_is_left_writable(struct test_result *result)
{
	enum patched_operation operation;
	uint8_t *site = patched_site(0, &operation);

	expect_fault(result, "text before the patch", site, *site, PF_PRESENT | PF_WRITE);
	patched_select(&probe_0);
	expect_fault(result, "text after the patch", site, *site, PF_PRESENT | PF_WRITE);
	expect_fault(result, "the alias", (uint8_t *)PAGING_ALIAS + (uint64_t)site % PAGE_BYTES,
		     *site, PF_WRITE);
	patched_restore();
}
TEST_REGISTER(nothing_is_left_writable, "TEXT-PATCH-02", "text.patch.read_only_again");

static void run_worker(void *latency)
{
	struct worker *worker = &workers[port_cpu()];

	worker_begin(worker, PHASE_MEASURE);
	if (latency != NULL)
		measure_patched_latency(worker);
	else
		measure_patched_plain(worker);
}

static void set_up_workers(void)
{
	uint32_t count = port_cpu_count();

	if (workers == NULL) {
		workers = port_alloc(count * sizeof(workers[0]), CACHE_LINE);
		for (uint32_t i = 0; i < count; i++) {
			workers[i].section = port_alloc(sizeof(struct section), CACHE_LINE);
			workers[i].wait = port_alloc(sizeof(struct histogram), CACHE_LINE);
			workers[i].hold_time = port_alloc(sizeof(struct histogram), CACHE_LINE);
		}
	}
	atomic_store_explicit(&phase, PHASE_MEASURE, memory_order_relaxed);
	for (uint32_t i = 0; i < count; i++) {
		struct worker *worker = &workers[i];

		worker->lock = &workers[i].section; /* any two addresses */
		worker->node = &workers[i].stats;
		worker->phase = &phase;
		worker->stats = port_stats(i);
		worker->cpu = i;
		worker->ops_wanted = OPS;
		worker->sections = 0;
	}
}

/* Each loop acquires once more than it counts: at that acquisition it sees its limit. */
static void check_run(struct test_result *result, uint32_t which)
{
	uint32_t count = port_cpu_count(), expected = count * (OPS + 1);

	for (uint32_t operation = 0; operation < PATCHED_OPERATIONS; operation++) {
		uint32_t new =
			atomic_load_explicit(&seen.calls[which][operation], memory_order_relaxed);
		uint32_t old =
			atomic_load_explicit(&seen.calls[!which][operation], memory_order_relaxed);

		if (new != expected || old != 0)
			test_fail(result,
				  "operation %u: %u calls of the new code, not %u; %u of the old",
				  operation, new, expected, old);
	}
	for (uint32_t i = 0; i < count; i++)
		if (workers[i].measured_ops != OPS || workers[i].sections != OPS)
			test_fail(result, "vCPU %u: %lu ops, %lu sections, expected %d", i,
				  workers[i].measured_ops, workers[i].sections, OPS);
	if (seen.misaligned != 0 || seen.wrong_arguments != 0)
		test_fail(result, "%u calls with a misaligned stack, %u with wrong arguments",
			  seen.misaligned, seen.wrong_arguments);
}

static void every_vcpu_runs_the_new_code(struct test_result *result)
{
	for (uint32_t round = 0; round < 8; round++) {
		uint32_t which = round % 2;

		memset(&seen, 0, sizeof(seen));
		set_up_workers();
		patched_select(which ? &probe_1 : &probe_0);
		port_run_on(port_cpu_count(), run_worker, round % 4 < 2 ? NULL : workers);
		check_run(result, which);
	}
	patched_restore();
	memset(&seen, 0, sizeof(seen));
	set_up_workers();
	port_run_on(port_cpu_count(), run_worker, NULL); /* by the indirect call, too */
	check_run(result, 1);
}
TEST_REGISTER(every_vcpu_runs_the_new_code, "TEXT-PATCH-03", "text.patch.all_vcpus_see_it");
