/* SPDX-License-Identifier: MIT */
/*
 * What KVM does for a vCPU, as in Linux 4.12 to 6.12 (virt/kvm/kvm_main.c, arch/x86/kvm/): HLT with
 * adaptive halt polling, the sticky kick, directed yields, PAUSE exits and whom they boost, the
 * steal-time page. Each is a parameter of the host (host.h).
 */
#ifndef PVSPIN_SIM_KVM_H
#define PVSPIN_SIM_KVM_H

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

void kvm_init_vcpu(struct vcpu *vcpu);

/* ---- by the vCPU, on its fiber ---- */

/* HLT; `open`: with interrupts enabled, which end it, too. */
void kvm_halt(struct vcpu *vcpu, bool open);
void kvm_kick(struct vcpu *vcpu, struct vcpu *target);
void kvm_yield_to(struct vcpu *vcpu, struct vcpu *target);
void kvm_send_ipi(struct vcpu *vcpu, struct vcpu *target);
/* Behind each PAUSE; true: there was an exit. */
bool kvm_pause(struct vcpu *vcpu);

/* How many PAUSEs, `period` cycles apart, are before the next exit; and: so many were made. */
uint64_t kvm_pauses_left(const struct vcpu *vcpu, uint64_t period);
void kvm_paused(struct vcpu *vcpu, uint64_t pauses, uint64_t now);

/* ---- by cpu.c ---- */

/* The vCPU has got a CPU, or has lost it while runnable (kvm_sched_in, kvm_sched_out). `boundary`:
 * by an interrupt of the host, not in an exit of its own. */
void kvm_loaded(struct vcpu *vcpu);
void kvm_unloaded(struct vcpu *vcpu, bool boundary);
/* It enters the guest. */
void kvm_entered(struct vcpu *vcpu);

#endif
