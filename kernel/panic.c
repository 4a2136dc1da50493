/* SPDX-License-Identifier: MIT */
/*
 * The panic record: everything a person needs to find the line. run.sh adds the symbols to
 * addresses. Only the first CPU that panics reports. It first stops the others, especially CPU 0,
 * which may be writing the log. A panic inside the report ends the report where it is.
 */
#include "kernel/panic.h"

#include "kernel/backtrace.h"
#include "kernel/cpu.h"
#include "kernel/exit.h"
#include "kernel/fatal.h"
#include "kernel/layout.h"
#include "kernel/machine_check.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/tsc.h"
#include "kernel/watchdog.h"
#include "lib/debug_exit.h"
#include "lib/log.h"
#include "lib/printf.h"
#include <stdarg.h>
#include <stdatomic.h>

extern const char text_start[], text_end[]; /* linker.ld */

void (*panic_describe)(struct record *record);

#define REPORT_BOUND_NS 30000000000ull
#define STOP_BOUND_NS   3000000000ull /* CPU 0 needs a time slice to take the NMI */

static _Atomic uint32_t reporter;     /* index + 1 of the CPU that reports; 0: nobody */
static _Atomic bool log_writer_stops; /* CPU 0, which normally writes the log, is in HLT */

static struct record report;
static struct record complete; /* `report` up to its last whole field */

static void __attribute__((noreturn)) stop_here(void)
{
	if (this_cpu()->index == 0)
		/* release: pairs with the acquire in stop_the_others() */
		atomic_store_explicit(&log_writer_stops, true, memory_order_release);
	halt_for_ever();
}

/* The handler of the stopping NMI. An NMI at the reporter itself is the machine's own and must not
 * end the report. */
static void stop_interrupt(struct trap_frame *frame)
{
	(void)frame;
	if (atomic_load_explicit(&reporter, memory_order_relaxed) != this_cpu()->index + 1)
		stop_here();
}

/* Stops the other CPUs by NMI, which reaches a CPU with interrupts masked, too. They never go on,
 * because a spinning CPU would take host time from this one. */
static void stop_the_others(void)
{
	uint64_t start = rdtsc();

	traps_handle(VECTOR_NMI, stop_interrupt);
	smp_nmi_others();
	if (this_cpu()->index == 0)
		return;
	while (!atomic_load_explicit(&log_writer_stops, memory_order_acquire) &&
	       rdtsc() - start < tsc_from_ns(STOP_BOUND_NS))
		cpu_relax();
}

static void __attribute__((noreturn)) finish(void)
{
	record_end(&report);
	log_flush();
	exit_guest(DEBUG_EXIT_PANIC);
}

/* The report itself has failed: completes it after its last whole field, adds the reason, and ends.
 * A further failure ends at once. */
static void __attribute__((noreturn)) give_up(const char *reason, uint64_t rip)
{
	static bool tried;

	if (tried || complete.length == 0)
		exit_guest(DEBUG_EXIT_PANIC);
	tried = true;
	report = complete;
	record_string(&report, "report_failed", reason);
	record_hex(&report, "report_failed_rip", rip);
	finish();
}

static void report_hangs(void *unused)
{
	(void)unused;
	give_up("the report hangs", this_cpu()->frame->rip);
}

/* Replaces the current bound by one on the report. The watchdog works for CPU 0 only; the
 * launcher's time-out bounds another CPU's report. */
static void bound_the_report(void)
{
	if (this_cpu()->index == 0)
		watchdog_start(REPORT_BOUND_NS, report_hangs, NULL);
	else
		watchdog_stop();
}

static void begin(const char *reason, uint64_t rip)
{
	uint32_t me = this_cpu()->index + 1, first = 0;

	irq_disable();
	if (!atomic_compare_exchange_strong_explicit(&reporter, &first, me, memory_order_acq_rel,
						     memory_order_acquire)) {
		if (first == me)
			give_up(reason, rip);
		stop_here();
	}
	stop_the_others();
	bound_the_report();
	log_write("\n", 1); /* in case a line was being written */
	record_begin(&report, "panic");
	record_string(&report, "reason", reason);
	record_number(&report, "cpu", this_cpu()->index);
	record_number(&report, "apic_id", this_cpu()->apic_id);
	record_hex(&report, "rip", rip);
	complete = report;
}

static void add_backtrace(const uint64_t *address, size_t count)
{
	record_open_array(&report, "backtrace");
	for (size_t i = 0; i < count; i++)
		record_hex(&report, NULL, address[i]);
	record_close_array(&report);
	complete = report;
}

static void __attribute__((noreturn)) describe_and_finish(void)
{
	if (panic_describe != NULL)
		panic_describe(&report);
	finish();
}

void panic(const char *format, ...)
{
	char reason[256];
	va_list arguments;
	uint64_t address[BACKTRACE_MAX];
	uint64_t rip = (uint64_t)__builtin_return_address(0);
	uint64_t rbp = *(const uint64_t *)__builtin_frame_address(0);

	va_start(arguments, format);
	kvsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	begin(reason, rip);
	add_backtrace(address, backtrace_take(rip, rbp, address));
	describe_and_finish();
}

static const char *exception_name(uint64_t vector)
{
	static const char *const names[] = {
		"#DE divide error",
		"#DB debug",
		"NMI",
		"#BP breakpoint",
		"#OF overflow",
		"#BR bound range",
		"#UD invalid opcode",
		"#NM no FPU",
		"#DF double fault",
		"9",
		"#TS invalid TSS",
		"#NP segment not present",
		"#SS stack fault",
		"#GP general protection",
		"#PF page fault",
		"15",
		"#MF x87",
		"#AC alignment check",
		"#MC machine check",
		"#XM SIMD",
	};

	return vector < sizeof(names) / sizeof(names[0]) ? names[vector] : "unexpected interrupt";
}

/* True if the fault was in the guard page below this CPU's stack (stack_alloc): a #DF there
 * comes from a #PF that had no stack. */
static bool stack_overflowed(const struct trap_frame *frame)
{
	uint64_t bottom = this_cpu()->stack_top - STACK_BYTES, fault = read_cr2();

	return (frame->vector == VECTOR_PF || frame->vector == VECTOR_DF) && fault < bottom &&
	       fault >= bottom - PAGE_BYTES;
}

/* WRMSR is 0F 30, RDMSR 0F 32 (SDM vol. 2). */
static bool msr_refused(const struct trap_frame *frame)
{
	const uint8_t *instruction = (const uint8_t *)frame->rip;

	return frame->vector == VECTOR_GP && frame->rip >= (uint64_t)text_start &&
	       frame->rip < (uint64_t)text_end - 1 && instruction[0] == 0x0f &&
	       (instruction[1] & ~2) == 0x30;
}

/* An NMI that comes here was not sent by pvspin, whose NMIs have a handler. */
static void describe_trap(const struct trap_frame *frame, char *text, size_t size)
{
	char cause[40] = "";

	if (frame->vector == VECTOR_NMI)
		ksnprintf(cause, sizeof(cause), ": nobody here has sent it");
	else if (stack_overflowed(frame))
		ksnprintf(cause, sizeof(cause), ": stack overflow");
	else if (msr_refused(frame))
		ksnprintf(cause, sizeof(cause), ": MSR %#x is refused", (uint32_t)frame->rcx);
	ksnprintf(text, size, "exception %lu (%s), error code %#lx%s", frame->vector,
		  exception_name(frame->vector), frame->error, cause);
}

static void add_registers(const struct trap_frame *frame)
{
	const struct {
		const char *name;
		uint64_t value;
	} registers[] = {
		{"rax", frame->rax}, {"rbx", frame->rbx},       {"rcx", frame->rcx},
		{"rdx", frame->rdx}, {"rsi", frame->rsi},       {"rdi", frame->rdi},
		{"rbp", frame->rbp}, {"rsp", frame->rsp},       {"r8", frame->r8},
		{"r9", frame->r9},   {"r10", frame->r10},       {"r11", frame->r11},
		{"r12", frame->r12}, {"r13", frame->r13},       {"r14", frame->r14},
		{"r15", frame->r15}, {"rflags", frame->rflags}, {"cr2", read_cr2()},
	};

	record_open_object(&report, "registers");
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		record_hex(&report, registers[i].name, registers[i].value);
	record_close_object(&report);
	complete = report;
}

static void __attribute__((noreturn))
panic_frame(const struct trap_frame *frame, const char *reason)
{
	uint64_t address[BACKTRACE_MAX];

	begin(reason, frame->rip);
	add_registers(frame);
	if (frame->vector == VECTOR_MC)
		machine_check_describe(&report);
	add_backtrace(address, backtrace_of_trap(frame, address));
	describe_and_finish();
}

void panic_trap(const struct trap_frame *frame)
{
	char reason[128];

	describe_trap(frame, reason, sizeof(reason));
	panic_frame(frame, reason);
}

void panic_hang(const struct trap_frame *frame, const char *what, uint64_t bound_ms)
{
	char reason[128];

	ksnprintf(reason, sizeof(reason), "%s: not over in %lu ms", what, bound_ms);
	panic_frame(frame, reason);
}
