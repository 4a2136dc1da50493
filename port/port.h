/* SPDX-License-Identifier: MIT */
/*
 * The services that locks/ and bench/ need from where they run: the bare guest (port/guest/), Linux
 * threads (port/hosted/) or simulated CPUs (port/sim/). "CPU" is the dense index
 * 0..port_cpu_count()-1, never an APIC ID.
 */
#ifndef PVSPIN_PORT_PORT_H
#define PVSPIN_PORT_PORT_H

#include "lib/lines.h"
#include "port/inline.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t port_tsc_khz(void); /* never 0 */
uint64_t port_cycles_to_ns(uint64_t cycles);
uint64_t port_ns_to_cycles(uint64_t ns);

/* Nanoseconds since 1970 by a clock that this host shares with all of its VMs; 0 if there is none.
 * In a VM it does not follow the host's adjustments of its clock. port_wall_sync(), which is slow,
 * makes it equal to the host's again. Call that outside any run. */
uint64_t port_wall_ns(void);
void port_wall_sync(void);

/* For how long a quota of CPU time has stopped the CPUs since the start, summed over them; 0 if
 * unknown. Hosted: from cgroups. Call it outside any run. */
uint64_t port_throttled_ns(void);

/* Writes the i-th sentence about other influences of this environment on the figures. False if
 * there is none. */
bool port_note(uint32_t i, char *text, size_t size);

uint32_t port_cpu(void);          /* the calling CPU's index */
uint32_t port_cpu_count(void);    /* CPUs online */
uint32_t port_node(uint32_t cpu); /* its NUMA node, dense from 0; 0 where unknown */

struct lock_stats; /* locks/core/stats.h */
struct lock_stats *port_stats(uint32_t cpu);
struct lock_stats *port_my_stats(void);

/*
 * Runs fn(arg) on CPUs 0..count-1 and returns when all have returned. Call on CPU 0, outside any
 * run. In the guest, CPUs other than 0 run fn with interrupts masked; CPU 0 keeps them enabled,
 * for the timer, and halts while it waits for the rest.
 */
void port_run_on(uint32_t count, void (*fn)(void *arg), void *arg);

/* Calls fn(arg) once, `ns` from now, in interrupt context on the calling CPU (hosted: on a timer
 * thread). One timer at a time, armed on CPU 0 only; fn may arm the next. */
void port_timer_start(uint64_t ns, void (*fn)(void *arg), void *arg);
void port_timer_cancel(void);

/* Returns zeroed memory, for set-up only: never freed. If there is none left, ends the program. */
void *port_alloc(size_t bytes, size_t align);

/* The same for each CPU 0..count-1, in the guest on the CPU's NUMA node: CPU c's `bytes` are at the
 * result + c * *stride, two cache lines apart from the others'. */
void *port_alloc_each(uint32_t count, size_t bytes, size_t *stride);

struct port_text_patch {
	void *address;
	uint8_t bytes[8];
	uint8_t count; /* of `bytes`, 1..8 */
};

/*
 * Overwrites part of pvspin's own machine code, which no CPU may be executing: call on CPU 0,
 * outside any run. When it returns, every CPU has executed a serialising instruction after the
 * write (SDM vol. 3A, 9.1.3, cross-modifying code), or will do so before it runs the patched code.
 */
void port_patch_text(const struct port_text_patch *patch, size_t count);

enum port_input {
	PORT_INPUT_LINE,
	PORT_INPUT_LATE,  /* no line within the time */
	PORT_INPUT_ENDED, /* no line will come any more; a UART never knows that */
};

/* Reads one non-empty line of input, without its end (CR or LF), cut to `size` - 1 bytes. Call on
 * CPU 0, outside any run. */
enum port_input port_read_line(char *line, size_t size, uint64_t timeout_ns);

#endif
