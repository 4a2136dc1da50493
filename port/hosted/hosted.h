/* SPDX-License-Identifier: MIT */
/*
 * The hosted port's own interface: Linux threads stand for CPUs. CPU i is a thread pinned to the
 * i-th CPU that this process may use, round robin. There may be more such "CPUs" than real ones;
 * they then preempt each other, which is the form of overcommit that a hosted run can show.
 */
#ifndef PVSPIN_PORT_HOSTED_HOSTED_H
#define PVSPIN_PORT_HOSTED_HOSTED_H

#include "locks/core/pv.h"
#include <pthread.h>
#include <stdint.h>

#define HOSTED_MAX_CPUS 1024

/* Must be main()'s first call. Provides `cpus` CPU indices (0: one per usable CPU) and chooses
 * pv_hosted. May be called again for more, outside any run. If it fails, it ends the process with a
 * message. */
void hosted_init(uint32_t cpus);
uint32_t hosted_usable_cpus(void);
void hosted_set_nodes(uint32_t nodes); /* the number of nodes for port_node; default 1 */
pthread_t hosted_timer_thread(void);   /* starts the thread if necessary */
void hosted_unpin(void);               /* lets the calling thread run on any usable CPU */

/* SDM vol. 3A, 9.1.3: before running code that another thread has patched. */
static inline void hosted_serialise(void)
{
	uint32_t a = 0, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory");
}

/* For tests, outside any run: makes port_node(cpu) return cpu % nodes; 0 restores the original. */
void hosted_pretend_nodes(uint32_t nodes);

/* pv.c. Chosen by assignment to pv_backend. */
extern const struct pv_backend pv_hosted; /* futex with KVM's sticky kick, sched_yield */

void hosted_pv_init(uint32_t cpus);

#endif
