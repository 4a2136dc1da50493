/* SPDX-License-Identifier: MIT */
/*
 * The HPET is used because the local APIC's timer sends only maskable interrupts, most VMs lack
 * performance counters, and another vCPU that watched CPU 0 would have to run in the measured
 * phase. In legacy replacement mode the HPET's timer 0 raises a pin of the I/O APIC, whose entry
 * can make that an NMI. That mode also takes the 8254's interrupt, which firmware left running, off
 * the pin.
 *
 * Time is the HPET's own, because the TSC's rate may be inaccurate. A counter of 32 bits (AMD's)
 * wraps within minutes, so a bound is waited for in steps of at most half the counter's range, with
 * one NMI each.
 */
#include "kernel/watchdog.h"

#include "kernel/apic.h"
#include "kernel/hpet.h"
#include "kernel/ioapic.h"
#include "kernel/traps.h"
#include "lib/units.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define FS_PER_MS 1000000000000

static bool usable;
static uint64_t left;    /* ticks left of the bound from `since` on; 0: no bound */
static uint64_t since;   /* the counter at the last step */
static uint64_t step;    /* ticks to the next NMI */
static uint64_t span_ns; /* length of the bound */
static bool late;        /* time was up when the bound was lifted: its NMI may be under way */
static void (*callback)(void *arg);
static void *callback_argument;

const char *watchdog_source(void)
{
	return usable ? "hpet" : "none";
}

static uint64_t passed(uint64_t now)
{
	return (now - since) & hpet_mask();
}

static void begin_step(uint64_t now)
{
	uint64_t longest = hpet_mask() / 2;

	since = now;
	step = left < longest ? left : longest;
	atomic_signal_fence(memory_order_seq_cst); /* stores all before the NMI can come */
	hpet_interrupt_at((since + step) & hpet_mask());
}

void watchdog_start(uint64_t ns, void (*fn)(void *arg), void *arg)
{
	if (!usable)
		return;
	watchdog_stop();
	callback = fn;
	callback_argument = arg;
	span_ns = ns;
	left = ns / NS_PER_MS * (FS_PER_MS / hpet_period_fs()) + 1;
	begin_step(hpet_counter());
}

void watchdog_stop(void)
{
	bool set = left != 0;

	if (!usable)
		return;
	left = 0;
	atomic_signal_fence(memory_order_seq_cst);
	hpet_interrupt_off();
	if (set && passed(hpet_counter()) >= step)
		late = true;
}

void watchdog_feed(void)
{
	if (left != 0)
		watchdog_start(span_ns, callback, callback_argument);
}

static void time_is_up(const struct trap_frame *frame)
{
	(void)frame;
	callback(callback_argument);
}

/* Tells whether an NMI on CPU 0 is the watchdog's, which includes that of a bound lifted in the
 * same instant. If time is up, the callback runs after the handler. */
static bool bites(struct trap_frame *frame)
{
	bool was_late = late;
	uint64_t now;

	late = false;
	if (left == 0)
		return was_late;
	now = hpet_counter();
	if (passed(now) < step)
		return was_late; /* an NMI long before the deadline is not ours */
	if (passed(now) < left) {
		left -= passed(now);
		begin_step(now);
		return true;
	}
	left = 0;
	traps_leave_nmi(frame, time_is_up);
	return true;
}

void watchdog_init(void)
{
	usable = hpet_present() && hpet_route_legacy() && ioapic_nmi(HPET_LEGACY_PIN, apic->id());
	if (usable)
		traps_handle_nmi_first(bites);
}
