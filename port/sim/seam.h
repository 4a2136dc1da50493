/* SPDX-License-Identifier: MIT */
/*
 * Between the two halves of the simulated port. The guest's half, loaded once for each VM, is
 * locks/ and bench/ over port/sim; it calls these functions of the engine (sim/). A vCPU's actions
 * that take time, or that another vCPU may see, are calls of these functions. Between two calls no
 * time passes, and nothing happens that another vCPU sees.
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
/* A locked operation. Returns the value before it. */
uint64_t sim_rmw(volatile void *at, uint32_t size, enum sim_rmw operation, uint64_t operand);
/* LOCK CMPXCHG. If *at is *expected, stores `desired` and returns true; otherwise sets *expected to
 * the value found and returns false. */
bool sim_compare_exchange(volatile void *at, uint32_t size, uint64_t *expected, uint64_t desired);
void sim_fence(void);

/* ---- Time ---- */

uint64_t sim_cycles(void);
void sim_work(uint64_t cycles);
/* PAUSE. If nothing can change meanwhile, also makes up to most - 1 further polls like the last
 * one. Returns the number of polls, at least 1. After each PAUSE come `gap` cycles. */
uint64_t sim_pause(uint64_t most, uint64_t gap);
/* Calls fn(arg) in interrupt context on CPU 0, once. */
void sim_timer_start(uint64_t ns, void (*fn)(void *arg), void *arg);
void sim_timer_cancel(void);
/* Enables interrupts and calls `tick` on the calling CPU every `ns`, and `call` after a sim_call(),
 * both in interrupt context. ns = 0 ends that; interrupts then stay enabled on CPU 0 only. */
void sim_tick(uint64_t ns, void (*tick)(void), void (*call)(void));

/* ---- The VM's CPUs ---- */

uint32_t sim_cpu(void);
void sim_run_on(uint32_t count, void (*fn)(void *arg), void *arg);
/* Enables or masks the calling CPU's interrupts; returns whether they were enabled. */
bool sim_interrupts(bool enable);
/* HLT until a kick. `open`: with interrupts enabled (STI; HLT); then an interrupt ends it, too. */
void sim_halt(bool open);
void sim_kick(uint32_t cpu);      /* KVM_HC_KICK_CPU */
void sim_yield_to(uint32_t cpu);  /* KVM_HC_SCHED_YIELD */
void sim_long_spin(void);         /* HvCallNotifyLongSpinWait */
void sim_interrupt(uint32_t cpu); /* an IPI that does nothing but end a HLT */
void sim_call(uint32_t cpu);      /* an IPI that runs what sim_tick() was given there */
/* Between these two a kernel thread of the host keeps its CPU; pairs may nest. No effect on a vCPU.
 */
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
	bool host; /* this is no VM: its CPUs are kernel threads of the host */
};

const struct sim_facts *sim_facts(void);
/* Gives the i-th parameter of the modelled host, for the boot record; see host_key(). Returns false
 * if there are not so many. */
bool sim_host_key(uint32_t i, const char **name, uint64_t *value, const char **text);
void *sim_alloc(size_t bytes, size_t align); /* zeroed, at the same address in each run */
void sim_write(const char *bytes, size_t count);
/* Reads the launcher's next line; waits for it while other VMs run. Returns false if none comes. */
bool sim_read_line(char *line, size_t size);
/* Sets what is called if this VM's CPUs can never go on; NULL: nothing. */
void sim_watch(void (*report)(void));
/* Whether the engine has found a deadlock of this VM. */
bool sim_deadlocked(void);
/* Gives a scheduling event of the VM as text; i = 0 is the last one. Returns false if there is
 * none. */
bool sim_history(uint32_t i, char *text, size_t size);
uint64_t sim_wall_ns(void);
void sim_end(int status) __attribute__((noreturn));

/* ---- What the guest's half offers: the engine finds it by name ---- */

void sim_guest_main(void);
/* The guest's half has trapped: writes a panic record. */
void sim_guest_panic(const char *reason, uint64_t rip);

#endif
