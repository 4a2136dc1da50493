/* SPDX-License-Identifier: MIT */
/* See shake.h; in the other flavours nobody calls this. */
#define _GNU_SOURCE
#include "shake.h"
#include <sched.h>
#include <stdint.h>

void shake(void)
{
	static _Thread_local uint32_t state;

	if (state == 0) /* threads are many and short: the address of the stack tells them apart */
		state = (uint32_t)(uintptr_t)&state ^ (uint32_t)__builtin_ia32_rdtsc();
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	if (state % 64 == 0)
		sched_yield();
	else if (state % 16 == 1)
		for (uint32_t i = state >> 26; i > 0; i--)
			__builtin_ia32_pause();
}
