/* SPDX-License-Identifier: MIT */
/*
 * The memory of a VM as its CPUs see it. Each cache line knows which CPUs have it and until when it
 * is on its way; each vCPU has a store buffer (TSO). A load or store of a line that the CPU has is
 * a hit. Otherwise the line is transferred, which takes longer from further away. Transfers of one
 * line follow each other in the order in which the CPUs asked. A value changes when its CPU has the
 * line, so a CPU sees of another what x86 allows.
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
	char *base; /* port_alloc()'s, of which `used` bytes are given out */
	size_t used;
	char *lines;         /* struct line for all of `base`, then for all of `data` */
	uint32_t line_shift; /* each takes 2^line_shift bytes */
	char *data;          /* the variables */
	size_t data_bytes;
};

/* Reserves addresses, the same ones in every process. `data`: the guest half's variables. */
void memory_init(struct memory *memory, uint32_t vm, char *data, size_t data_bytes);
void *memory_alloc(struct memory *memory, size_t bytes, size_t align);

/* Accesses of a vCPU on its own fiber, in timed code. */
uint64_t memory_load(struct vcpu *vcpu, const volatile void *at, uint32_t size);
void memory_store(struct vcpu *vcpu, volatile void *at, uint32_t size, uint64_t value);
uint64_t memory_rmw(struct vcpu *vcpu, volatile void *at, uint32_t size, enum sim_rmw operation,
		    uint64_t operand);
bool memory_compare_exchange(struct vcpu *vcpu, volatile void *at, uint32_t size,
			     uint64_t *expected, uint64_t desired);
void memory_fence(struct vcpu *vcpu);

/* Waits, on the vCPU's fiber, until all of its stores are in memory. */
void memory_drain(struct vcpu *vcpu);
/* Puts all of the vCPU's stores into memory at `time`: the host stops it. */
void memory_flush(struct vcpu *vcpu, uint64_t time);
/* Returns whether memory_flush() may be called; false: pollers have to come to `time` first. */
bool memory_may_flush(struct vcpu *vcpu, uint64_t time);

/* Writes into the VM's memory on behalf of the host, which runs on `cpu`. Only if it may: if not,
 * pollers of the line have to come to `time` first. */
bool memory_host_may_write(struct vm *vm, const struct cpu *cpu, const volatile void *at,
			   uint64_t time);
void memory_host_write(struct vm *vm, struct cpu *cpu, volatile void *at, uint32_t size,
		       uint64_t value, uint64_t time);

/* Plain accesses, which take no time. */
uint64_t memory_get(const volatile void *at, uint32_t size);
void memory_put(volatile void *at, uint32_t size, uint64_t value);

#endif
