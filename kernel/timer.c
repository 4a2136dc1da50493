/* SPDX-License-Identifier: MIT */
/* The local APIC timer, one-shot or, as a tick, periodic. SDM vol. 3A, 11.5.4. */
#include "kernel/timer.h"

#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/percpu.h"
#include "kernel/traps.h"
#include "kernel/tsc.h"
#include <stdbool.h>
#include <stddef.h>

#define DIVISOR          128 /* as apic_enable() leaves it */
#define LVT_MASKED       (1u << 16)
#define LVT_PERIODIC     (1u << 17) /* SDM vol. 3A, figure 11-8 */
#define COUNT_MAX        0xffffffffu
#define CALIBRATE_US     1000
#define CALIBRATE_ROUNDS 5

static uint64_t ticks_per_ms;
static void (*callback)(void *arg);
static void *callback_argument;
static uint64_t deadline; /* TSC */
static void (*tick)(void);

/* Rounded up: never too early. */
static uint32_t count_of(uint64_t us)
{
	uint64_t count = us * ticks_per_ms / (UINT64_C(1000) * DIVISOR) + 1;

	return count > COUNT_MAX ? COUNT_MAX : (uint32_t)count;
}

/*
 * The count has 32 bits. Divided by 128, that is 9 minutes at KVM's 1 GHz, so that even a long wait
 * is one interrupt: a further one would end a HLT, and a lost wake-up would go unnoticed. The
 * divider is written only once on each CPU, because KVM restarts the timer when it changes, even an
 * expired one-shot timer, which then fires at once (Linux arch/x86/kvm/lapic.c, the case APIC_TDCR
 * of kvm_lapic_reg_write).
 */
static void arm(void)
{
	uint64_t now = rdtsc();
	uint64_t us = now < deadline ? tsc_to_ns(deadline - now) / 1000 + 1 : 1;

	apic->write(APIC_TIMER_INITIAL, count_of(us));
}

static void timer_interrupt(struct trap_frame *frame)
{
	void (*fn)(void *arg) = callback;

	(void)frame;
	apic_eoi();
	if (fn == NULL)
		return;
	if (rdtsc() < deadline) {
		arm();
		return;
	}
	callback = NULL;
	fn(callback_argument);
}

static void tick_interrupt(struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
	tick();
}

static void doze_interrupt(struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
}

/* Count and time of an interval are read separately, and the vCPU can lose its CPU in between. The
 * median of a few rounds is free of that. */
void timer_init(void)
{
	uint64_t rate[CALIBRATE_ROUNDS];

	apic->write(APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_1);
	apic->write(APIC_LVT_TIMER, LVT_MASKED);
	for (int i = 0; i < CALIBRATE_ROUNDS; i++) {
		uint64_t start, count;
		int at = i;

		apic->write(APIC_TIMER_INITIAL, COUNT_MAX);
		start = rdtsc();
		tsc_delay_us(CALIBRATE_US / CALIBRATE_ROUNDS);
		count = COUNT_MAX - apic->read(APIC_TIMER_CURRENT);
		rate[i] = count * 1000000 / tsc_to_ns(rdtsc() - start);
		for (; at > 0 && rate[at - 1] > rate[at]; at--) {
			uint64_t other = rate[at - 1];

			rate[at - 1] = rate[at];
			rate[at] = other;
		}
	}
	apic->write(APIC_TIMER_INITIAL, 0);
	apic->write(APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_128);
	ticks_per_ms = rate[CALIBRATE_ROUNDS / 2];
	traps_handle(VECTOR_TIMER, timer_interrupt);
	traps_handle(VECTOR_DOZE, doze_interrupt);
	traps_handle(VECTOR_TICK, tick_interrupt);
	apic->write(APIC_LVT_TIMER, VECTOR_TIMER);
}

void timer_start(uint64_t ns, void (*fn)(void *arg), void *arg)
{
	uint64_t flags = read_flags();

	irq_disable();
	callback = fn;
	callback_argument = arg;
	deadline = rdtsc() + tsc_from_ns(ns);
	arm();
	if (flags & RFLAGS_IF)
		irq_enable();
}

void timer_cancel(void)
{
	callback = NULL; /* an interrupt already under way then does nothing */
	apic->write(APIC_TIMER_INITIAL, 0);
}

void timer_doze(uint64_t ns)
{
	uint64_t flags = read_flags();

	irq_disable();
	apic->write(APIC_LVT_TIMER, VECTOR_DOZE);
	apic->write(APIC_TIMER_INITIAL, count_of(ns / 1000));
	this_cpu()->halts++;
	irq_enable_and_halt();
	irq_disable();
	apic->write(APIC_TIMER_INITIAL, 0);
	if (flags & RFLAGS_IF)
		irq_enable();
}

void timer_tick_start(uint64_t ns, void (*fn)(void))
{
	tick = fn;
	apic->write(APIC_LVT_TIMER, VECTOR_TICK | LVT_PERIODIC);
	apic->write(APIC_TIMER_INITIAL, count_of(ns / 1000));
}

void timer_tick_stop(void)
{
	apic->write(APIC_TIMER_INITIAL, 0);
	apic->write(APIC_LVT_TIMER, this_cpu()->index == 0 ? VECTOR_TIMER : LVT_MASKED);
}

static void set_flag(void *flag)
{
	*(volatile bool *)flag = true;
}

void timer_sleep(uint64_t ns)
{
	volatile bool over = false;
	uint64_t flags = read_flags();

	timer_start(ns, set_flag, (void *)&over);
	irq_disable();
	while (!over) {
		this_cpu()->halts++;
		irq_enable_and_halt();
		irq_disable();
	}
	if (flags & RFLAGS_IF)
		irq_enable();
}
