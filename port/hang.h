/* SPDX-License-Identifier: MIT */
/*
 * What bench/ and tests/ do when a lock never comes free: they notice by a timer, tell the port
 * what they know, and the port says where each CPU stands.
 */
#ifndef PVSPIN_PORT_HANG_H
#define PVSPIN_PORT_HANG_H

#include <stdint.h>

struct lock_ops; /* locks/core/lock.h */

struct hang {
	const char *what;           /* the run or test that hangs */
	const struct lock_ops *ops; /* NULL: no lock is known, nor what is below down to bound_ns */
	const void *lock;
	uint32_t owner;                     /* CPU index + 1 of who is in the section; 0 nobody */
	uint32_t threads;                   /* CPUs 0..threads-1 take part */
	uint64_t bound_ns;                  /* the time it was given */
	const char *(*state)(uint32_t cpu); /* what it does, as far as the caller can tell */
};

/*
 * Reports the hang. In the guest it stops the other CPUs for good, where they are, and writes a
 * `hang` record and a `hang_cpu` record for each CPU; hosted it writes lines for people. In
 * interrupt context on CPU 0 (hosted: in any thread). It must not return to what was interrupted.
 */
void port_report_hang(const struct hang *hang);

/*
 * In the guest: what CPU 0 does now has `ns`. If nothing else is said by then, report() is called
 * on CPU 0, also if that hangs with interrupts masked; it must not return, and bounds itself by
 * another one (port_report_hang() does). NULL
 * reports a hang without a lock, named `what`, and aborts. port_watch_over(): what comes has the
 * usual time. Hosted: neither does anything.
 */
void port_watch(const char *what, uint64_t ns, void (*report)(void));
void port_watch_over(void);

/* Ends everything as a crash does: run.sh and the hosted binary exit with 5. */
void port_abort(void) __attribute__((noreturn));

#endif
