/* SPDX-License-Identifier: MIT */
/* The panic record: everything a person needs to find the line. Addresses are symbolised by run.sh.
 */
#include "kernel/panic.h"

#include "kernel/backtrace.h"
#include "kernel/cpu.h"
#include "kernel/exit.h"
#include "kernel/percpu.h"
#include "port/port.h"
#include "pvspin/layout.h"
#include "pvspin/printf.h"
#include <stdarg.h>
#include <stdatomic.h>

void (*panic_describe)(struct record *record);

static atomic_flag panicking = ATOMIC_FLAG_INIT;

/* Only one CPU reports; another one, or a panic inside the report, stops here. */
static void claim_the_console(void)
{
	irq_disable();
	if (atomic_flag_test_and_set_explicit(&panicking, memory_order_acquire))
		halt_for_ever();
	port_write("\n", 1); /* in case a line was being written */
}

static void record_backtrace(struct record *record, uint64_t rip, uint64_t rbp)
{
	uint64_t address[BACKTRACE_MAX];
	size_t count = backtrace_take(rip, rbp, address);

	record_open_array(record, "backtrace");
	for (size_t i = 0; i < count; i++)
		record_hex(record, NULL, address[i]);
	record_close_array(record);
}

static void begin(struct record *record, const char *reason, uint64_t rip)
{
	record_begin(record, "panic");
	record_string(record, "reason", reason);
	record_number(record, "cpu", this_cpu()->index);
	record_number(record, "apic_id", this_cpu()->apic_id);
	record_hex(record, "rip", rip);
}

static void __attribute__((noreturn)) finish(struct record *record)
{
	if (panic_describe != NULL)
		panic_describe(record);
	record_end(record);
	port_flush();
	exit_guest(DEBUG_EXIT_PANIC);
}

void panic(const char *format, ...)
{
	char reason[256];
	struct record record;
	va_list arguments;
	uint64_t rip = (uint64_t)__builtin_return_address(0);
	uint64_t rbp = *(const uint64_t *)__builtin_frame_address(0);

	claim_the_console();
	va_start(arguments, format);
	kvsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	begin(&record, reason, rip);
	record_backtrace(&record, rip, rbp);
	finish(&record);
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

void panic_trap(const struct trap_frame *frame)
{
	char reason[128];
	struct record record;
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

	claim_the_console();
	ksnprintf(reason, sizeof(reason), "exception %lu (%s), error code %#lx", frame->vector,
		  exception_name(frame->vector), frame->error);
	begin(&record, reason, frame->rip);
	record_open_object(&record, "registers");
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		record_hex(&record, registers[i].name, registers[i].value);
	record_close_object(&record);
	record_backtrace(&record, frame->rip, frame->rbp);
	finish(&record);
}
