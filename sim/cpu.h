/* SPDX-License-Identifier: MIT */
/*
 * What happens on a host CPU: exits and entries of its vCPU, interrupts, and switches to the thread
 * that the scheduler picks. Only these functions give a vCPU a CPU or take it away.
 */
#ifndef PVSPIN_SIM_CPU_H
#define PVSPIN_SIM_CPU_H

#include "sim/engine.h"

/* Makes the scheduler and starts the CPUs' ticks. */
void cpu_init(void);

/* ---- on the vCPU's own fiber ---- */

/* Leaves the guest: from here on the vCPU runs KVM's code. */
void cpu_exit(struct vcpu *vcpu);
/* Ends an exit: gives way if the scheduler wants that, enters the guest, and runs the handlers of
 * pending interrupts. */
void cpu_enter(struct vcpu *vcpu);
/* Lets the scheduler preempt a kernel thread of the host here, if it wanted to before. */
void cpu_preempt_point(struct vcpu *vcpu);
/* Leaves its CPU, for which the scheduler picks another thread. The caller goes on with
 * engine_yield() or engine_leave(). */
void cpu_leave(struct vcpu *vcpu, enum vcpu_state state);
/* Sleeps until cpu_wake(). */
void cpu_block(struct vcpu *vcpu, enum vcpu_state state);
/* Lets the scheduler pick who runs, which may be this vCPU again. Returns when it runs. */
void cpu_give_way(struct vcpu *vcpu);
/* Runs the handlers of pending interrupts, if the vCPU is in the guest and they are enabled. */
void cpu_deliver(struct vcpu *vcpu);
/* Directed yield in an exit of the vCPU (kvm_vcpu_yield_to). Returns true if the scheduler agreed;
 * the vCPU has then given way meanwhile. Sets *alone to whether neither CPU had a second task. */
bool cpu_yield_to(struct vcpu *vcpu, struct vcpu *target, bool *alone);

/* ---- from elsewhere ---- */

/* Makes a sleeping vCPU runnable at `time`, by code on `from` (NULL: on the vCPU's last CPU). */
void cpu_wake(struct vcpu *vcpu, struct cpu *from, uint64_t time);
/* Takes the CPUs away from the vCPUs of a VM that has ended at `time`. */
void cpu_forget(const struct vm *vm, uint64_t time);
/* Adds a new task to the scheduler, or wakes one that has blocked, at `time`. */
void cpu_make_runnable(struct sched_task *task, uint64_t time);
/* The CPU's thread sleeps from the CPU's clock on; the scheduler picks another one. */
void cpu_put_to_sleep(struct cpu *cpu);
/* Makes a vCPU with new work runnable. */
void cpu_start(struct vcpu *vcpu, uint64_t time);

/* Call it before interrupting the CPU (NULL: none) at `time`. A vCPU that sleeps through polls
 * wakes at the poll that is under way then. Returns false if the CPU has to come to `time` first:
 * try again later. */
bool cpu_caught_up(struct cpu *cpu, uint64_t time);
/* Makes an interrupt pending for the vCPU at `time`, which wakes it or forces an exit. */
void cpu_interrupt(struct vcpu *vcpu, enum irq irq, struct cpu *from, uint64_t time);
/* Forces a vCPU that runs in the guest to exit and enter again (kvm_vcpu_kick). */
void cpu_kick_out(struct vcpu *vcpu, uint64_t time);
/* Ends KVM's halt polling for the vCPU: its wake-up has come. */
void cpu_end_halt_poll(struct vcpu *vcpu, uint64_t time);
#endif
