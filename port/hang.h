/* SPDX-License-Identifier: MIT */
/*
 * For locks that never become free: bench/ and tests/ notice by a timer and tell the port what they
 * know; the port reports where each CPU stands.
 */
#ifndef PVSPIN_PORT_HANG_H
#define PVSPIN_PORT_HANG_H

#include <stdint.h>

struct lock_ops; /* locks/core/lock.h */

struct hang {
	const char *what; /* the run or test that hangs */
	const struct lock_ops
		*ops; /* NULL: no lock is known; the fields up to bound_ns are unset */
	const void *lock;
	uint32_t owner;                     /* index + 1 of the CPU in the section; 0: none */
	uint32_t threads;                   /* CPUs 0..threads-1 take part */
	uint64_t bound_ns;                  /* the time that it had */
	const char *(*state)(uint32_t cpu); /* a CPU's state, as far as the caller knows it */
};

/*
 * Reports the hang. In the guest it stops the other CPUs for good and writes a `hang` record and a
 * `hang_cpu` record for each CPU; the hosted build writes lines for people. Called in interrupt
 * context on CPU 0 (hosted: in any thread). The caller must not return to the interrupted code.
 */
void port_report_hang(const struct hang *hang);

/*
 * In the guest: gives CPU 0's current work `ns`. Unless one of these functions is called before,
 * report() is then called on CPU 0, even if that hangs with interrupts masked. report() must not
 * return and must bound itself (as port_report_hang() does). With NULL, a hang named `what`,
 * without a lock, is reported and the guest aborts. port_watch_over() sets the default bound for
 * the following work. Hosted: both do nothing.
 */
void port_watch(const char *what, uint64_t ns, void (*report)(void));
void port_watch_over(void);

/* Ends everything as a crash does: run.sh and the hosted binary exit with 5. */
void port_abort(void) __attribute__((noreturn));

#endif
