/* SPDX-License-Identifier: MIT */
/*
 * Which CPU took how many interrupts of a vector, exactly. An interrupt that must not come is not
 * waited for: a fence, an interrupt of lower priority, is sent after it; when that one has been
 * taken, all that was pending above it has been too (SDM vol. 3A, 11.8.3.1). Controlled from CPU 0,
 * between works (kernel/smp.h) or within one; the other CPUs take interrupts while they idle.
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

/* Takes and counts `vector` on all CPUs, from 0; ends each with an EOI, except NMIs. */
void interrupts_count(uint8_t vector);
uint32_t interrupts_taken(uint32_t cpu, uint8_t vector);
/* True as soon as the CPU has taken `count`; false after WAKE_BOUND_MS (scene.h). */
bool interrupts_reach(uint32_t cpu, uint8_t vector, uint32_t count);

/* The CPU has taken all that was sent to it; false, and a failure, if it takes no interrupts. */
bool interrupts_settle(struct test_result *result, uint32_t cpu);

/*
 * Where a pending interrupt is taken. interrupts_pend() masks interrupts and makes VECTOR_TEST
 * pending on this CPU; the code under test lets it in; interrupts_place() enables interrupts and
 * returns the address it was taken at: a failure, and 0, if it was not taken exactly once.
 */
void interrupts_pend(void);
uint64_t interrupts_place(struct test_result *result);

/*
 * How many bytes behind an STI the pending interrupt is taken, by attempt(). An emulated SVM loses
 * STI's shadow now and then (kernel/traps.c); the interrupt then comes at once, 0 bytes behind it,
 * which says nothing about what follows: under nested it is attempted again, and the result says
 * how often.
 */
int64_t interrupts_behind_sti(struct test_result *result,
			      int64_t (*attempt)(struct test_result *result));

/* Settles all CPUs; then the vector has no handler any more. */
void interrupts_stop(struct test_result *result, uint8_t vector);

#endif
