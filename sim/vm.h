/* SPDX-License-Identifier: MIT */
/* A VM of the simulated host: its guest half, log, work and end. struct vm is in engine.h. */
#ifndef PVSPIN_SIM_VM_H
#define PVSPIN_SIM_VM_H

#include "sim/engine.h"

/* Loads a copy of the guest's half from `image` and makes its vCPUs. The log goes to `log`, a file
 * descriptor. */
void vm_load(struct vm *vm, uint32_t index, const char *image, uint32_t vcpus, const char *cmdline,
	     int log);

/* On CPU 0's fiber, outside of time: port_run_on() and sim_read_line(). */
void vm_run_on(struct vm *vm, uint32_t count, void (*fn)(void *arg), void *arg);
bool vm_read_line(struct vm *vm, char *line, size_t size);
/* On any fiber of the VM. */
void vm_write(struct vm *vm, const char *bytes, size_t count);
/* On the vCPU's fiber: runs the guest's handler of an interrupt. */
void vm_handle(struct vcpu *vcpu, enum irq irq);
void vm_end(struct vm *vm, int status) __attribute__((noreturn));

/* From here on a trap of a guest's half writes a panic record and ends its VM. */
void vm_catch_traps(void);

#endif
