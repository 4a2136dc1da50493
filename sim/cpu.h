/* SPDX-License-Identifier: MIT */
/*
 * What happens on a host CPU: exits and entries of the vCPU on it, interrupts, the switch to whom
 * the scheduler picks. A vCPU changes its CPU only here.
 */
#ifndef PVSPIN_SIM_CPU_H
#define PVSPIN_SIM_CPU_H

#include "sim/engine.h"

/* Starts the CPUs' ticks and the host's own tasks. */
void cpu_init(void);

/* On the vCPU's fiber: it leaves the guest; from here on it runs KVM's code. */
void cpu_exit(struct vcpu *vcpu);
/* Its exit has been handled: gives way if the scheduler wants it, then enters the guest, and runs
 * the handlers of interrupts that wait. */
void cpu_enter(struct vcpu *vcpu);
/* A kernel thread of the host may be preempted here, if the scheduler wanted it before. */
void cpu_preempt_point(struct vcpu *vcpu);
/* Leaves its CPU, for which the scheduler picks another; the caller goes on with engine_yield() or
 * engine_leave(). */
void cpu_leave(struct vcpu *vcpu, enum vcpu_state state);
/* Sleeps until cpu_wake(). */
void cpu_block(struct vcpu *vcpu, enum vcpu_state state);
/* Gives way to whom the scheduler picks, maybe itself. */
void cpu_give_way(struct vcpu *vcpu);

/* A vCPU that sleeps becomes runnable, by code on `from` (NULL: by its last CPU), at `time`. */
void cpu_wake(struct vcpu *vcpu, struct cpu *from, uint64_t time);
/* The VM has ended: none of its vCPUs runs any more. */
void cpu_forget(const struct vm *vm);
/* A new vCPU with work. */
void cpu_start(struct vcpu *vcpu, uint64_t time);

/* Before the CPU (NULL: none) is interrupted at `time`: if its vCPU sleeps through polls, it wakes
 * at the poll that is under way then. False: it has to come to `time` first. */
bool cpu_caught_up(struct cpu *cpu, uint64_t time);
/* An interrupt for the vCPU, at `time`. */
void cpu_interrupt(struct vcpu *vcpu, enum irq irq, struct cpu *from, uint64_t time);
/* Forces an exit of a vCPU that runs in the guest, and its return (kvm_vcpu_kick). */
void cpu_kick_out(struct vcpu *vcpu, uint64_t time);
/* A vCPU for which KVM polls has what it waits for. */
void cpu_end_halt_poll(struct vcpu *vcpu, uint64_t time);
/* Runs the handlers of what is pending. On the vCPU's fiber, in the guest. */
void cpu_deliver(struct vcpu *vcpu);

/* Directed yield on behalf of the vCPU, which handles an exit (kvm_vcpu_yield_to); true: the
 * scheduler agreed, and it has given way meanwhile. *tried: neither CPU had a second task. */
bool cpu_yield_to(struct vcpu *vcpu, struct vcpu *target, bool *alone);

#endif
