/* SPDX-License-Identifier: MIT */
/*
 * Backtraces of traps. Some functions are executed in single steps, and at each instruction, their
 * prologues and epilogues included, the backtrace must have the caller.
 */
#include "kernel/backtrace.h"
#include "kernel/traps.h"
#include "lib/cmdline.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "tests/suites/tap.h"

#define RFLAGS_TF (1ull << 8) /* SDM vol. 3A, 2.3 */

static struct {
	uint64_t function;
	uint64_t caller; /* the return address, while the function runs; 0: it does not */
	uint64_t steps, lost, lost_at;
} stepped;

static bool has_caller(const struct trap_frame *frame)
{
	uint64_t address[BACKTRACE_MAX];
	size_t count = backtrace_of_trap(frame, address);

	for (size_t i = 1; i < count; i++)
		if (address[i] == stepped.caller)
			return true;
	return false;
}

static void step(struct trap_frame *frame)
{
	if (frame->rip == stepped.function)
		stepped.caller = *(const uint64_t *)frame->rsp;
	if (frame->rip == stepped.caller) {
		stepped.caller = 0;
		frame->rflags &= ~RFLAGS_TF;
	}
	if (stepped.caller == 0)
		return;
	stepped.steps++;
	if (has_caller(frame))
		return;
	stepped.lost++;
	stepped.lost_at = frame->rip;
}

/* The functions: a leaf, one that returns early, one that calls others through several levels. */
static void compare(void)
{
	(void)strcmp("word", "words");
}

static void no_word(void)
{
	const char *cursor = "";
	struct cmdline_word word;

	(void)cmdline_next(&cursor, &word);
}

static void format(void)
{
	char text[64];

	ksnprintf(text, sizeof(text), "%5u %#lx %s", 12u, 0xfeedul, "words");
}

static const struct {
	const char *name;
	uint64_t function;
	void (*call)(void);
} functions[] = {
	{"strcmp", (uint64_t)strcmp, compare},
	{"cmdline_next", (uint64_t)cmdline_next, no_word},
	{"ksnprintf", (uint64_t)ksnprintf, format},
};

static void caller_is_known_at_each_instruction(struct test_result *result)
{
	traps_handle(VECTOR_DB, step);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		stepped.function = functions[i].function;
		stepped.steps = stepped.lost = 0;
		__asm__ volatile("pushfq; orq %0, (%%rsp); popfq" : : "i"(RFLAGS_TF) : "memory");
		functions[i].call();
		if (stepped.steps == 0)
			test_error(result, "%s: no step", functions[i].name);
		else if (stepped.lost != 0)
			test_fail(result, "%s: no caller at %lu of %lu instructions, one is %#lx",
				  functions[i].name, stepped.lost, stepped.steps, stepped.lost_at);
	}
	traps_handle(VECTOR_DB, NULL);
}
TEST_REGISTER(caller_is_known_at_each_instruction, "TRAP-BACKTRACE-01",
	      "trap.backtrace.has_the_caller_at_each_instruction");
