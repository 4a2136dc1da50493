/* SPDX-License-Identifier: MIT */
/* port_watch() in the guest, by kernel/watchdog.c. From boot on there is always a bound: the one
 * that was set, or the default. */
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/watchdog.h"
#include "port/guest/port_guest.h"
#include "port/hang.h"
#include "port/port.h"
#include <stddef.h>

#define USUAL_NS 120000000000ull

static uint64_t usual_ns = USUAL_NS;

static struct {
	const char *what;
	uint64_t ns;
	void (*report)(void);
} watch;

/* On CPU 0, behind the NMI. Before port_guest_init() there is no per-CPU data to report with. */
static void time_is_up(void *unused)
{
	struct hang hang = {.what = watch.what, .bound_ns = watch.ns};

	(void)unused;
	if (watch.report != NULL)
		watch.report();
	if (port_cpu_count() == 0)
		panic_hang(this_cpu()->frame, watch.what, watch.ns / 1000000);
	port_report_hang(&hang);
	port_abort();
}

void port_watch(const char *what, uint64_t ns, void (*report)(void))
{
	watch.what = what;
	watch.ns = ns;
	watch.report = report;
	watchdog_start(ns, time_is_up, NULL);
}

void watch_set_usual(uint64_t ms)
{
	if (ms != 0)
		usual_ns = ms * 1000000;
}

void port_watch_over(void)
{
	port_watch("between two runs or tests", usual_ns, NULL);
}
