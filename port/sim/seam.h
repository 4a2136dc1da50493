/* SPDX-License-Identifier: MIT */
/*
 * Between the two halves of the simulated port. The guest's half, loaded once for each VM, is
 * locks/ and bench/ over port/sim; it calls these functions of the engine (sim/). Whatever a vCPU
 * does that takes time or that another one may see goes through here; what lies between two calls
 * takes no time and nobody sees it.
 *
 * Only port/sim/ and sim/ include this.
 */
#ifndef PVSPIN_PORT_SIM_SEAM_H
#define PVSPIN_PORT_SIM_SEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Memory, as an x86 CPU sees it (TSO). `size`: 1, 2, 4 or 8 bytes, aligned. ---- */

enum sim_rmw {
	SIM_EXCHANGE,
	SIM_ADD,
	SIM_SUB,
	SIM_OR,
	SIM_AND,
};

uint64_t sim_load(const volatile void *at, uint32_t size);
void sim_store(volatile void *at, uint32_t size, uint64_t value);
/* Locked operations; they return the value before. */
uint64_t sim_rmw(volatile void *at, uint32_t size, enum sim_rmw operation, uint64_t operand);
/* Returns whether *at was *expected and is `desired` now; else *expected is what was found. */
bool sim_compare_exchange(volatile void *at, uint32_t size, uint64_t *expected, uint64_t desired);
void sim_fence(void);

/* ---- Time ---- */

uint64_t sim_cycles(void);
void sim_work(uint64_t cycles);
/* PAUSE, and up to most - 1 polls more with all that belongs to each, if nothing can come between;
 * returns how many it was, 1 at least. */
uint64_t sim_pause(uint64_t most);
/* Calls fn(arg) in interrupt context on CPU 0, once. */
void sim_timer_start(uint64_t ns, void (*fn)(void *arg), void *arg);
void sim_timer_cancel(void);
/* Calls fn on the calling CPU every `ns`, in interrupt context; interrupts are enabled until 0. */
void sim_tick(uint64_t ns, void (*fn)(void));

/* ---- The VM's CPUs ---- */

uint32_t sim_cpu(void);
void sim_run_on(uint32_t count, void (*fn)(void *arg), void *arg);
/* Enables or masks the calling CPU's interrupts; returns what was. */
bool sim_interrupts(bool enable);
/* HLT: until a kick; with interrupts enabled (STI; HLT) until an interrupt, too. */
void sim_halt(bool open);
void sim_kick(uint32_t cpu);      /* KVM_HC_KICK_CPU */
void sim_yield_to(uint32_t cpu);  /* KVM_HC_SCHED_YIELD */
void sim_interrupt(uint32_t cpu); /* an IPI that does nothing but end a HLT */
/* A kernel thread of the host keeps its CPU in between; pairs may nest. No effect on a vCPU. */
void sim_preempt_disable(void);
void sim_preempt_enable(void);
struct steal_area;
struct steal_area *sim_steal_area(uint32_t cpu);

/* ---- Around it ---- */

struct sim_facts {
	const char *cmdline;
	const char *vendor, *model;
	uint64_t khz;
	uint32_t cpus;         /* this VM's vCPUs */
	uint32_t instance;     /* which VM this is, from 0 */
	uint32_t kvm_features; /* as CPUID leaf 0x40000001 EAX */
	uint64_t seed;
	bool host; /* no VM: the CPUs are kernel threads of the host */
};

const struct sim_facts *sim_facts(void);
/* The i-th parameter of the modelled host, for the boot record. False: there is none. */
bool sim_host_key(uint32_t i, const char **name, uint64_t *value, const char **text);
void *sim_alloc(size_t bytes, size_t align); /* zeroed, at the same address in each run */
void sim_write(const char *bytes, size_t count);
/* The launcher's next line; waits for it while other VMs run. False: none will come. */
bool sim_read_line(char *line, size_t size);
/* What to call if this VM's CPUs can never go on; NULL: nothing. */
void sim_watch(void (*report)(void));
/* Whether it is a deadlock that has called what sim_watch() was given. */
bool sim_deadlocked(void);
/* The VM's i-th scheduling event from the last one back, as text. False: there is none. */
bool sim_history(uint32_t i, char *text, size_t size);
uint64_t sim_wall_ns(void);
void sim_end(int status) __attribute__((noreturn));

/* ---- What the guest's half offers, found by name ---- */

void sim_guest_main(void);
/* The guest's half has trapped: writes a panic record. */
void sim_guest_panic(const char *reason, uint64_t rip);

#endif
