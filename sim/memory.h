/* SPDX-License-Identifier: MIT */
/*
 * The memory of a VM as its CPUs see it: for each cache line who has it, and since when it is on
 * its way; for each vCPU a store buffer (TSO). A load or store of a line that the CPU has is a hit;
 * else the line is transferred, which takes as long as the way is far, one transfer of a line at a
 * time, in the order in which they were asked for. Values change at the time at which a CPU has the
 * line, so what one CPU sees of another is what x86 allows.
 */
#ifndef PVSPIN_SIM_MEMORY_H
#define PVSPIN_SIM_MEMORY_H

#include "port/sim/seam.h"
#include "sim/sched.h"
#include "sim/tso.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vcpu;
struct cpu;
struct vm;

#define MEMORY_BYTES UINT64_C(0x100000000) /* 4 GiB for each VM, touched as it is used */
#define MEMORY_DATA  (UINT64_C(64) << 20)  /* most of the guest half's own variables */

/* A VM's memory: what port_alloc() gave out, and the guest half's own variables. */
struct memory {
	char *base;
	size_t used;
	char *lines; /* of both, one after the other */
	char *data;
	size_t data_bytes;
};

/* Reserves addresses, the same in each process. */
void memory_init(struct memory *memory, uint32_t vm, char *data, size_t data_bytes);
void *memory_alloc(struct memory *memory, size_t bytes, size_t align);

/* By a vCPU in timed code, on its fiber. */
uint64_t memory_load(struct vcpu *vcpu, const volatile void *at, uint32_t size);
void memory_store(struct vcpu *vcpu, volatile void *at, uint32_t size, uint64_t value);
uint64_t memory_rmw(struct vcpu *vcpu, volatile void *at, uint32_t size, enum sim_rmw operation,
		    uint64_t operand);
bool memory_compare_exchange(struct vcpu *vcpu, volatile void *at, uint32_t size,
			     uint64_t *expected, uint64_t desired);
void memory_fence(struct vcpu *vcpu);

/* The store buffer goes to memory: the vCPU waits for it; or it is taken off its CPU, at once. */
void memory_drain(struct vcpu *vcpu);
void memory_flush(struct vcpu *vcpu, uint64_t time);
/* Whether it may do so at `time`; false: pollers have to come to that time first. */
bool memory_may_flush(struct vcpu *vcpu, uint64_t time);

/* The host on `cpu` writes into the VM's memory. */
void memory_host_write(struct vm *vm, struct cpu *cpu, volatile void *at, uint32_t size,
		       uint64_t value, uint64_t time);

/* Plain accesses, outside of time. */
uint64_t memory_get(const volatile void *at, uint32_t size);
void memory_put(volatile void *at, uint32_t size, uint64_t value);

#endif
