/* SPDX-License-Identifier: MIT */
/* Deliberate failures, one function each, so that a symbolised backtrace shows its name. */
#include "kernel/provoke.h"

#include "kernel/cpu.h"
#include "kernel/panic.h"
#include "locks/pv.h"
#include "port/port.h"
#include "pvspin/layout.h"
#include "pvspin/string.h"

extern char text_start[]; /* linker.ld */

static void __attribute__((noinline)) provoke_panic(void)
{
	panic("provoked on purpose (provoke=panic)");
}

static void __attribute__((noinline)) provoke_invalid_opcode(void)
{
	__asm__ volatile("ud2");
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
	port_flush();
	halt_for_ever();
}

static void lose_kick(uint32_t cpu)
{
	(void)cpu;
}

/* Waiters halt, and nobody wakes them. */
static void provoke_lost_kick(void)
{
	static struct pv_backend lossy;

	lossy = *pv_backend;
	lossy.kick = lose_kick;
	pv_backend = &lossy;
}

void provoke(const char *name)
{
	if (strcmp(name, "panic") == 0)
		provoke_panic();
	else if (strcmp(name, "ud") == 0)
		provoke_invalid_opcode();
	else if (strcmp(name, "pf") == 0)
		provoke_page_fault();
	else if (strcmp(name, "nx") == 0)
		provoke_execute_data();
	else if (strcmp(name, "stack") == 0)
		provoke_stack_overflow(NULL);
	else if (strcmp(name, "hang") == 0)
		provoke_hang();
	else if (strcmp(name, "lost-kick") == 0)
		provoke_lost_kick();
}
