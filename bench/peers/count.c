/* SPDX-License-Identifier: MIT */
/*
 * Counts the locked instructions of a pair by running it under the trap flag: after each
 * instruction a trap's handler looks at the bytes of the next one. So the least cost of a lock is
 * counted, not taken from a list that could be wrong.
 */
#define _GNU_SOURCE
#include "bench/peers/peer.h"
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100

static volatile sig_atomic_t steps, locked;

/* SDM vol. 2, 2.1.1: F0 is LOCK, 66, F2, F3 and the segment overrides may come before it; 40-4F is
 * REX. XCHG with memory (86, 87; ModRM.mod not 3) is locked without a prefix. */
static bool is_locked(const uint8_t *code)
{
	while (*code == 0x66 || *code == 0xf2 || *code == 0xf3 || *code == 0x2e || *code == 0x36 ||
	       *code == 0x3e || *code == 0x26 || *code == 0x64 || *code == 0x65)
		code++;
	if (*code == 0xf0)
		return true;
	if ((*code & 0xf0) == 0x40)
		code++;
	return (*code == 0x86 || *code == 0x87) && code[1] < 0xc0;
}

static void trapped(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *machine = context;

	(void)signal;
	(void)info;
	steps++;
	if (is_locked((const uint8_t *)machine->uc_mcontext.gregs[REG_RIP]))
		locked++;
}

/* Sets or clears the trap flag. 128 skips the compiler's red zone. */
static inline void trap_flag(bool on)
{
	if (on)
		__asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; orq %0, (%%rsp); popfq;"
				 "lea 128(%%rsp), %%rsp"
				 :
				 : "i"(TRAP_FLAG)
				 : "memory", "cc");
	else
		__asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; andq %0, (%%rsp); popfq;"
				 "lea 128(%%rsp), %%rsp"
				 :
				 : "i"(~TRAP_FLAG)
				 : "memory", "cc");
}

int peer_locked_instructions(const struct peer *peer, const struct instance *instance)
{
	struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO}, old;

	peer->pairs(instance->lock, instance->nodes, 1); /* resolves lazily bound symbols */
	sigaction(SIGTRAP, &action, &old);
	steps = locked = 0;
	trap_flag(true);
	peer->pairs(instance->lock, instance->nodes, 1);
	trap_flag(false);
	sigaction(SIGTRAP, &old, NULL);
	return steps > 0 ? locked : -1;
}
