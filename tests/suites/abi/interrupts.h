/* SPDX-License-Identifier: MIT */
/*
 * Counts exactly how many interrupts of a vector each CPU took. To show that an interrupt does not
 * come, a fence (an interrupt of lower priority) is sent after it: once the fence has been taken,
 * every pending interrupt above it has been taken, too (SDM vol. 3A, 11.8.3.1). Controlled from CPU
 * 0, between works (kernel/smp.h) or within one; the other CPUs take interrupts while they idle.
 */
#ifndef PVSPIN_TESTS_SUITES_ABI_INTERRUPTS_H
#define PVSPIN_TESTS_SUITES_ABI_INTERRUPTS_H

#include "kernel/apic.h"
#include "kernel/traps.h"
#include "tests/suites/tap.h"
#include <stdbool.h>
#include <stdint.h>

#define VECTOR_FENCE 0x33 /* below VECTOR_TEST: priority class 3 against 4 */

/* This CPU's bit for `vector` in APIC_ISR or APIC_IRR. */
static inline bool interrupts_bit(uint32_t set, uint8_t vector)
{
	return apic->read(set + vector / 32 * 0x10) >> vector % 32 & 1;
}

/* Counts `vector` on all CPUs, starting at 0. Each interrupt is ended with an EOI, except NMIs. */
void interrupts_count(uint8_t vector);
uint32_t interrupts_taken(uint32_t cpu, uint8_t vector);
/* True as soon as the CPU has taken `count`; false after WAKE_BOUND_MS (scene.h). */
bool interrupts_reach(uint32_t cpu, uint8_t vector, uint32_t count);

/* Waits until the CPU has taken all interrupts sent to it. Fails and returns false if it takes
 * none. */
bool interrupts_settle(struct test_result *result, uint32_t cpu);

/*
 * Finds out where a pending interrupt is taken. interrupts_pend() masks interrupts and makes
 * VECTOR_TEST pending on this CPU. The code under test lets it in. interrupts_place() enables
 * interrupts and returns the address at which it was taken; if it was not taken exactly once, it
 * fails and returns 0.
 */
void interrupts_pend(void);
uint64_t interrupts_place(struct test_result *result);

/*
 * Calls attempt() and returns how many bytes after an STI the pending interrupt was taken. An
 * emulated SVM loses STI's shadow now and then (kernel/traps.c). The interrupt then comes at once,
 * 0 bytes after the STI, which tells nothing about the instructions that follow. So under nested
 * the attempt is repeated, and the result says how often.
 */
int64_t interrupts_behind_sti(struct test_result *result,
			      int64_t (*attempt)(struct test_result *result));

/* Settles all CPUs, then removes the vector's handler. */
void interrupts_stop(struct test_result *result, uint8_t vector);

#endif
