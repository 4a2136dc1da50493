/* SPDX-License-Identifier: MIT */
/*
 * Deliberate failures, one function each, so that a backtrace with symbols shows its name.
 * docs/failures.md describes how each looks. provoke_lock.c has the failures of a lock's owner.
 */
#include "guest/provoke.h"

#include "bench/plan_keys.h"
#include "guest/broken/provoke_lock.h"
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/fatal.h"
#include "kernel/layout.h"
#include "kernel/machine.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "lib/log.h"
#include "lib/string.h"
#include "locks/core/pv.h"
#include "port/hang.h"
#include "port/port.h"
#include <stdatomic.h>

#define STRAY_VECTOR 0x99 /* otherwise unused */

extern char text_start[];       /* linker.ld */
extern char boot_stack_guard[]; /* boot/start.asm */

static void __attribute__((noinline)) provoke_panic(void)
{
	panic("provoked on purpose (provoke=panic)");
}

static void __attribute__((noinline)) provoke_invalid_opcode(void)
{
	__asm__ volatile("ud2");
}

/* IA32_PKRS, bits 63:32 of which are reserved (SDM vol. 4); unknown to most CPUs, refused by all.
 */
static void __attribute__((noinline)) provoke_msr(void)
{
	wrmsr(0x6e1, UINT64_MAX);
}

/* Text is read-only. */
static void __attribute__((noinline)) provoke_page_fault(void)
{
	*(volatile char *)text_start = 0;
}

/* Data is no-execute. 0xc3 is RET. */
static void __attribute__((noinline)) provoke_execute_data(void)
{
	static volatile uint8_t code[] = {0xc3};

	((void (*)(void))(uint64_t)code)();
}

static void __attribute__((noinline)) provoke_stack_overflow(volatile uint64_t *above)
{
	volatile uint64_t here[64];

	here[0] = above == NULL ? 0 : above[0] + 1;
	if (here[0] != UINT64_MAX) /* always */
		provoke_stack_overflow(here);
	here[1] = here[0]; /* no tail call */
}

static void provoke_hang(void)
{
	log_flush();
	halt_for_ever();
}

static void lose_kick(uint32_t cpu)
{
	(void)cpu;
}

/* Waiters halt and nobody wakes them. */
static void provoke_lost_kick(void)
{
	static struct pv_backend lossy;

	lossy = *pv_backend;
	lossy.kick = lose_kick;
	pv_backend = &lossy;
}

/* Masks interrupts and never returns. */
static void __attribute__((noinline)) provoke_loop(void)
{
	irq_disable();
	for (;;)
		cpu_relax();
}

/* An exception without an IDT for it, nor for the #GP and #DF that follow (SDM vol. 3A, 6.15). */
static void __attribute__((noinline)) provoke_triple_fault(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = {0, 0};

	log_flush();
	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

/* The push is a #PF without a stack, so a #DF, on a stack of its own. */
static void __attribute__((noinline)) provoke_double_fault(void)
{
	__asm__ volatile("xorl %%esp, %%esp; pushq %%rax" : : : "memory");
}

/* Raises vector 18 by an instruction. (tests/run/provoke.bats raises a real one by HMP's `mce`.) */
static void __attribute__((noinline)) provoke_machine_check(void)
{
	__asm__ volatile("int $18");
}

/* The NMI may come in the epilogue of a function that this one has called. */
static void __attribute__((noinline)) provoke_nmi(void)
{
	apic_send_nmi(this_cpu()->apic_id);
	provoke_loop();
}

static void overflow_stack(void)
{
	provoke_stack_overflow(NULL);
}

static void fail_describing(struct record *record)
{
	(void)record;
	provoke_page_fault();
}

/* The report itself fails while it is being written. */
static void provoke_panic_twice(void)
{
	panic_describe = fail_describing;
	provoke_panic();
}

static _Atomic uint32_t meeting; /* number of CPUs that have arrived */

static void meet(void)
{
	atomic_fetch_add_explicit(&meeting, 1, memory_order_relaxed);
	while (atomic_load_explicit(&meeting, memory_order_relaxed) < 2)
		cpu_relax();
}

/* CPUs 0 and 1 panic at the same time. */
static void provoke_panic_both(void)
{
	meet();
	provoke_panic();
}

/* CPU 1 panics while CPU 0 writes the log. */
static void provoke_panic_busy(void)
{
	static const char line[] = "a line of the log that is being written\n";
	static _Atomic uint32_t lines;

	if (this_cpu()->index == 1) {
		while (atomic_load_explicit(&lines, memory_order_relaxed) < 10)
			cpu_relax();
		provoke_panic();
	}
	for (;;) {
		log_write(line, sizeof(line) - 1);
		log_flush();
		atomic_fetch_add_explicit(&lines, 1, memory_order_relaxed);
	}
}

/* A lock whose description hangs: the report halts with interrupts masked. */
static void hang_describing(const void *lock, char *text, size_t size)
{
	(void)lock;
	(void)text;
	(void)size;
	halt_for_ever();
}

static void report_and_hang(void)
{
	static const struct lock_ops ops = {.name = "none", .describe = hang_describing};
	struct hang hang = {.what = "a hang whose report hangs", .ops = &ops};

	port_report_hang(&hang);
}

static void provoke_hang_twice(void)
{
	port_watch("a hang whose report hangs", 1000000000, report_and_hang);
	provoke_hang();
}

static void hang_in_panic(struct record *record)
{
	(void)record;
	halt_for_ever();
}

static void provoke_nmi_twice(void)
{
	panic_describe = hang_in_panic;
	provoke_nmi();
}

static void (*failure)(void);

/* Runs `failure` on CPUs from `only` to 1. */
static void fail_from(void *only)
{
	if (this_cpu()->index >= *(const uint32_t *)only)
		failure();
}

static void fail_on(uint32_t first, void (*what)(void))
{
	failure = what;
	if (machine.online < 2)
		panic("this failure needs two vCPUs");
	port_run_on(2, fail_from, &first);
}

/* Loops like code that has gone astray: rbp points to no frame but to unmapped memory. */
static void __attribute__((noinline)) provoke_loop_astray(void)
{
	__asm__ volatile("cli\n\t"
			 "movq %0, %%rbp\n"
			 "1:\tpause\n\t"
			 "jmp 1b"
			 :
			 : "r"(boot_stack_guard)
			 : "memory");
}

static void provoke_ap_loop(void)
{
	fail_on(1, provoke_loop_astray);
}

static void provoke_ap_exception(void)
{
	fail_on(1, provoke_invalid_opcode);
}

static void provoke_ap_stack(void)
{
	fail_on(1, overflow_stack);
}

static void provoke_both(void)
{
	fail_on(0, provoke_panic_both);
}

static void provoke_busy(void)
{
	fail_on(0, provoke_panic_busy);
}

static void provoke_stray(void)
{
	apic_send(apic->id(), STRAY_VECTOR);
}

/* Before smp_start() the boot CPU's ID is not in its per-CPU data. */
static void __attribute__((noinline)) provoke_early_nmi(void)
{
	apic_send_nmi(apic->id());
	provoke_loop();
}

static void provoke_lost_vcpu(void)
{
	smp_lose_last = true;
}

/* X(name, before the other vCPUs are started, with all of them online). Neither: provoke_lock.c */
#define FAILURES(X)                                     \
	X("panic", NULL, provoke_panic)                 \
	X("ud", NULL, provoke_invalid_opcode)           \
	X("pf", NULL, provoke_page_fault)               \
	X("nx", NULL, provoke_execute_data)             \
	X("stack", NULL, overflow_stack)                \
	X("hang", NULL, provoke_hang)                   \
	X("lost-vcpu", provoke_lost_vcpu, NULL)         \
	X("lost-kick", NULL, provoke_lost_kick)         \
	X("loop", NULL, provoke_loop)                   \
	X("triple-fault", NULL, provoke_triple_fault)   \
	X("double-fault", NULL, provoke_double_fault)   \
	X("machine-check", NULL, provoke_machine_check) \
	X("nmi", NULL, provoke_nmi)                     \
	X("panic-twice", NULL, provoke_panic_twice)     \
	X("panic-both", NULL, provoke_both)             \
	X("panic-busy", NULL, provoke_busy)             \
	X("ap-ud", NULL, provoke_ap_exception)          \
	X("ap-stack", NULL, provoke_ap_stack)           \
	X("ap-loop", NULL, provoke_ap_loop)             \
	X("owner-ud", NULL, NULL)                       \
	X("owner-loop", NULL, NULL)                     \
	X("owner-loop-0", NULL, NULL)                   \
	X("early-nmi", provoke_early_nmi, NULL)         \
	X("msr", NULL, provoke_msr)                     \
	X("hang-twice", NULL, provoke_hang_twice)       \
	X("nmi-twice", NULL, provoke_nmi_twice)         \
	X("stray", provoke_stray, NULL)

#define NAME(name, early, fail)    name,
#define FAILURE(name, early, fail) {name, early, fail},

static const char *const names[] = {"none", FAILURES(NAME)};
static const struct {
	const char *name;
	void (*early)(void);
	void (*fail)(void);
} failures[] = {FAILURES(FAILURE)};

static char chosen[32];

PLAN_KEY(provoke, .name = "provoke", .kind = KEY_NAME, .value = chosen, .bytes = sizeof(chosen),
	 .names = names, .name_count = sizeof(names) / sizeof(names[0]));

void provoke_early(void)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (strcmp(chosen, failures[i].name) == 0 && failures[i].early != NULL)
			failures[i].early();
}

void provoke(struct plan *plan)
{
	provoke_in_lock(plan, chosen);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (strcmp(chosen, failures[i].name) == 0 && failures[i].fail != NULL)
			failures[i].fail();
}
