/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls with random numbers and arguments from all vCPUs at once. Each must return an allowed
 * result, the guest must survive, and only memory that the calls were given may change. The
 * arguments are bounded, because the calls act: CLOCK_PAIRING gets addresses in the caller's
 * scratch page or without RAM. SEND_IPI gets fixed interrupts of one vector, or values that KVM
 * drops or refuses, never INIT, start-up, SMI or NMI. MAP_GPA_RANGE is left out where it is
 * offered. At the end all wake latches are emptied.
 */
#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/layout.h"
#include "kernel/machine.h"
#include "kernel/memory.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/tsc.h"
#include "lib/string.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/call.h"
#include "tests/suites/abi/interrupts.h"
#include "tests/suites/abi/kick.h"

#define PAIRING_BYTES 64
#define CANARY        0x5c
#define LEAST_CALLS   32 /* per CPU, even if it first runs after the time is over */

/* ICR: vector and delivery mode; and the bits that KVM refuses: logical destination, shorthands. */
#define ICR_VECTOR_AND_MODE 0x7ffull
#define ICR_REFUSED         (1ull << 11 | 3ull << 18)

struct call {
	uint64_t number, a[4];
};

/* One CPU's part. */
struct part {
	uint64_t random, calls;
	uint64_t scratch; /* a page that CLOCK_PAIRING may write to */
	struct call bad;  /* the first one with a wrong answer */
	struct abi_result answer;
	bool failed;
};

struct storm {
	struct part *part;
	uint8_t *area; /* canary, scratch of CPU 0, canary, scratch of CPU 1, ... canary: pages */
	uint64_t end;  /* TSC */
};

static struct storm storm;

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) */
static uint64_t next_random(struct part *part)
{
	uint64_t z = part->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static bool one_in(struct part *part, uint32_t n)
{
	return next_random(part) % n == 0;
}

/* Returns the APIC ID of a vCPU, or now and then another number. */
static uint64_t some_id(struct part *part)
{
	if (one_in(part, 4))
		return next_random(part);
	return smp_cpu((uint32_t)(next_random(part) % machine.online))->apic_id;
}

static void aim_pairing(struct part *part, struct call *call)
{
	uint64_t last = PAGE_BYTES - PAIRING_BYTES;

	if (one_in(part, 2))
		call->a[0] = part->scratch + (one_in(part, 4) ? last : call->a[0] % (last + 1));
	else
		call->a[0] |= one_in(part, 2) ? 1ull << 63 : ABI_NO_RAM;
	if (!one_in(part, 4))
		call->a[1] = 0;
}

static void aim_ipi(struct part *part, struct call *call)
{
	static const uint32_t modes[] = {0x000, 0x100, 0x700}; /* fixed, lowest priority, ExtINT */

	if (!one_in(part, 4))
		call->a[2] %= one_in(part, 2) ? 300 : 2;
	call->a[3] =
		(call->a[3] & ~ICR_VECTOR_AND_MODE) | modes[next_random(part) % 3] | VECTOR_TEST;
	if (!one_in(part, 4))
		call->a[3] &= ~ICR_REFUSED;
}

/* Known numbers are more likely than others. */
static struct call random_call(struct part *part)
{
	struct call call = {.number = next_random(part)};

	for (int i = 0; i < 4; i++)
		call.a[i] = next_random(part);
	if (!one_in(part, 4))
		call.number %= 16;
	if (call.number == KVM_HC_MAP_GPA_RANGE &&
	    (machine.kvm.features & KVM_FEATURE_HC_MAP_GPA_RANGE))
		call.number = 0;
	if (call.number == KVM_HC_KICK_CPU)
		call.a[1] = some_id(part);
	else if (call.number == KVM_HC_CLOCK_PAIRING)
		aim_pairing(part, &call);
	else if (call.number == KVM_HC_SEND_IPI)
		aim_ipi(part, &call);
	else if (call.number == KVM_HC_SCHED_YIELD)
		call.a[0] = some_id(part);
	return call;
}

/* Whether the call may return this in some configuration. The clauses check each configuration. */
static bool is_answer(const struct call *call, const struct abi_result *answer)
{
	int64_t value = (int64_t)answer->value;

	if (answer->faulted)
		return false;
	switch (call->number) {
	case KVM_HC_VAPIC_POLL_IRQ:
		return value == 0;
	case KVM_HC_KICK_CPU:
	case KVM_HC_SCHED_YIELD:
		return value == 0 || value == -KVM_ENOSYS;
	case KVM_HC_CLOCK_PAIRING:
		return value == 0 || value == -KVM_EFAULT || value == -KVM_EOPNOTSUPP;
	case KVM_HC_SEND_IPI:
		return (value >= 0 && value <= machine.online) || value == -KVM_EINVAL ||
		       value == -KVM_EOPNOTSUPP || value == -KVM_ENOSYS;
	default:
		return value == -KVM_ENOSYS;
	}
}

static void call_at_random(void *unused)
{
	struct part *part = &storm.part[this_cpu()->index];
	uint64_t flags = read_flags();

	(void)unused;
	irq_enable();
	while (rdtsc() < storm.end || part->calls < LEAST_CALLS) {
		struct call call = random_call(part);
		struct abi_result answer =
			abi_hypercall(call.number, call.a[0], call.a[1], call.a[2], call.a[3]);

		part->calls++;
		if (!part->failed && !is_answer(&call, &answer)) {
			part->failed = true;
			part->bad = call;
			part->answer = answer;
		}
	}
	if (!(flags & RFLAGS_IF))
		irq_disable();
}

/* FNV-1a, by words (Fowler, Noll, Vo; RFC 9923's constants) */
static uint64_t add_to_sum(uint64_t sum, uint64_t word)
{
	return (sum ^ word) * 0x100000001b3;
}

#define PTE_PRESENT  1ull
#define PTE_LARGE    (1ull << 7)
#define PTE_ACCESSED (1ull << 5) /* the CPU sets these two: SDM vol. 3A, 5.8 */
#define PTE_DIRTY    (1ull << 6)
#define PTE_ADDRESS  0x000ffffffffff000ull

/* Adds a paging structure and all below it. Level 4 is the root, level 1 maps pages. */
static uint64_t sum_of_tables(uint64_t sum, uint64_t table, int level)
{
	const volatile uint64_t *entry = (const volatile uint64_t *)table;

	for (int i = 0; i < 512; i++) {
		uint64_t bits = entry[i] & ~(PTE_ACCESSED | PTE_DIRTY);

		sum = add_to_sum(sum, bits);
		if (level > 1 && (bits & PTE_PRESENT) && !(bits & PTE_LARGE))
			sum = sum_of_tables(sum, bits & PTE_ADDRESS, level - 1);
	}
	return sum;
}

extern const char text_start[], rodata_end[]; /* linker.ld: .text, then .rodata */

/* A checksum of code, constants and page tables. */
static uint64_t sum_of_memory(void)
{
	const volatile uint64_t *word = (const volatile uint64_t *)text_start;
	size_t words = (size_t)((uintptr_t)rodata_end - (uintptr_t)text_start) / sizeof(*word);
	uint64_t sum = 0xcbf29ce484222325, root;

	for (size_t i = 0; i < words; i++)
		sum = add_to_sum(sum, word[i]);
	__asm__ volatile("movq %%cr3, %0" : "=r"(root));
	return sum_of_tables(sum, root & PTE_ADDRESS, 4);
}

static void check_canaries(struct test_result *result)
{
	for (size_t page = 0; page <= 2 * (size_t)machine.online; page += 2)
		for (size_t i = 0; i < PAGE_BYTES; i++)
			if (storm.area[page * PAGE_BYTES + i] != CANARY) {
				test_fail(result,
					  "a call wrote to byte %#zx of the page below CPU %zu's "
					  "scratch page",
					  i, page / 2);
				return;
			}
}

/* Allocates memory once; a second run uses it again. */
static void prepare(void)
{
	size_t pages = 2 * (size_t)machine.online + 1;

	if (storm.part == NULL) {
		storm.part = memory_alloc(machine.online * sizeof(storm.part[0]), 64);
		storm.area = memory_alloc(pages * PAGE_BYTES, PAGE_BYTES);
	}
	memset(storm.area, CANARY, pages * PAGE_BYTES);
	for (uint32_t i = 0; i < machine.online; i++)
		storm.part[i] = (struct part){
			.random = abi_plan->seed + i * 0x100000001ull,
			.scratch = (uint64_t)storm.area + (2 * i + 1) * PAGE_BYTES,
		};
	storm.end = rdtsc() + tsc_from_ns(abi_plan->test_ms * 10 * 1000000ull);
}

/* ABI-STORM is not a clause: it tests what all clauses have in common. */
static void random_calls(struct test_result *result)
{
	uint64_t before, calls = 0, interrupts = 0;

	interrupts_count(VECTOR_TEST);
	interrupts_settle(result, 0); /* makes it allocate its memory now */
	prepare();
	before = sum_of_memory();
	smp_run_on(machine.online, call_at_random, NULL);
	kick_drain_all();
	interrupts_stop(result, VECTOR_TEST);
	if (sum_of_memory() != before)
		test_fail(result, "code, constants or page tables changed");
	check_canaries(result);
	for (uint32_t i = 0; i < machine.online; i++) {
		const struct part *part = &storm.part[i];
		const struct call *bad = &part->bad;

		calls += part->calls;
		interrupts += interrupts_taken(i, VECTOR_TEST);
		if (part->failed)
			test_fail(result, "CPU %u: nr %#lx (%#lx, %#lx, %#lx, %#lx): %s %#lx", i,
				  bad->number, bad->a[0], bad->a[1], bad->a[2], bad->a[3],
				  part->answer.faulted ? "fault, vector" : "returned",
				  part->answer.faulted ? part->answer.vector : part->answer.value);
	}
	test_info(result, "seed %lu: %lu calls by %u vCPUs, %lu interrupts", abi_plan->seed, calls,
		  machine.online, interrupts);
}
ABI_CLAUSE(random_calls, "storm", "abi.storm.random_calls", ABI_MUST);
