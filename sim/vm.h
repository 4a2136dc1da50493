/* SPDX-License-Identifier: MIT */
/* A VM of the simulated host: its guest half, its log, its work, its end. struct vm: engine.h. */
#ifndef PVSPIN_SIM_VM_H
#define PVSPIN_SIM_VM_H

#include "sim/engine.h"

/* Loads a copy of the guest's half from `image` and makes its vCPUs. The log goes to `log`, a file
 * descriptor. */
void vm_load(struct vm *vm, uint32_t index, const char *image, uint32_t vcpus, const char *cmdline,
	     int log);

/* CPU 0, on its fiber, outside of time. */
void vm_run_on(struct vm *vm, uint32_t count, void (*fn)(void *arg), void *arg);
bool vm_read_line(struct vm *vm, char *line, size_t size);
/* From any fiber of the VM. */
void vm_write(struct vm *vm, const char *bytes, size_t count);
void vm_end(struct vm *vm, int status) __attribute__((noreturn));

/* Traps of a guest's half end its VM. */
void vm_catch_traps(void);

#endif
