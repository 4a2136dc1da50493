/* SPDX-License-Identifier: MIT */
/*
 * What only the hosted build knows of its port: Linux threads for CPUs. CPU i is a thread pinned to
 * the i-th CPU that this process may use, round robin, so there may be more "CPUs" than CPUs: they
 * are then preempted by each other, which is what a hosted run can show of overcommit.
 */
#ifndef PVSPIN_PORT_HOSTED_HOSTED_H
#define PVSPIN_PORT_HOSTED_HOSTED_H

#include "locks/core/pv.h"
#include <pthread.h>
#include <stdint.h>

#define HOSTED_MAX_CPUS 1024

/* First call of main(): `cpus` CPU indices, 0 for one per usable CPU. Chooses pv_hosted. May be
 * called again, outside any run, for more. Ends the process with a message if it cannot. */
void hosted_init(uint32_t cpus);
uint32_t hosted_usable_cpus(void);
void hosted_set_nodes(uint32_t nodes); /* for port_node: that many runs of CPUs; 1 until then */
pthread_t hosted_timer_thread(void);   /* starts it, if it is not there yet */
void hosted_unpin(void);               /* lets the calling thread run on any usable CPU */

/* SDM vol. 3A, 9.1.3: before running code that another thread has patched. */
static inline void hosted_serialise(void)
{
	uint32_t a = 0, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory");
}

/* For tests, outside any run: port_node(cpu) is cpu % nodes from now on; 0: as it was. */
void hosted_pretend_nodes(uint32_t nodes);

/* pv.c. To be chosen by assignment to pv_backend. */
extern const struct pv_backend pv_hosted; /* futex with KVM's sticky kick, sched_yield */

void hosted_pv_init(uint32_t cpus);

#endif
