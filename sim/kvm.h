/* SPDX-License-Identifier: MIT */
/*
 * What KVM does for a vCPU, as in Linux 4.12 to 6.12 (virt/kvm/kvm_main.c, arch/x86/kvm/): HLT with
 * adaptive halt polling, the sticky kick, directed yields, PAUSE exits and the vCPUs they boost,
 * the steal-time page. Parameters of the host (host.h) turn each on or off.
 */
#ifndef PVSPIN_SIM_KVM_H
#define PVSPIN_SIM_KVM_H

#include "sim/engine.h"
#include <stdbool.h>
#include <stdint.h>

void kvm_init_vcpu(struct vcpu *vcpu);

/* ---- by the vCPU, on its fiber ---- */

/* HLT. `open`: with interrupts enabled; then they end it, too. */
void kvm_halt(struct vcpu *vcpu, bool open);
void kvm_kick(struct vcpu *vcpu, struct vcpu *target);
void kvm_yield_to(struct vcpu *vcpu, struct vcpu *target);
/* Hyper-V's notice of a long spin, which KVM treats as an exit by PAUSE. */
void kvm_long_spin(struct vcpu *vcpu);
void kvm_send_ipi(struct vcpu *vcpu, struct vcpu *target, enum irq irq);
/* Call it after each PAUSE. Returns whether the PAUSE led to an exit. */
bool kvm_pause(struct vcpu *vcpu);

/* Returns how many PAUSEs, `period` cycles apart, the vCPU can make before the next exit. */
uint64_t kvm_pauses_left(const struct vcpu *vcpu, uint64_t period);
/* Accounts for so many PAUSEs up to `now`, without an exit. */
void kvm_paused(struct vcpu *vcpu, uint64_t pauses, uint64_t now);

/* ---- by cpu.c ---- */

/* Notes whether the vCPU is runnable without a CPU: a target of directed yields. */
void kvm_set_ready(struct vcpu *vcpu, bool ready);

/* The vCPU has got a CPU (kvm_sched_in). */
void kvm_loaded(struct vcpu *vcpu);
/* The vCPU has lost its CPU while runnable (kvm_sched_out). `boundary`: an interrupt of the host
 * took it, not an exit of its own. */
void kvm_unloaded(struct vcpu *vcpu, bool boundary);
/* The vCPU enters the guest. */
void kvm_entered(struct vcpu *vcpu);

#endif
