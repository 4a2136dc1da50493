/* SPDX-License-Identifier: MIT */
/*
 * The part of port.h that is inlined: on real CPUs one instruction each. The simulated port has a
 * file of this name that is found before this one (port/sim/include), as it has one for
 * bench/work.h and <stdatomic.h>.
 */
#ifndef PVSPIN_PORT_INLINE_H
#define PVSPIN_PORT_INLINE_H

#include <stdint.h>

/*
 * Cycles to wait after each PAUSE, 0: none. Set before the runs. A CPU counts PAUSEs as a loop,
 * from which it exits to the hypervisor, only if they are close together (Intel: PLE_Gap, SDM vol.
 * 3C, 26.1.3; AMD: pause filter threshold, APM vol. 2, 15.14.4; KVM sets 128 cycles). So with more
 * than that there are no such exits.
 */
extern uint32_t port_pause_gap;
void port_wait_gap(void) __attribute__((cold));

/* PAUSE: about 65 cycles on Zen, 140 on Skylake and later, 10 before. */
static inline void port_relax(void)
{
	__builtin_ia32_pause();
	if (__builtin_expect(port_pause_gap != 0, 0))
		port_wait_gap();
}

/*
 * PAUSE in a loop that polls. Returns how many polls this one stands for: 1, or more where CPUs are
 * simulated. The caller promises that it does nothing but repeat its looks at memory, as long as
 * they find what they found last time, for at least `most` polls including this one. A caller that
 * counts its polls adds the result.
 */
static inline uint64_t port_poll(uint64_t most)
{
	(void)most;
	port_relax();
	return 1;
}

/* TSC, unserialised: good for statistics and for intervals of 100 cycles and more. */
static inline uint64_t port_cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/*
 * Reads the TSC after all earlier instructions have been executed and before any later one: for
 * intervals of a few cycles. A plain RDTSC may be executed before an earlier locked instruction has
 * its cache line. LFENCE on both sides (SDM vol. 2B, RDTSC) needs no feature bit, unlike RDTSCP.
 * AMD's LFENCE waits only if DE_CFG says so, which Linux sets on every host.
 */
static inline uint64_t port_cycles_ordered(void)
{
	uint64_t cycles;

	__asm__ volatile("lfence" : : : "memory");
	cycles = __builtin_ia32_rdtsc();
	__asm__ volatile("lfence" : : : "memory");
	return cycles;
}

/* A kernel disables preemption before it asks for a spinlock and enables it after the release.
 * Guests and processes cannot do that; the simulated port's host threads can. */
static inline void port_preempt_disable(void)
{
}

static inline void port_preempt_enable(void)
{
}

/* A plain increment of what a lock protects: it pays for the line's way to this CPU. */
static inline void port_increment(uint64_t *counter)
{
	(*counter)++;
}

#endif
